/** `sme-boot bisect`: the first patch of a series with which a predicate holds. */
import type { ChalkInstance } from 'chalk';
import { Command, Option } from 'commander';
import { bisect, type Bisected, type Tested, type Verdict } from '../analysis/bisect/bisect.js';
import { predicateOf, type Predicate } from '../analysis/bisect/predicate.js';
import { Boot } from '../sequencer/boot.js';
import { ownUpTo } from '../series/compose.js';
import { dataNames } from '../sequencer/data-names.js';
import type { Series } from '../series/series-file.js';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import { printable } from '../base/printable.js';
import type { Trace } from '../trace/trace.js';
import { EXIT, exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { addOutput, formOf, openResult, type OutputFlags, type Result } from './output.js';
import { Progress } from './progress.js';
import { patchRecords } from './records.js';
import {
  bootOptions,
  DEFAULT_SCENARIO,
  hunksOption,
  repeated,
  stageNumber,
  type RunFlags,
} from './run-options.js';
import { scenarioOf } from './scenario-argument.js';
import { RULE_IDS } from '../sanitizer/rules.js';
import { expectedReports } from './run-reports.js';
import { addSanitizeOption, refuseUnwatched, type SanitizeFlags } from './sanitize-option.js';
import { loadSeries } from './series.js';

interface Flags extends SanitizeFlags, OutputFlags<Form> {
  expect?: string[];
  /** The former way to name the scenario. */
  scenario?: string;
  stage?: number;
  activate?: boolean;
  cmdline?: string;
  hunks?: string[];
  set?: string[];
}

const FORMS = ['text', 'json'] as const;
type Form = (typeof FORMS)[number];

/** Exit statuses of `git bisect run`. */
const VERDICT_EXIT = {
  good: EXIT.ok,
  bad: EXIT.mismatch,
  skip: EXIT.undecided,
} as const satisfies Record<Verdict, number>;
/** Error codes of a stage that cannot be linked: it is skipped. */
const UNBUILT: ReadonlySet<string> = new Set(['E_MISSING_NEED', 'E_LEFT_OUT']);

const HELP = `
EXPR is one of
  outcome=KIND     the boot ends with this outcome: booted, panic, triple-fault, hung
  garbage=NAME     at least one reader of this data got other bytes than were written: "initrd", "nic to device"
  intact=NAME      this data was read, and every reader got the bytes that were written
  report=RULE      the sanitizer made a report of this rule (sme-boot list rules)
  event={…}        an event has these fields, as in a match file: 'event={cr: CR3, C: 0}'
  console=TEXT     a line of the console is this text, or has a match: console=/REGEX/
With more than one --expect all must hold.

Searches stage 0 (the base kernel) to the last stage of the series for the first one where EXPR holds, and assumes that
it holds in all later stages. A stage that does not link (a name that it needs is missing) is skipped and adjacent
stages are tested, as git bisect does.

An own hunk (--hunks) is applied from the stage of its patch, or of the hunk that it replaces, on; one whose number is
above the series' last is applied at every stage.

With --stage N, tests that stage only, for git bisect run:
  git bisect run sme-boot bisect rfc-v1 --expect garbage=initrd --stage 12

Examples:
  sme-boot bisect rfc-v1 --expect 'garbage=nic to device'
  sme-boot bisect fixed kexec --expect outcome=booted \\
      --expect 'event={console: Starting new kernel}'
  sme-boot bisect rfc-v1 bios-minimal --activate --expect 'intact=boot params'
${exitHelp({
  ok: 'found; with --stage: EXPR does not hold (good)',
  mismatch: 'EXPR does not hold with the whole series; with --stage: it holds (bad)',
  undecided: 'undecided because of skipped stages; with --stage: the stage does not link',
})}`;

export function bisectCommand(io: Io): Command {
  const command = new Command('bisect')
    .description('find the first patch of a series that causes an outcome')
    .argument('<SERIES>', 'name of a series (sme-boot list series), or a file')
    .argument('[SCENARIO]', `name of a scenario, or a file (default: ${DEFAULT_SCENARIO})`)
    .option('--expect <EXPR>', 'the outcome to search for (see below); can be repeated', repeated)
    .addOption(new Option('--scenario <SCENARIO>').hideHelp())
    .option('--stage <N>', 'test this stage only, for git bisect run', stageNumber)
    .option('--activate', 'apply patch 18, which turns encryption on, on top of every stage')
    .addOption(hunksOption())
    .option('--cmdline <TEXT>', 'set the kernel command line')
    .option('--set <PATH=VALUE>', 'change one value of the scenario; can be repeated', repeated)
    .addHelpText('after', HELP)
    .action((name: string, scenario: string | undefined, flags: Flags) => {
      search(io, name, { ...flags, scenario: scenarioOf(scenario, flags.scenario) });
    });
  return addOutput(addSanitizeOption(command), { formats: FORMS });
}

/** The flags of a search, with its scenario. */
type Search = Flags & { readonly scenario: string };

/** A tested stage with its result. */
interface Seen extends Tested {
  /** The boot's outcome, or the error of a stage that does not link. */
  readonly saw: string;
}

function search(io: Io, name: string, flags: Search): void {
  if (flags.expect === undefined) {
    throw new InputError({ code: 'E_USAGE', reason: 'bisect needs --expect' });
  }
  refuseUnwatched(flags, expectedReports(flags.expect));
  const series = loadSeries(name);
  const { scenario } = bootOptions(flags.scenario, bootFlags(name, series.stage, flags));
  const names = dataNames(scenario);
  const predicates = flags.expect.map((text) =>
    predicateOf(text, { data: names, rules: RULE_IDS }),
  );
  const seen: Seen[] = [];
  const text = formOf(flags, FORMS) === 'text';
  const out = openResult(io, flags.output);
  const progress = new Progress(io);
  const test = (stage: number): Verdict => {
    progress.show(`stage ${String(stage)}`);
    const tested = testStage(name, stage, predicates, { ...flags, onStep: progress.step });
    progress.clear();
    seen.push(tested);
    if (text) out.print(stageLine(tested, out.paint));
    return tested.verdict;
  };
  if (flags.stage !== undefined) {
    checkStage(series, flags.stage);
    const verdict = test(flags.stage);
    if (!text) printJson(out, series, flags, { tested: seen });
    io.exitCode = VERDICT_EXIT[verdict];
    out.end();
    return;
  }
  const result = bisect(series.stage, test);
  io.exitCode = { first: EXIT.ok, never: EXIT.mismatch, range: EXIT.undecided }[result.found];
  if (text) out.print(answer(result, series, out.paint));
  else printJson(out, series, flags, { tested: seen, ...answerData(result) });
  out.end();
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

/** The flags of the boot of a stage. */
function bootFlags(series: string, stage: number, flags: Flags): RunFlags {
  const { activate, cmdline, set, hunks, sanitize } = flags;
  return { series, stage, ...optional({ activate, cmdline, set, hunks, sanitize }) };
}

/**
 * Boots a stage of the series and evaluates the predicates. A stage that does not link is skipped; other errors are
 * thrown.
 */
function testStage(
  series: string,
  stage: number,
  predicates: readonly Predicate[],
  { scenario, onStep, ...flags }: Search & { onStep: (label: string) => void },
): Seen {
  const given = bootOptions(scenario, bootFlags(series, stage, flags), onStep);
  const options = { ...given, extra: ownUpTo(given, stage) };
  let trace: Trace;
  try {
    trace = new Boot(options).run();
  } catch (error) {
    if (!(error instanceof InputError) || !UNBUILT.has(error.code)) throw error;
    return { stage, verdict: 'skip', saw: error.message };
  }
  const verdict = predicates.every((predicate) => predicate.holds(trace)) ? 'bad' : 'good';
  const { kind, where } = trace.outcome;
  const saw = where === undefined || kind === 'booted' ? kind : `${kind} in ${where}`;
  return { stage, verdict, saw };
}

function stageLine({ stage, verdict, saw }: Seen, paint: ChalkInstance): string {
  const color = { good: paint.green, bad: paint.red, skip: paint.yellow }[verdict];
  return `stage ${String(stage).padStart(2)}  ${color(verdict.padEnd(4))}  ${printable(saw)}\n`;
}

const subjectOf = (patch: number): string =>
  patchRecords().find(({ number }) => number === patch)?.subject ?? 'the base kernel';

/** The result as text. */
function answer(result: Bisected, series: Series, paint: ChalkInstance): string {
  const name = (patch: number): string =>
    patch === 0 ? 'the base kernel' : `patch ${String(patch).padStart(2, '0')}`;
  switch (result.found) {
    case 'never':
      return `${printable(series.name)}: does not hold with the whole series\n`;
    case 'first': {
      const { stage } = result;
      if (stage === 0) return `holds with ${name(0)} already\n`;
      const alternatives = (series.with ?? []).filter((id) => Number(id.slice(0, 2)) === stage);
      const lines = [
        paint.bold(`${name(stage)} is the first with which it holds`),
        `    ${subjectOf(stage)}`,
        ...(alternatives.length === 0 ? [] : [`    with ${alternatives.join(', ')}`]),
      ];
      return `${lines.join('\n')}\n`;
    }
    case 'range': {
      const { from, to } = result;
      const all = Array.from({ length: to - from + 1 }, (_, i) => from + i);
      const lines = all.map((patch) => `    ${name(patch)}: ${subjectOf(patch)}`);
      return `only skipped stages are left; the first with which it holds, if any, is one of\n${lines.join('\n')}\n`;
    }
  }
}

/** The result as data. */
function answerData(result: Bisected): Record<string, unknown> {
  const { found } = result;
  if (found === 'never') return { found };
  if (found === 'range') return { found, from: result.from, to: result.to };
  return { found, patch: result.stage, subject: subjectOf(result.stage) };
}

function printJson(
  out: Result,
  series: Series,
  flags: Search,
  data: Record<string, unknown>,
): void {
  const { scenario, expect } = flags;
  const whole = { series: series.name, scenario, expect, ...data };
  out.write(`${JSON.stringify(whole, null, 2)}\n`);
}
