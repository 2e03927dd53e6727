/** `sme-boot diff`: compares two traces, from files or from runs, event by event. */
import { existsSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { readText } from '../node/files.js';
import { rebased } from '../node/relative-paths.js';
import { STDIN } from '../node/stdin.js';
import { TraceFiles } from '../node/trace-files.js';
import { compare, isSame } from '../check/compare.js';
import { differenceText } from '../check/compare-text.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { splitWords } from '../base/shell-words.js';
import { readYaml } from '../base/yaml-source.js';
import type { Trace } from '../trace/trace.js';
import { addExecuteOptions, checkExecute } from './execute-options.js';
import { preparedTrace } from './executed-trace.js';
import { EXIT, exitHelp } from './exit-codes.js';
import { isScenario } from './file-kinds.js';
import type { Io } from './io.js';
import { addOutput, formOf, openResult, type OutputFlags } from './output.js';
import { painterOf } from './painter.js';
import { Progress } from './progress.js';
import {
  addRunOptions,
  DEFAULT_SCENARIO,
  hunksOption,
  stageNumber,
  type RunFlags,
} from './run-options.js';
import { addSanitizeOption, type SanitizeFlags } from './sanitize-option.js';
import { refuseUnused, usageError, watchUsage } from './usage.js';

const FORMS = ['text', 'json'] as const;

interface Flags extends SanitizeFlags, OutputFlags<(typeof FORMS)[number]> {
  stage?: number[];
  activate?: boolean;
  hunks?: string[];
  set?: string[];
}

const EXAMPLES = `
A and B are each a trace file or a run: a scenario with options of "run", quoted as one argument.
With --stage given twice, A and B are runs of one scenario at these two stages.

Examples:
  sme-boot diff --stage 17 --stage 18                    what patch 18 does
  sme-boot diff --stage 8 --stage 9 --activate           what patch 09 fixes
  sme-boot diff before.yaml after.yaml
  sme-boot diff traces/bios-minimal/stage-08.yaml traces/bios-minimal/stage-09.yaml
  sme-boot diff traces/bios-minimal/stage-18.yaml "bios-minimal --set machine.engine=XE"
${exitHelp({ ok: 'the traces are equivalent', mismatch: 'they differ' })}`;

export function diffCommand(io: Io): Command {
  const stage = (text: string, before: number[] = []): number[] => [...before, stageNumber(text)];
  const command = new Command('diff')
    .description('compare two traces: events added, removed, changed')
    .argument('[A]', 'a trace file or a run')
    .argument('[B]', 'a trace file or a run')
    .option('--stage <N>', 'compare runs of two stages; give it twice', stage)
    .option('--activate', 'apply patch 18, which turns encryption on, on top of both stages')
    .addOption(hunksOption())
    .option(
      '--set <PATH=VALUE>',
      'change one value of the scenario of both runs; can be repeated',
      (value: string, before: string[] = []) => [...before, value],
    )
    .addHelpText('after', EXAMPLES)
    .action((a: string | undefined, b: string | undefined, flags: Flags, self: Command) => {
      if (flags.stage === undefined) {
        const reason = 'A and B have their own options: "bios-minimal --activate"';
        refuseUnused(self, ['--format', '--output'], reason);
      }
      diff(io, a, b, flags);
    });
  return addOutput(addSanitizeOption(command), { formats: FORMS });
}

function diff(io: Io, a: string | undefined, b: string | undefined, flags: Flags): void {
  const out = openResult(io, flags.output);
  const progress = new Progress(io);
  const [before, after] = sides(a, b, flags, progress);
  progress.clear();
  const difference = compare(before, after);
  if (!isSame(difference, { header: false })) io.exitCode = EXIT.mismatch;
  if (formOf(flags, FORMS) === 'json') out.write(`${JSON.stringify(difference, null, 2)}\n`);
  else out.print(differenceText(difference, painterOf(out.paint), 'before'));
  out.end();
}

function sides(
  a: string | undefined,
  b: string | undefined,
  flags: Flags,
  progress: Progress,
): [Trace, Trace] {
  const { stage: stages } = flags;
  if (stages !== undefined) {
    const [first, second] = stages;
    if (first === undefined || second === undefined || stages.length !== 2 || b !== undefined) {
      throw usage('--stage twice and at most one scenario');
    }
    const of = (stage: number): Side => {
      const run = {
        stage,
        ...(flags.activate === undefined ? {} : { activate: flags.activate }),
        ...(flags.set === undefined ? {} : { set: flags.set }),
        ...(flags.hunks === undefined ? {} : { hunks: flags.hunks }),
        ...optional({ sanitize: flags.sanitize }),
      };
      return prepared(`stage ${String(stage)}`, a ?? DEFAULT_SCENARIO, run, progress);
    };
    return both(of(first), of(second), progress);
  }
  if (a === undefined || b === undefined) throw usage('two traces, or --stage twice');
  const files = new TraceFiles();
  const of = (name: string, side: string): Side => sideOf(files, name, side, progress);
  return both(of('A', a), of('B', b), progress);
}

/** One side: what is shown while it is made, and its trace. */
interface Side {
  readonly what: string;
  readonly trace: () => Trace;
}

/** The traces of both sides; nothing has booted before both were parsed. */
function both(a: Side, b: Side, progress: Progress): [Trace, Trace] {
  const of = ({ what, trace }: Side, done: number): Trace => {
    progress.next(done, 2, what);
    return trace();
  };
  return [of(a, 0), of(b, 1)];
}

/** A boot that is ready to run. */
function prepared(what: string, scenario: string, flags: RunFlags, progress: Progress): Side {
  return { what, trace: preparedTrace(scenario, flags, progress.step) };
}

const usage = (expected: string): InputError =>
  new InputError({ code: 'E_USAGE', reason: 'diff needs two traces', expected });

/** One argument: a file of that name, which is a trace or a scenario, else a run. `name`: A or B, for errors. */
function sideOf(files: TraceFiles, name: string, side: string, progress: Progress): Side {
  if (side === STDIN || existsSync(side)) {
    const source = readYaml(side, readText(side));
    if (isScenario(source)) return prepared(side, side, {}, progress);
    const trace = rebased(files.trace(side, source), side, STDIN);
    return { what: side, trace: () => trace };
  }
  const { words, open } = splitWords(side);
  if (open !== '') {
    throw new InputError({
      code: 'E_USAGE',
      place: { path: `diff ${name}` },
      reason: `the quotation is not closed (${open})`,
      found: side,
    });
  }
  // A single word that looks like a path but does not exist is a misspelt file, not a run.
  if (words.length === 1 && /[./]/.test(side)) readText(side);
  return runOf(name, side, words, progress);
}

/** Parses the words of a run with the options of `run`. Errors have the side's name. */
function runOf(name: string, side: string, words: readonly string[], progress: Progress): Side {
  const command = new Command('run').argument('[SCENARIO]', '', DEFAULT_SCENARIO).helpOption(false);
  addExecuteOptions(addRunOptions(command), { until: true }).configureOutput({
    writeErr: () => undefined,
  });
  watchUsage(command, () => undefined);
  try {
    command.parse([...words], { from: 'user' });
    const scenario = command.processedArgs[0] as string;
    checkExecute(command, command.opts<RunFlags>());
    return prepared(side, scenario, command.opts<RunFlags>(), progress);
  } catch (error) {
    const wrong = error instanceof CommanderError ? usageError(error, command) : error;
    throw wrong instanceof InputError ? wrong.within({ file: `diff ${name}` }) : wrong;
  }
}
