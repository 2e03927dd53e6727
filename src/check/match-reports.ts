/** Evaluates the directives of a match file about reports. */
import { flatReport, type SanitizerReport } from '../trace/report.js';
import type { Directive } from './directive.js';
import type { Nearest, Placed, Verdict } from './match.js';
import { matchRecord, mismatches, type Captures, type Pattern } from './pattern.js';

/** The number of times that a report was made. */
const timesOf = ({ n }: SanitizerReport): number => n ?? 1;

const placed = (report: SanitizerReport): Placed => ({
  step: report.step,
  event: flatReport(report),
  report,
});

/** The report with the fewest mismatches; undefined if there are none. */
function nearest(
  pattern: Pattern,
  reports: readonly SanitizerReport[],
  captures: Captures,
): Nearest | undefined {
  const all = reports.map((report): Nearest => {
    const at = placed(report);
    return { ...at, differs: mismatches(pattern, at.event, captures) };
  });
  return all.reduce<Nearest | undefined>(
    (best, each) => (best === undefined || each.differs.length < best.differs.length ? each : best),
    undefined,
  );
}

/** A directive about reports: its verdict, and the captures with those that it binds. */
export function matchReports(
  directive: Directive,
  all: readonly SanitizerReport[],
  captures: Captures,
): { readonly verdict: Verdict; readonly captures: Captures } {
  const { kind, patterns, step, times } = directive;
  const [pattern = {}] = patterns;
  const reports = step === undefined ? all : all.filter((each) => each.step === step);
  const matching = reports.filter(
    (each) => matchRecord(pattern, flatReport(each), captures) !== undefined,
  );
  const [first] = matching;
  const near = first === undefined ? nearest(pattern, reports, captures) : undefined;
  const of = (verdict: Verdict): { verdict: Verdict; captures: Captures } => ({
    verdict,
    captures,
  });
  if (kind === 'not') {
    if (first === undefined) return of({ status: 'absent' });
    return of({ status: 'forbidden', at: placed(first) });
  }
  if (kind === 'count') {
    const number = matching.reduce((sum, each) => sum + timesOf(each), 0);
    const { min, max } = times ?? { min: 1, max: Number.MAX_SAFE_INTEGER };
    if (number >= min && number <= max) return of({ status: 'counted', times: number });
    const last = matching.at(-1);
    return of({
      status: 'wrong-count',
      times: number,
      ...(first !== undefined && { first: placed(first) }),
      ...(last !== undefined && last !== first && { last: placed(last) }),
      ...(near !== undefined && { nearest: near }),
    });
  }
  if (first === undefined) {
    const reported = reports.length;
    return of({
      status: 'not-reported',
      pattern,
      captures,
      reported,
      ...(near !== undefined && { nearest: near }),
    });
  }
  return {
    verdict: { status: 'found', at: [placed(first)] },
    captures: matchRecord(pattern, flatReport(first), captures) ?? captures,
  };
}
