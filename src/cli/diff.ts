/** `sme-boot diff`: compares two traces, from files or from runs, event by event. */
import { wholeNumber } from '../base/whole-number.js';
import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { readText } from '../node/files.js';
import { TraceFiles } from '../node/trace-files.js';
import { compare, isSame } from '../check/compare.js';
import { differenceText } from '../check/compare-text.js';
import { InputError } from '../base/errors.js';
import type { Trace } from '../trace/trace.js';
import { EXIT, exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { painterOf } from './painter.js';
import { addRunOptions, DEFAULT_SCENARIO, prepareBoot, type RunFlags } from './run-options.js';

interface Flags {
  stage?: number[];
  activate?: boolean;
  set?: string[];
  format: 'text' | 'json';
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
  return new Command('diff')
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
    .addOption(new Option('--format <FORMAT>').choices(['text', 'json']).default('text'))
    .addHelpText('after', EXAMPLES)
    .action((a: string | undefined, b: string | undefined, flags: Flags) => {
      diff(io, a, b, flags);
    });
}

function diff(io: Io, a: string | undefined, b: string | undefined, flags: Flags): void {
  const [before, after] = sides(a, b, flags);
  const difference = compare(before, after);
  if (flags.format === 'json') io.stdout.write(`${JSON.stringify(difference, null, 2)}\n`);
  else io.stdout.write(differenceText(difference, painterOf(io.paint), 'before'));
  if (!isSame(difference, { header: false })) io.exitCode = EXIT.mismatch;
}

function sides(a: string | undefined, b: string | undefined, flags: Flags): [Trace, Trace] {
  const { stage: stages } = flags;
  if (stages !== undefined) {
    const [first, second] = stages;
    if (first === undefined || second === undefined || stages.length !== 2 || b !== undefined) {
      throw usage('--stage twice and at most one scenario');
    }
    const of = (stage: number): Trace =>
      prepareBoot(a ?? DEFAULT_SCENARIO, {
        stage,
        ...(flags.activate === undefined ? {} : { activate: flags.activate }),
        ...(flags.set === undefined ? {} : { set: flags.set }),
      }).run();
    return [of(first), of(second)];
  }
  if (a === undefined || b === undefined) throw usage('two traces, or --stage twice');
  const files = new TraceFiles();
  return [traceOf(files, a), traceOf(files, b)];
}

const usage = (expected: string): InputError =>
  new InputError({ code: 'E_USAGE', reason: 'diff needs two traces', expected });

/** The trace of one argument: a file if one of that name exists, else a run. */
function traceOf(files: TraceFiles, side: string): Trace {
  if (existsSync(side)) return files.trace(side);
  const words = side.split(/\s+/).filter((word) => word !== '');
  // A single word that looks like a path but does not exist is a misspelt file, not a run.
  if (words.length === 1 && /[./]/.test(side)) readText(side);
  return runOf(words);
}

/** Parses the words of a run with the options of `run`. */
function runOf(words: readonly string[]): Trace {
  const command = new Command('run').argument('[SCENARIO]', '', DEFAULT_SCENARIO).exitOverride();
  addRunOptions(command)
    .configureOutput({ writeErr: () => undefined })
    .parse([...words], { from: 'user' });
  return prepareBoot(command.processedArgs[0] as string, command.opts<RunFlags>()).run();
}
