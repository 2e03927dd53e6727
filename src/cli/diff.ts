/** `sme-boot diff`: compares two traces, from files or from runs, event by event. */
import { wholeNumber } from '../base/whole-number.js';
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { readText } from '../node/files.js';
import { rebased } from '../node/relative-paths.js';
import { STDIN } from '../node/stdin.js';
import { TraceFiles } from '../node/trace-files.js';
import { compare, isSame } from '../check/compare.js';
import { differenceText } from '../check/compare-text.js';
import { InputError } from '../base/errors.js';
import { splitWords } from '../base/shell-words.js';
import type { Trace } from '../trace/trace.js';
import { EXIT, exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { addOutput, formOf, openResult, type OutputFlags } from './output.js';
import { painterOf } from './painter.js';
import { Progress } from './progress.js';
import { addRunOptions, DEFAULT_SCENARIO, prepareBoot, type RunFlags } from './run-options.js';

const FORMS = ['text', 'json'] as const;

interface Flags extends OutputFlags<(typeof FORMS)[number]> {
  stage?: number[];
  activate?: boolean;
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
  const stage = (text: string, before: number[] = []): number[] => {
    const number = wholeNumber(text);
    if (number === undefined) {
      throw new InputError({ code: 'E_STAGE', expected: 'a number', found: text });
    }
    return [...before, number];
  };
  const command = new Command('diff')
    .description('compare two traces: events added, removed, changed')
    .argument('[A]', 'a trace file or a run')
    .argument('[B]', 'a trace file or a run')
    .option('--stage <N>', 'compare runs of two stages; give it twice', stage)
    .option('--activate', 'apply patch 18, which turns encryption on, on top of both stages')
    .option(
      '--set <PATH=VALUE>',
      'change one value of the scenario of both runs; can be repeated',
      (value: string, before: string[] = []) => [...before, value],
    )
    .addHelpText('after', EXAMPLES)
    .action((a: string | undefined, b: string | undefined, flags: Flags) => {
      diff(io, a, b, flags);
    });
  return addOutput(command, { formats: FORMS });
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
    const of = (stage: number, done: number): Trace => {
      progress.next(done, 2, `stage ${String(stage)}`);
      const run = {
        stage,
        ...(flags.activate === undefined ? {} : { activate: flags.activate }),
        ...(flags.set === undefined ? {} : { set: flags.set }),
      };
      return prepareBoot(a ?? DEFAULT_SCENARIO, run, progress.step).run();
    };
    return [of(first, 0), of(second, 1)];
  }
  if (a === undefined || b === undefined) throw usage('two traces, or --stage twice');
  const files = new TraceFiles();
  const of = (side: string, done: number): Trace => {
    progress.next(done, 2, side);
    return traceOf(files, side, progress);
  };
  return [of(a, 0), of(b, 1)];
}

const usage = (expected: string): InputError =>
  new InputError({ code: 'E_USAGE', reason: 'diff needs two traces', expected });

/** The trace of one argument: a file if one of that name exists, else a run. */
function traceOf(files: TraceFiles, side: string, progress: Progress): Trace {
  if (side === STDIN || existsSync(side)) return rebased(files.trace(side), side, '-');
  const { words, open } = splitWords(side);
  if (open !== '') {
    throw new InputError({
      code: 'E_USAGE',
      reason: `the quotation is not closed (${open})`,
      found: side,
    });
  }
  // A single word that looks like a path but does not exist is a misspelt file, not a run.
  if (words.length === 1 && /[./]/.test(side)) readText(side);
  return runOf(words, progress);
}

/** Parses the words of a run with the options of `run`. */
function runOf(words: readonly string[], progress: Progress): Trace {
  const command = new Command('run').argument('[SCENARIO]', '', DEFAULT_SCENARIO).exitOverride();
  addRunOptions(command)
    .configureOutput({ writeErr: () => undefined })
    .parse([...words], { from: 'user' });
  const scenario = command.processedArgs[0] as string;
  return prepareBoot(scenario, command.opts<RunFlags>(), progress.step).run();
}
