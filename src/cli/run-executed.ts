/** `sme-boot run --execute`: executes an image, prints its console and how it ended. */
import { predicateOf, type Predicate, type TraceParts } from '../analysis/bisect/predicate.js';
import { InputError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import type { ExecutedBoot } from '../sequencer/executed-boot.js';
import type { Stops } from '../sequencer/stops.js';
import { Console } from './console.js';
import { prepareExecuted, type ExecuteFlags } from './execute-options.js';
import { EXIT } from './exit-codes.js';
import type { Io } from './io.js';
import { checkOutput, type OutputFlags, type Result } from './output.js';
import { Progress } from './progress.js';
import type { RunFlags } from './run-options.js';
import { allHold, formOfOutput, summaryOutput, type Form } from './run-output.js';

export interface ExecutedFlags extends RunFlags, ExecuteFlags, OutputFlags<Form> {
  until?: string;
  expect?: string[];
}

/** Instructions between two looks at the console and at Ctrl-C: about a tenth of a second (our choice). */
const SLICE = 1_000_000;

export async function runExecuted(io: Io, scenario: string, flags: ExecutedFlags): Promise<void> {
  const form = formOfOutput(flags);
  if (form !== 'text') checkOutput(flags.output);
  const predicates = flags.expect?.map((text) => executedPredicate(text));
  const boot = prepareExecuted(scenario, flags);
  const fn = flags.until?.replace(/:return$/, '');
  const until = fn === undefined ? undefined : `${fn}:return`;
  const stops = boot.stopsAt(...(until === undefined ? [] : [until]));
  const summary = summaryOutput(io, form, flags);
  summary.print(head(boot, summary));
  const interrupted = await execute(io, boot, stops, until, summary);
  summary.print(`\n${endText(boot, stops, fn)}\n`);
  const held = predicates === undefined || allHold(predicates, partsOf(boot), summary);
  summary.end();
  if (interrupted) io.exitCode = EXIT.interrupted;
  else if (predicates !== undefined) io.exitCode = held ? EXIT.ok : exitUnheld(boot);
  else io.exitCode = exitOf(boot, stops, until);
}

/** The predicates about what an executed boot has. */
function executedPredicate(text: string): Predicate {
  if (!/^(?:garbage|intact|report)=/.test(text)) return predicateOf(text);
  throw new InputError({
    code: 'E_USAGE',
    place: { path: '--expect' },
    reason: 'with --execute the readers of data are not known',
    expected: 'console=TEXT, outcome=KIND or event={…}',
    found: text,
  });
}

/** The lines before the console. */
function head({ image, options: { scenario } }: ExecutedBoot, { paint }: Result): string {
  const version = image.version === undefined ? '' : `, ${image.version}`;
  return [
    `${paint.bold(printable(scenario.name))}: ${printable(scenario.title)}`,
    `executes ${printable(image.file + version)}`,
    scenario.cmdline === null ? 'no command line' : `command line: ${printable(scenario.cmdline)}`,
    ...(scenario.kexec === undefined ? [] : ["the scenario's second kernel is not loaded"]),
    '',
    '',
  ].join('\n');
}

/** Runs to the end and prints the console meanwhile. Returns whether Ctrl-C ended it. */
async function execute(
  io: Io,
  boot: ExecutedBoot,
  stops: Stops,
  until: string | undefined,
  summary: Result,
): Promise<boolean> {
  const progress = new Progress(io);
  const console = new Console(boot.uart, summary);
  let interrupted = false;
  const onInterrupt = (): void => {
    interrupted = true;
  };
  process.on('SIGINT', onInterrupt);
  const began = performance.now();
  try {
    while (boot.outcome === null) {
      // Signals arrive between two slices.
      await new Promise((resolve) => setImmediate(resolve));
      const { executor } = boot;
      if (interrupted) {
        boot.end({ kind: 'interrupted', at: executor.core.rip });
        break;
      }
      const { labels, end } = boot.go(stops, SLICE);
      if (console.pending) progress.clear();
      console.print();
      progress.step(rateText(executor.instructions, performance.now() - began));
      const entered = until !== undefined && end.kind === 'breakpoint';
      if (labels.length > 0 || (entered && stops.neverReturns(until, executor.cpu))) boot.end(end);
    }
  } finally {
    process.off('SIGINT', onInterrupt);
    progress.clear();
  }
  console.end();
  return interrupted;
}

/** `12.3 million instructions, 8.1 million a second`. */
function rateText(instructions: number, milliseconds: number): string {
  const MILLION = 1e6;
  const rate = instructions / Math.max(1, milliseconds) / 1000;
  return `${(instructions / MILLION).toFixed(1)} million instructions, ${rate.toFixed(1)} million a second`;
}

/** What the run ended with. */
function endText(
  { outcome, executor }: ExecutedBoot,
  stops: Stops,
  until: string | undefined,
): string {
  const { kind = '', where, message = '' } = outcome ?? {};
  const after = `after ${executor.instructions.toLocaleString('en')} instructions`;
  const place = where === undefined ? '' : ` in ${where}`;
  if (until === undefined) return printable(`${kind}${place}: ${message}, ${after}`);
  const label = `${until}:return`;
  if (kind === 'stopped' && !stops.waitsFor(label)) {
    return printable(`${until} has returned to${place.slice(' in'.length)}, ${after}`);
  }
  if (kind === 'stopped') return printable(`${until} is entered, and never returns, ${after}`);
  const so = stops.isInside(label) ? 'was entered and did not return' : 'was not reached';
  return printable(`${kind}${place}: ${message}, ${after}; ${until} ${so}`);
}

function exitOf({ outcome }: ExecutedBoot, stops: Stops, until: string | undefined): number {
  if (outcome?.kind === 'not-modelled') return EXIT.unmodelled;
  if (until === undefined || outcome?.kind === 'stopped') return EXIT.ok;
  return stops.isInside(until) ? EXIT.ok : EXIT.mismatch;
}

/** An expression does not hold; of a run that ended at something not modelled it is not known. */
const exitUnheld = ({ outcome }: ExecutedBoot): number =>
  outcome?.kind === 'not-modelled' ? EXIT.undecided : EXIT.mismatch;

/** What the expressions are about. */
function partsOf({ outcome, uart }: ExecutedBoot): TraceParts {
  const lines = uart.text.split('\n').map((line) => ({ console: line.replace(/\r/g, ''), in: '' }));
  return {
    steps: [{ label: 'console', events: lines }],
    consumed: [],
    outcome: outcome ?? { kind: 'interrupted' },
  };
}
