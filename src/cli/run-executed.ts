/** `sme-boot run --execute`: executes an image, prints its console and how it ended. */
import { predicateOf, type Predicate, type TraceParts } from '../analysis/bisect/predicate.js';
import { imageText } from '../firmware/image/kernel-image.js';
import { InputError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { RULE_IDS } from '../sanitizer/rules.js';
import { checkWritable } from '../node/write-file.js';
import type { ExecutedBoot } from '../sequencer/executed-boot.js';
import { ExecutedRun } from '../sequencer/executed-run.js';
import type { SanitizerReport } from '../trace/report.js';
import { EXECUTED_KINDS } from '../trace/trace.js';
import { checkSnapshots, restoreFrom, saveSnapshot, type SnapshotFlags } from './boot-snapshot.js';
import { Console } from './console.js';
import { debugged } from './debug.js';
import { prepareExecution } from './execute-options.js';
import { finished, SLICE, tracerOf, untilOf } from './executed-trace.js';
import { EXIT } from './exit-codes.js';
import type { Io } from './io.js';
import { checkMatchOut, writeMatchOut, type MatchOutFlags } from './match-out.js';
import { checkOutput, type OutputFlags, type Result } from './output.js';
import { Progress } from './progress.js';
import { reportLines } from './report-lines.js';
import type { RunFlags } from './run-options.js';
import {
  allHold,
  checkFormOutput,
  formOfOutput,
  isTraceForm,
  summaryOutput,
  writeTrace,
  type Form,
} from './run-output.js';
import {
  isReportForm,
  judgedReports,
  placesFor,
  refuseUnusedEntries,
  reportedRun,
  reportOptions,
  usesOfReports,
  writeReports,
  type ReportFlags,
} from './run-reports.js';
import { commandOf } from './runs.js';

export interface ExecutedFlags
  extends RunFlags, OutputFlags<Form>, ReportFlags, SnapshotFlags, MatchOutFlags {
  expect?: string[];
  gdb?: number;
}

export async function runExecuted(io: Io, scenario: string, flags: ExecutedFlags): Promise<void> {
  const form = formOfOutput(flags);
  refuseReports(flags, form);
  checkMatchOut(flags, form);
  const reporting = reportOptions(flags, form);
  // A trace is recorded where something needs it.
  const needed =
    form !== 'text' ||
    flags.matchOut !== undefined ||
    (flags.expect ?? []).some((text) => text.startsWith('event='));
  checkSnapshots(flags, needed);
  checkFormOutput(io, form, flags.output);
  checkOutput(flags.matchOut);
  if (flags.snapshot !== undefined) checkWritable(flags.snapshot);
  const predicates = flags.expect?.map((text) => executedPredicate(text, flags));
  const places = await placesFor(form, scenario, flags);
  const execution = prepareExecution(scenario, flags);
  const { boot } = execution;
  restoreFrom(flags, execution);
  const run = new ExecutedRun(boot, untilOf(flags));
  const tracer = needed ? tracerOf(execution) : undefined;
  const summary = summaryOutput(io, form, flags);
  summary.print(head(boot, summary));
  const interrupted = await execute(io, run, summary, flags.gdb);
  summary.print(`\n${endText(run, flags)}\n`);
  summary.print(saveSnapshot(flags, execution));
  const { reports, unused, fails } = judgedReports(boot.sanitizer?.reports(), reporting);
  if (reports !== undefined) summary.print(reportsSummary(reports, summary));
  const trace = tracer && finished(tracer, reports);
  if (trace !== undefined && isTraceForm(form)) {
    writeTrace(io, flags.output, form, trace);
  }
  if (trace !== undefined && !interrupted) writeMatchOut(io, scenario, flags, trace);
  if (trace !== undefined && isReportForm(form) && places !== undefined) {
    const rerun = commandOf({ scenario, flags });
    const done = reportedRun(trace, { rerun, unexpected: [], predicates: predicates ?? [] });
    writeReports(io, flags.output, form, done, places);
  }
  const parts = trace ?? {
    ...partsOf(boot),
    ...(reports !== undefined && { reports: [...reports] }),
  };
  const held = predicates === undefined || allHold(predicates, parts, summary);
  summary.end();
  if (interrupted) io.exitCode = EXIT.interrupted;
  else if (predicates !== undefined && !held) io.exitCode = exitUnheld(boot);
  else if (fails) io.exitCode = EXIT.mismatch;
  else io.exitCode = predicates === undefined ? exitOf(run) : EXIT.ok;
  refuseUnusedEntries(io, unused);
}

/** Throws E_USAGE for the formats and options about reports where nothing makes them. */
function refuseReports(flags: ExecutedFlags, form: Form): void {
  const uses = usesOfReports({ ...flags, expect: [] }, form);
  if (uses.length === 0 || flags.sanitize === true) return;
  throw new InputError({
    code: 'E_USAGE',
    place: { path: 'run' },
    reason: 'with --execute the sanitizer is off by default',
    expected: '--sanitize',
    found: uses.join(' '),
  });
}

/** The predicates about what an executed boot has. */
function executedPredicate(text: string, { sanitize }: RunFlags): Predicate {
  const known =
    !/^(?:garbage|intact)=/.test(text) && (sanitize === true || !text.startsWith('report='));
  const outcomes = [...EXECUTED_KINDS, 'triple-fault'];
  if (known) return predicateOf(text, { rules: RULE_IDS, outcomes });
  const report = text.startsWith('report=');
  throw new InputError({
    code: 'E_USAGE',
    place: { path: '--expect' },
    reason: report
      ? 'with --execute the sanitizer is off by default'
      : 'with --execute the readers of data are not known',
    expected: report ? '--sanitize' : 'console=TEXT, outcome=KIND or event={…}',
    found: text,
  });
}

/** The lines before the console. */
function head(
  { image, executor, stubEntry, options: { scenario } }: ExecutedBoot,
  { paint }: Result,
): string {
  return [
    `${paint.bold(printable(scenario.name))}: ${printable(scenario.title)}`,
    `executes ${printable(imageText(image))}`,
    scenario.cmdline === null ? 'no command line' : `command line: ${printable(scenario.cmdline)}`,
    ...(stubEntry === null
      ? []
      : [`begins at the decompressor, at its ${String(stubEntry)}-bit entry`]),
    ...(executor.instructions === 0
      ? []
      : [`goes on after ${executor.instructions.toLocaleString('en')} instructions`]),
    ...(scenario.kexec === undefined ? [] : ["the scenario's second kernel is not loaded"]),
    '',
    '',
  ].join('\n');
}

/** Runs to the end and prints the console meanwhile. Returns whether Ctrl-C ended it. */
async function execute(
  io: Io,
  run: ExecutedRun,
  summary: Result,
  gdb: number | undefined,
): Promise<boolean> {
  const { boot } = run;
  const { executor } = boot;
  const progress = new Progress(io);
  const console = new Console(boot.uart, summary);
  if (gdb !== undefined) {
    const end = await debugged(io, boot, gdb, () => {
      console.print();
    });
    // After `detach` the run goes on to its end.
    if (end !== 'detached') {
      const by = end === 'killed' ? { by: 'killed by gdb' } : {};
      boot.end({ kind: 'interrupted', at: executor.core.rip, ...by });
      console.end();
      return end === 'aborted';
    }
  }
  let interrupted = false;
  const onInterrupt = (): void => {
    interrupted = true;
  };
  process.on('SIGINT', onInterrupt);
  const began = performance.now();
  const tellInside = insideTeller(io, run);
  try {
    while (boot.outcome === null) {
      // Signals arrive between two slices.
      await new Promise((resolve) => setImmediate(resolve));
      if (interrupted) {
        boot.end({ kind: 'interrupted', at: executor.core.rip });
        break;
      }
      run.slice(SLICE);
      if (console.pending) progress.clear();
      console.print();
      tellInside(() => progress.clear());
      progress.step(rateText(executor.instructions, performance.now() - began));
    }
  } finally {
    process.off('SIGINT', onInterrupt);
    progress.clear();
  }
  console.end();
  return interrupted;
}

/** Instructions in the function of --until after which a line says that it was entered (our choice). */
const LONG_INSIDE = 300e6;

/** Says once on stderr that the function of --until has been entered and does not return: some never do. */
function insideTeller(io: Io, run: ExecutedRun): (before: () => void) => void {
  let since: number | undefined;
  let told = false;
  return (before) => {
    const { until = '', reached } = run;
    if (told || reached !== 'inside') return;
    const { instructions } = run.boot.executor;
    since ??= instructions;
    if (instructions - since < LONG_INSIDE) return;
    told = true;
    before();
    const count = Math.floor((instructions - since) / 1e6);
    io.stderr.write(
      `sme-boot: ${printable(until)} was entered ${count} million instructions ago and has not returned; the run goes on ` +
        'until it does (--max-instructions or Ctrl-C end it)\n',
    );
  };
}

/** `12.3 million instructions, 8.1 million a second`. */
function rateText(instructions: number, milliseconds: number): string {
  const MILLION = 1e6;
  const rate = instructions / Math.max(1, milliseconds) / 1000;
  return `${(instructions / MILLION).toFixed(1)} million instructions, ${rate.toFixed(1)} million a second`;
}

/** What the run ended with. */
function endText(run: ExecutedRun, { from }: SnapshotFlags): string {
  const { boot, until, reached } = run;
  const { kind = '', where, message = '' } = boot.outcome ?? {};
  const after = `after ${boot.executor.instructions.toLocaleString('en')} instructions`;
  const place = where === undefined ? '' : ` in ${where}`;
  const end = `${kind}${place}: ${message}, ${after}`;
  if (until === undefined) return printable(end);
  if (kind === 'stopped' && reached === 'returned') {
    return printable(`${until} has returned to ${where ?? 'code without a symbol'}, ${after}`);
  }
  if (kind === 'stopped') return printable(`${until} is entered, and never returns, ${after}`);
  // A call that the snapshot is inside of began before this run.
  const not = from === undefined ? 'was not reached' : 'was not entered after the snapshot';
  const so = reached === 'inside' ? 'was entered and did not return' : not;
  return printable(`${end}; ${until} ${so}`);
}

/** The reports of the sanitizer, each with its first access. */
function reportsSummary(reports: readonly SanitizerReport[], { paint }: Result): string {
  if (reports.length === 0) return '\nno report of the sanitizer\n';
  const lines = reports.flatMap((report) => reportLines(report, paint));
  return `\nreports of the sanitizer\n${lines.map((line) => `${line}\n`).join('')}`;
}

function exitOf({ boot: { outcome }, until, reached }: ExecutedRun): number {
  if (outcome?.kind === 'not-modelled') return EXIT.unmodelled;
  if (until === undefined || outcome?.kind === 'stopped' || reached === 'inside') return EXIT.ok;
  return EXIT.mismatch;
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
