/** `sme-boot bisect`: which patch of a series first gives an outcome. */
import { Command, Option } from 'commander';
import { bisect, type Bisected, type Tested, type Verdict } from '../analysis/bisect/bisect.js';
import { predicateOf, type Predicate } from '../analysis/bisect/predicate.js';
import { Boot } from '../sequencer/boot.js';
import type { Series } from '../series/composition-file.js';
import { InputError } from '../base/errors.js';
import type { Trace } from '../trace/trace.js';
import type { Io } from './io.js';
import { patchRecords } from './records.js';
import { bootOptions, DEFAULT_SCENARIO, repeated, stageNumber } from './run-options.js';
import { loadSeries } from './series.js';

interface Flags {
  expect?: string[];
  scenario: string;
  stage?: number;
  activate?: boolean;
  cmdline?: string;
  set?: string[];
  format: 'text' | 'json';
}

/** Exit statuses of `git bisect run`. */
const EXIT = { good: 0, bad: 1, skip: 125 } as const satisfies Record<Verdict, number>;
/** What a stage that cannot be built is refused with. */
const UNBUILT: ReadonlySet<string> = new Set(['E_MISSING_NEED', 'E_LEFT_OUT']);

const HELP = `
EXPR is one of
  outcome=KIND     the boot ends so: booted, panic, triple-fault, hung
  garbage=NAME     some reader of a thing did not get it as it was put: "initrd", "nic to device"
  intact=NAME      it was read, and every reader got it
  event={…}        an event has these fields, as in a match file: 'event={cr: CR3, C: 0}'
With several --expect all must hold.

Stages 0 (the base kernel) to the series' own are searched for the first one that has it, on the assumption that
those after it have it too. A stage that lacks a need is skipped and its neighbours are tried, as git bisect does.

With --stage N that stage alone is tested, for git bisect run:
  git bisect run sme-boot bisect rfc-v1 --expect garbage=initrd --stage 12

Examples:
  sme-boot bisect rfc-v1 --expect 'garbage=nic to device'
  sme-boot bisect fixed --scenario kexec --expect outcome=booted --expect 'event={console: Starting new kernel}'
  sme-boot bisect rfc-v1 --scenario bios-minimal --activate --expect 'intact=boot params'

Exit status: 0 found, 1 the whole series does not give it, 2 bad usage or input, 125 undecidable because of skips.
With --stage: 0 the stage does not give it (good), 1 it does (bad), 125 it lacks a need.`;

export function bisectCommand(io: Io): Command {
  return new Command('bisect')
    .description('find the patch of a series that first gives an outcome')
    .argument('<SERIES>', 'a composition by name (sme-boot list series), or a file')
    .option('--expect <EXPR>', 'what to look for (see below); may be given again', repeated)
    .option('--scenario <SCENARIO>', 'a scenario by name, or a file', DEFAULT_SCENARIO)
    .option('--stage <N>', 'test this stage only, as git bisect run wants it', stageNumber)
    .option('--activate', 'put patch 18, which turns encryption on, on top of every stage')
    .option('--cmdline <TEXT>', "the kernel's command line")
    .option('--set <PATH=VALUE>', 'change one value of the scenario', repeated)
    .addOption(new Option('--format <FORMAT>').choices(['text', 'json']).default('text'))
    .addHelpText('after', HELP)
    .action((name: string, flags: Flags) => {
      search(io, name, flags);
    });
}

/** A tested stage with what was seen there. */
interface Seen extends Tested {
  /** How the boot ended, or what the stage lacks. */
  readonly saw: string;
}

function search(io: Io, name: string, flags: Flags): void {
  const wanted = (flags.expect ?? []).map(predicateOf);
  if (wanted.length === 0) {
    throw new InputError({ code: 'E_USAGE', reason: 'bisect needs --expect' });
  }
  const series = loadSeries(name);
  const seen: Seen[] = [];
  const text = flags.format === 'text';
  const test = (stage: number): Verdict => {
    const one = testStage(name, stage, wanted, flags);
    seen.push(one);
    if (text) io.stdout.write(stageLine(one, io));
    return one.verdict;
  };
  if (flags.stage !== undefined) {
    checkStage(series, flags.stage);
    const verdict = test(flags.stage);
    if (!text) printJson(io, series, flags, { tested: seen });
    io.exitCode = EXIT[verdict];
    return;
  }
  const result = bisect(series.stage, test);
  if (text) io.stdout.write(answer(result, series, io));
  else printJson(io, series, flags, { tested: seen, ...answerData(result) });
  io.exitCode = { first: 0, never: 1, range: EXIT.skip }[result.found];
}

function checkStage(series: Series, stage: number): void {
  if (stage <= series.stage) return;
  throw new InputError({
    code: 'E_STAGE',
    reason: `${series.name} has no such stage`,
    expected: `0 to ${String(series.stage)}`,
    found: String(stage),
  });
}

/** Boots a stage of the series and looks. What cannot be built is skipped; all else that is wrong is thrown. */
function testStage(
  series: string,
  stage: number,
  wanted: readonly Predicate[],
  flags: Flags,
): Seen {
  const { scenario, activate, cmdline, set } = flags;
  const options = bootOptions(scenario, {
    series,
    stage,
    ...(activate === undefined ? {} : { activate }),
    ...(cmdline === undefined ? {} : { cmdline }),
    ...(set === undefined ? {} : { set }),
  });
  let trace: Trace;
  try {
    trace = new Boot(options).run();
  } catch (error) {
    if (!(error instanceof InputError) || !UNBUILT.has(error.code)) throw error;
    return { stage, verdict: 'skip', saw: error.message };
  }
  const verdict = wanted.every((one) => one.holds(trace)) ? 'bad' : 'good';
  const { kind, where } = trace.outcome;
  const saw = where === undefined || kind === 'booted' ? kind : `${kind} in ${where}`;
  return { stage, verdict, saw };
}

function stageLine({ stage, verdict, saw }: Seen, io: Io): string {
  const { paint } = io;
  const color = { good: paint.green, bad: paint.red, skip: paint.yellow }[verdict];
  return `stage ${String(stage).padStart(2)}  ${color(verdict.padEnd(4))}  ${saw}\n`;
}

const subjectOf = (patch: number): string =>
  patchRecords().find(({ number }) => number === patch)?.subject ?? 'the base kernel';

/** The answer as a person reads it. */
function answer(result: Bisected, series: Series, io: Io): string {
  const name = (patch: number): string =>
    patch === 0 ? 'the base kernel' : `patch ${String(patch).padStart(2, '0')}`;
  switch (result.found) {
    case 'never':
      return `${series.name}: the whole series does not give it\n`;
    case 'first': {
      const { stage } = result;
      if (stage === 0) return `${name(0)} gives it already\n`;
      const put = (series.with ?? []).filter((id) => Number(id.slice(0, 2)) === stage);
      const lines = [
        io.paint.bold(`${name(stage)} is the first to give it`),
        `    ${subjectOf(stage)}`,
        ...(put.length === 0 ? [] : [`    with ${put.join(', ')}`]),
      ];
      return `${lines.join('\n')}\n`;
    }
    case 'range': {
      const { from, to } = result;
      const all = Array.from({ length: to - from + 1 }, (_, i) => from + i);
      const lines = all.map((patch) => `    ${name(patch)}: ${subjectOf(patch)}`);
      return `only skipped stages are left; the first to give it, if any does, is one of\n${lines.join('\n')}\n`;
    }
  }
}

/** The answer as data. */
function answerData(result: Bisected): Record<string, unknown> {
  const { found } = result;
  if (found === 'never') return { found };
  if (found === 'range') return { found, from: result.from, to: result.to };
  return { found, patch: result.stage, subject: subjectOf(result.stage) };
}

function printJson(io: Io, series: Series, flags: Flags, data: Record<string, unknown>): void {
  const { scenario, expect } = flags;
  const whole = { series: series.name, scenario, expect, ...data };
  io.stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
}
