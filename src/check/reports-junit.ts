/** The reports of a run as JUnit's XML: a case for each rule, one for the outcome and one for each expression. */
import {
  bodyLines,
  headText,
  isSuppressed,
  type ReportedRun,
  type ReportPlaces,
} from './report-words.js';
import { junit } from './report-junit.js';
import type { Failure, Result } from './result.js';

const NO_FAILURES = { failures: [], lines: [] } as const;

/** The case of one rule: it fails with a report, and is skipped if it was not checked or all its reports are suppressed. */
function ruleCase(rule: string, run: ReportedRun, places: ReportPlaces): Result {
  const all = run.reports.filter((each) => each.rule === rule);
  const shown = all.filter((each) => !isSuppressed(each));
  const base = { name: rule, group: [run.title, 'rules'] };
  if (shown.length > 0) {
    const failures = shown.map((each): Failure => {
      const place = places.recordLine(each);
      return { place, headline: headText(each), lines: [headText(each), ...bodyLines(each)] };
    });
    const lines = failures.flatMap((each) => each.lines);
    return { ...base, status: 'failed', failures, lines, rerun: run.rerun };
  }
  if (all.length > 0) {
    const reasons = [...new Set(all.map(({ suppressed = '' }) => suppressed))].join('; ');
    return { ...base, ...NO_FAILURES, status: 'skipped', note: `suppressed: ${reasons}` };
  }
  if (run.unchecked !== undefined) {
    return { ...base, ...NO_FAILURES, status: 'skipped', note: run.unchecked };
  }
  return { ...base, ...NO_FAILURES, status: 'ok' };
}

/** A case that fails with these lines. */
function plainCase(name: string, title: string, lines: readonly string[], rerun: string): Result {
  const base = { name, group: [title] };
  const [headline] = lines;
  if (headline === undefined) return { ...base, ...NO_FAILURES, status: 'ok' };
  const failures = [{ place: {}, headline, lines }];
  return { ...base, status: 'failed', failures, lines, rerun };
}

/** The text of the file. A report of a rule that is not in the table has a case too. */
export function reportsJunit(run: ReportedRun, places: ReportPlaces): string {
  const ids = new Set([...run.rules.map(({ id }) => id), ...run.reports.map(({ rule }) => rule)]);
  return junit([
    ...[...ids].map((rule) => ruleCase(rule, run, places)),
    plainCase('outcome', run.title, run.unexpected, run.rerun),
    ...run.expressions.map(({ text, seen, holds }) =>
      plainCase(`--expect ${text}`, run.title, holds ? [] : [`does not hold: ${seen}`], run.rerun),
    ),
  ]);
}
