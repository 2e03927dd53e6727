/** `run`: the options about reports of the sanitizer, and the formats that are about them. */
import { appendFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import type { Predicate } from '../analysis/bisect/predicate.js';
import { InputError } from '../base/errors.js';
import { suggest } from '../base/suggest.js';
import { VERSION } from '../base/version.js';
import { isSuppressed, type ReportedRun, type ReportPlaces } from '../check/report-words.js';
import { reportsGithub, reportsSummary } from '../check/reports-github.js';
import { reportsJunit } from '../check/reports-junit.js';
import { reportsSarif } from '../check/reports-sarif.js';
import { readSuppressions, suppress, type Suppressions } from '../check/suppressions.js';
import { fileError } from '../node/file-errors.js';
import { readText } from '../node/files.js';
import { RULE_IDS, RULES } from '../sanitizer/rules.js';
import type { SanitizerReport } from '../trace/report.js';
import { isSanitized, reportsOf, titleOf, withReports, type Trace } from '../trace/trace.js';
import type { Io } from './io.js';
import { writeResult } from './output.js';
import { reportPlaces } from './report-places.js';
import { scenarioNames } from './run-options.js';

/** The formats that are about the reports. */
export const REPORT_FORMS = ['junit', 'sarif', 'github'] as const;
export type ReportForm = (typeof REPORT_FORMS)[number];

export interface ReportFlags {
  suppress?: string;
  tree?: string;
  /** Rules between commas; true: any. */
  failOnReport?: string | true;
}

/** Adds the options to a command. */
export function addReportOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--fail-on-report [RULE,...]',
        'exit with 1 if the sanitizer made a report (of one of these rules) that is not suppressed',
      ),
    )
    .option('--suppress <FILE>', 'reports to suppress, each with its reason (docs/sanitizer.md)')
    .option('--tree <DIR>', 'with --format sarif: also the lines in this kernel source tree');
}

/** The options, checked before the boot. */
export interface ReportOptions {
  readonly suppressions: Suppressions | undefined;
  /** The rules whose reports fail the run; undefined: none do. */
  readonly failing: readonly string[] | undefined;
}

/** The options that need reports, as they were given. */
export function usesOfReports(
  flags: ReportFlags & { readonly expect?: readonly string[] },
  form: string,
): string[] {
  return [
    ...(flags.failOnReport === undefined ? [] : ['--fail-on-report']),
    ...(flags.suppress === undefined ? [] : ['--suppress']),
    ...(REPORT_FORMS.some((each) => each === form) ? [`--format ${form}`] : []),
    ...expectedReports(flags.expect),
  ];
}

/** The predicates of --expect that are about reports, as they were given. */
export function expectedReports(expect: readonly string[] = []): string[] {
  return expect.filter((text) => text.startsWith('report=')).map((text) => `--expect ${text}`);
}

/** Checks the options. Throws E_USAGE, and the errors of a file of suppressions. */
export function reportOptions(flags: ReportFlags, form: string): ReportOptions {
  const { suppress: file, tree, failOnReport } = flags;
  if (tree !== undefined && form !== 'sarif') {
    throw new InputError({
      code: 'E_USAGE',
      reason: '--tree has no effect without --format sarif',
      found: `--format ${form}`,
    });
  }
  const suppressions =
    file === undefined ? undefined : readSuppressions(file, readText(file), RULE_IDS);
  return { suppressions, failing: failingOf(failOnReport) };
}

function failingOf(given: string | true | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined;
  if (given === true) return RULE_IDS;
  const rules = given.split(',').filter((rule) => rule !== '');
  const known: readonly string[] = RULE_IDS;
  const unknown = rules.find((rule) => !known.includes(rule));
  if (unknown === undefined && rules.length > 0) return rules;
  const swallowed = scenarioNames().includes(given) || /\.ya?ml$/.test(given);
  throw new InputError({
    code: 'E_USAGE',
    place: { path: '--fail-on-report' },
    expected: swallowed
      ? 'the scenario before this option'
      : 'rules that "sme-boot list rules" prints, between commas',
    found: unknown ?? JSON.stringify(given),
    ...(!swallowed && suggest(unknown ?? '', RULE_IDS)),
  });
}

/** Reports with the suppressed ones marked. */
export interface Judged {
  /** Undefined: the sanitizer was off. */
  readonly reports: readonly SanitizerReport[] | undefined;
  /** The unused entries of the suppressions. */
  readonly unused: readonly InputError[];
  /** Whether a report fails the run. */
  readonly fails: boolean;
}

export function judgedReports(
  all: readonly SanitizerReport[] | undefined,
  { suppressions, failing }: ReportOptions,
): Judged {
  if (all === undefined) return { reports: all, unused: [], fails: false };
  const { reports, unused } =
    suppressions === undefined ? { reports: all, unused: [] } : suppress(all, suppressions);
  const fails = reports.some((each) => !isSuppressed(each) && isFailing(each, failing));
  return { reports, unused, fails };
}

/** The trace with its suppressed reports marked, the unused entries, and whether a report fails the run. */
export function judged(
  trace: Trace,
  options: ReportOptions,
): { readonly trace: Trace; readonly unused: readonly InputError[]; readonly fails: boolean } {
  const { reports, ...rest } = judgedReports(trace.reports, options);
  return { trace: reports === undefined ? trace : withReports(trace, reports), ...rest };
}

/** A rule that is in no table fails the run too, where no rules are named. */
const isFailing = ({ rule }: SanitizerReport, failing: readonly string[] | undefined): boolean =>
  failing !== undefined && (failing === RULE_IDS || failing.includes(rule));

/** What the formats say of a run. */
export function reportedRun(
  trace: Trace,
  run: {
    readonly rerun: string;
    readonly unexpected: readonly string[];
    readonly predicates: readonly Predicate[];
  },
): ReportedRun {
  return {
    title: titleOf(trace.header),
    rules: RULES,
    reports: reportsOf(trace),
    unchecked: isSanitized(trace) ? undefined : 'not checked: the sanitizer was off',
    unexpected: run.unexpected,
    expressions: run.predicates.map((each) => ({
      text: each.text,
      seen: each.seen(trace),
      holds: each.holds(trace),
    })),
    rerun: run.rerun,
  };
}

export const isReportForm = (form: string): form is ReportForm =>
  REPORT_FORMS.some((each) => each === form);

/** The places of the reports of a format that needs them; before the boot: a folder that is no tree is an error at once. */
export const placesFor = async (
  form: string,
  scenario: string,
  { tree }: ReportFlags,
): Promise<ReportPlaces | undefined> =>
  isReportForm(form) ? await reportPlaces(tree, scenarioFile(scenario)) : undefined;

/** The file of a scenario, as a reader of the project finds it. */
const scenarioFile = (scenario: string): string =>
  scenarioNames().includes(scenario) ? `scenarios/${scenario}.yaml` : scenario;

/** Throws E_SUPPRESSION_UNUSED for the first unused entry; the others are printed before it. */
export function refuseUnusedEntries(io: Io, unused: readonly InputError[]): void {
  const [first, ...others] = unused;
  if (first === undefined) return;
  for (const each of others) io.stderr.write(`sme-boot: ${each.message}\n`);
  throw first;
}

/** Writes a run in a format. Throws E_WRITE. */
export function writeReports(
  io: Io,
  output: string | undefined,
  form: ReportForm,
  run: ReportedRun,
  places: ReportPlaces,
): void {
  writeResult(io, output, reportsText(form, run, places));
  if (form === 'github') appendSummary(io, run);
}

/** The text of a run in a format. */
function reportsText(form: ReportForm, run: ReportedRun, places: ReportPlaces): string {
  switch (form) {
    case 'junit':
      return reportsJunit(run, places);
    case 'sarif':
      return reportsSarif(run, { version: VERSION, places });
    case 'github':
      return reportsGithub(run, places);
  }
}

/** Appends the summary to the file that a workflow of GitHub names in the environment. Throws E_WRITE. */
function appendSummary(io: Io, run: ReportedRun): void {
  const file = io.env.GITHUB_STEP_SUMMARY ?? '';
  if (file === '') return;
  try {
    appendFileSync(file, `${reportsSummary(run)}\n`);
  } catch (error) {
    throw fileError('E_WRITE', file, error);
  }
}
