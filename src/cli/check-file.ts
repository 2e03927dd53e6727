/** Checks the files of one `sme-boot check`, and rewrites those that differ where that is asked for. */
import { effectsOf, printEffects, showsIn, type Effects } from '../analysis/effects/form.js';
import { effectsDifferences } from '../analysis/effects/text.js';
import { InputError } from '../base/errors.js';
import { commandLine } from '../base/shell-words.js';
import { wholeNumber } from '../base/whole-number.js';
import { readYaml, type PathKey, type YamlSource } from '../base/yaml-source.js';
import { baseOf, isDifference } from '../check/changes-apply.js';
import { compare, isSame } from '../check/compare.js';
import { reportDifferences } from '../check/compare-reports.js';
import { changeSummary, exactFailures } from '../check/exact-failures.js';
import type { ExactExpectation, MatchExpectation } from '../check/expectation.js';
import { match } from '../check/match.js';
import { isQuestion, questionOf } from '../check/question.js';
import { matchFailures, matchText } from '../check/match-text.js';
import { isSuppressed } from '../check/report-words.js';
import { placePrefix, type Failure, type Result } from '../check/result.js';
import { readText, writeWhole } from '../node/files.js';
import { forFile, namedIn } from '../node/relative-paths.js';
import { schemaOption } from '../node/schema-path.js';
import { basePath, changesText, fileKey, MAX_BASES, TraceFiles } from '../node/trace-files.js';
import { isSanitized, reportsOf, withReports, type Trace } from '../trace/trace.js';
import { printTrace } from '../trace/yaml-out.js';
import { isEffects, nameOf, predatesDefault, runOf, runPath, type Planned } from './check-plan.js';
import { effectsOfRuns } from './effects.js';
import type { Io } from './io.js';
import { painterOf } from './painter.js';
import { questionVerdict, type RunCommand } from './question-run.js';
import { changedFiles } from './run-files.js';
import { commandOf, type Runs } from './runs.js';

/** A whole trace as its file's text. */
export const exactText = (file: string, trace: Trace): string =>
  printTrace(trace, schemaOption(file, 'trace'));

/** Whether a file that differs as these lines say is rewritten. */
export type Takes = (name: string, lines: readonly string[]) => Promise<boolean>;

/** What a check needs of its command. */
export interface CheckOptions {
  readonly io: Io;
  readonly runs: Runs;
  /** Runs the commands of questions. */
  readonly run: RunCommand;
  /** Absent: nothing is rewritten. */
  readonly takes?: Takes;
  /** Waits until the boots of a file are done, if others do them. */
  readonly ready?: (planned: Planned) => Promise<void>;
}

/** A result with the error for which the file is invalid. */
export interface Checked extends Result {
  readonly error?: InputError;
}

type Verdict = Omit<Checked, 'name' | 'group'>;

const OK: Verdict = { status: 'ok', failures: [], lines: [] };
const OLD = 'booted without the sanitizer: version 1 has no reports (--update adds them)';
const updated = (note: string): Verdict => ({ ...OK, status: 'updated', note });

/** The files of one check and their results. */
export class Check {
  private readonly files = new TraceFiles();
  private readonly given: ReadonlyMap<string, Planned>;
  private readonly results = new Map<string, Checked>();
  /** The rewritten files. */
  readonly rewritten = new Set<string>();
  /** Files whose bases are being checked first. */
  private readonly pending = new Set<string>();

  constructor(
    planned: readonly Planned[],
    private readonly options: CheckOptions,
  ) {
    this.given = new Map(planned.map((each) => [fileKey(each.file), each]));
  }

  /** Checks a file once. An invalid file is a failed result. */
  async result(planned: Planned): Promise<Checked> {
    const key = fileKey(planned.file);
    const result = this.results.get(key) ?? (await this.checked(planned));
    this.results.set(key, result);
    return result;
  }

  private async checked(planned: Planned): Promise<Checked> {
    const { name, group } = planned;
    try {
      await this.options.ready?.(planned);
      return { name, group, ...(await this.checkFile(planned)) };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const placed = placedIn(planned, error);
      const failures = [errorFailure(placed, planned)];
      const lines = failures.flatMap((each) => each.lines);
      // A difference that does not fit its base is a mismatch.
      const status = error.code === 'E_APPLY' ? 'failed' : 'invalid';
      return {
        name,
        group,
        status,
        failures,
        lines,
        ...(status === 'invalid' && { error: placed }),
      };
    }
  }

  private async checkFile({ file, name }: Planned): Promise<Verdict> {
    const source = readYaml(name, readText(file));
    if (isEffects(source)) return this.effects(file, source);
    if (isQuestion(source)) return questionVerdict(questionOf(source), source, this.options.run);
    const known = this.files.get(file);
    if (known !== undefined) return this.exact(file, source, known);
    const rewrites = this.options.takes !== undefined;
    const base = rewrites && isDifference(source) ? basePath(file, baseOf(source)) : undefined;
    // The difference must be from the updated base.
    if (base !== undefined) await this.baseFirst(file, base);
    const expectation = this.files.read(file, source);
    return expectation.expect === 'match'
      ? this.match(source, expectation)
      : this.exact(file, source, expectation);
  }

  /** Checks, and thereby updates, a base before a file that is the difference from it. */
  private async baseFirst(file: string, base: string): Promise<void> {
    const planned = this.given.get(fileKey(base));
    // A cycle, or a chain that is too long: reading the file reports it.
    if (planned === undefined || this.pending.has(fileKey(base))) return;
    if (this.pending.size > MAX_BASES) return;
    this.pending.add(fileKey(file));
    await this.result(planned);
    this.pending.delete(fileKey(file));
  }

  private match(source: YamlSource, expectation: MatchExpectation): Verdict {
    const run = runOf(source.file, expectation, false);
    const result = match(expectation, this.options.runs.trace(run));
    if (result.ok) return OK;
    const place = source.place.bind(source);
    const text = matchText(result, { place, paint: painterOf(this.options.io.paint) });
    // As for run --suppress.
    const [unused] = result.suppress?.unused ?? [];
    return {
      status: unused === undefined ? 'failed' : 'invalid',
      failures: matchFailures(result, { place }),
      lines: text.trimEnd().split('\n'),
      rerun: commandOf(run),
      ...(unused !== undefined && { error: unused }),
    };
  }

  private async exact(
    file: string,
    source: YamlSource,
    expectation: ExactExpectation,
  ): Promise<Verdict> {
    const name = nameOf(file);
    const run = runOf(name, expectation, this.options.takes !== undefined);
    const { base, misfits, trace: expected } = expectation;
    const found = judgedAs(forFile(this.options.runs.trace(run), file, expected), expected);
    const difference = compare(expected, found);
    if (isSame(difference) && misfits.length === 0) {
      return predatesDefault(expected) ? { ...OK, note: OLD } : OK;
    }
    const changed = changedFiles(expected.header, found.header, name).map(({ key, text }) =>
      failureAt(source.place([...runPath(source), ...key]), text),
    );
    const failures = [
      ...misfits.map((error): Failure => errorFailure(error, { name })),
      ...changed,
      ...exactFailures(difference, { expected, found }, source),
    ];
    const paint = painterOf(this.options.io.paint);
    const lines = [
      ...misfits.map(({ message }) => message),
      ...changed.flatMap((each) => each.lines),
      ...exactFailures(difference, { expected, found }, source, paint).flatMap(
        (each) => each.lines,
      ),
    ];
    if (await this.takes(name, lines)) {
      writeWhole(file, this.textOf(file, found, base));
      this.files.set(file, found, base);
      this.rewritten.add(file);
      return updated(
        [
          ...(misfits.length === 0 ? [] : [`${String(misfits.length)} edits that do not apply`]),
          ...(isSame(difference) ? [] : [changeSummary(difference)]),
        ].join(', '),
      );
    }
    return { status: 'failed', failures, lines, rerun: `${commandOf(run)} --output -` };
  }

  private async takes(name: string, lines: readonly string[]): Promise<boolean> {
    const { takes } = this.options;
    return takes !== undefined && (await takes(name, lines));
  }

  /** The text of a file in its present format: whole, or as the difference from its base. */
  private textOf(file: string, found: Trace, base: string | undefined): string {
    if (base === undefined) return exactText(file, found);
    return changesText(file, base, this.files.baseOf(file, base), found);
  }

  private async effects(file: string, source: YamlSource): Promise<Verdict> {
    const expected = effectsOf(source);
    const { patch, scenario, reason } = expected;
    const boots = { patch, scenario: namedIn(file, scenario) };
    const found = { ...effectsOfRuns(this.options.runs, boots, { reason }), scenario };
    const lines = effectsDifferences(expected, found);
    if (lines.length === 0) return OK;
    const [first = ''] = lines;
    if (await this.takes(source.file, lines)) {
      checkReason(source.file, found);
      writeWhole(file, printEffects(found, schemaOption(file, 'effects')));
      const count = `${String(lines.length)} ${lines.length === 1 ? 'value' : 'values'}`;
      return updated(`${count}; first ${first}`);
    }
    const failures = lines.map((line): Failure => {
      const place = source.place(['views', ...(/^[\w.-]+/.exec(line)?.[0] ?? '').split('.')]);
      return failureAt(place, line);
    });
    return {
      status: 'failed',
      failures,
      lines: failures.flatMap((each) => each.lines),
      rerun: commandLine(['sme-boot', 'effects', boots.scenario, String(patch)]),
    };
  }
}

/** The trace with the reasons for which equal reports of an expected one are suppressed. */
function judgedAs(trace: Trace, expected: Trace): Trace {
  const judged = reportsOf(expected).filter(isSuppressed);
  if (judged.length === 0 || !isSanitized(trace)) return trace;
  const reports = reportsOf(trace).map((report) => {
    const suppressed = judged.find((each) => reportDifferences([each], [report]).length === 0);
    return suppressed === undefined ? report : { ...report, suppressed: suppressed.suppressed };
  });
  return withReports(trace, reports);
}

/** A failure of one line. */
const failureAt = (place: Failure['place'], line: string): Failure => ({
  place,
  headline: line,
  lines: [`${placePrefix(place)}${line}`],
});

/** An error of a file as a failure. */
function errorFailure(error: InputError, { name }: Pick<Planned, 'name'>): Failure {
  return {
    place: { file: name, ...error.place },
    headline: error.elsewhere({}).message,
    lines: [error.message],
  };
}

/** A path of keys in the run of a match file: `run.scenario`, `run.hunks.0`. */
const RUN_PATH = /^run(?:\.[\w-]+)+$/;

/**
 * An error of a file with its line there. Without a place in a file it is about what the file boots. One that has its line,
 * or is about another file, is returned as it is.
 */
function placedIn({ file, name }: Planned, error: InputError): InputError {
  const { file: of, path = '', line } = error.place;
  if (of === undefined) return error.elsewhere(placeOf(file, name, runPath));
  if (of !== name || line !== undefined || !RUN_PATH.test(path)) return error;
  const keys = path.split('.').map((key) => wholeNumber(key) ?? key);
  return error.elsewhere({ ...error.place, ...placeOf(file, name, () => keys) });
}

/** The place of a value in a file; the file alone if it cannot be parsed. */
function placeOf(
  file: string,
  name: string,
  path: (source: YamlSource) => PathKey[],
): Failure['place'] {
  try {
    const source = readYaml(name, readText(file));
    return source.place(path(source));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { file: name };
  }
}

/** Throws E_EFFECTS for effects that show in no view and state no reason: the reason must be written by hand. */
export function checkReason(file: string, { views, reason, patch, scenario }: Effects): void {
  if (reason !== undefined || showsIn(views).length > 0) return;
  throw new InputError({
    code: 'E_EFFECTS',
    place: { file, path: 'reason' },
    reason:
      `patch ${String(patch)} shows in no view on ${scenario}: write the file by hand with expect, patch, scenario, ` +
      'views: {} and the reason, then update again',
  });
}
