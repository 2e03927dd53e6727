/** The reports of a run as SARIF 2.1.0. */
import { oneLine } from '../base/printable.js';
import { sarifLocation, sarifText, TREE_BASE, TREE_BASES } from '../base/sarif.js';
import type { RuleInfo, SanitizerReport } from '../trace/report.js';
import {
  bodyLines,
  headText,
  type Code,
  type ReportedRun,
  type ReportPlaces,
} from './report-words.js';

/** The page that describes the rules, with an anchor for each. */
const PAGE = 'docs/sanitizer.md';

const rule = ({ id, title, what }: RuleInfo): Record<string, unknown> => ({
  id,
  shortDescription: { text: title },
  fullDescription: { text: what },
  // helpUri has to be absolute (SARIF 2.1.0, 3.49.12).
  help: { text: `${PAGE}#${id}` },
});

/** The lines of the kernel that a report is about: that of its access, then that of the earlier event. */
function kernelLines(report: SanitizerReport, places: ReportPlaces): unknown[] {
  const codes: readonly (readonly [Code, string])[] = [
    [report, report.what],
    ...(report.earlier === undefined ? [] : [[report.earlier, report.earlier.what] as const]),
  ];
  return codes.flatMap(([code, what], index) => {
    const line = places.kernelLine(code);
    if (line === undefined) return [];
    const message = { text: oneLine(`${code.in}: ${what}`) };
    return [{ id: index + 1, message, ...sarifLocation(line, TREE_BASE) }];
  });
}

function result(
  report: SanitizerReport,
  run: ReportedRun,
  places: ReportPlaces,
): Record<string, unknown> {
  const { n, step, at, va, outcome, suppressed } = report;
  const index = run.rules.findIndex(({ id }) => id === report.rule);
  const related = kernelLines(report, places);
  return {
    ruleId: report.rule,
    ...(index >= 0 && { ruleIndex: index }),
    level: outcome === 'nothing yet' ? 'warning' : 'error',
    message: { text: [headText(report), ...bodyLines(report)].join('\n') },
    locations: [sarifLocation(places.recordLine(report))],
    ...(related.length > 0 && { relatedLocations: related }),
    ...(n !== undefined && { occurrenceCount: n }),
    suppressions: suppressed === undefined ? [] : [{ kind: 'external', justification: suppressed }],
    properties: { step, at, ...(va !== undefined && { va }), in: report.in, outcome },
  };
}

/** The log. Locations are in the patch records; related ones are in the kernel's source. */
export function reportsSarif(
  run: ReportedRun,
  { version, places }: { readonly version: string; readonly places: ReportPlaces },
): string {
  const results = run.reports.map((each) => result(each, run, places));
  const hasTree = results.some((each) => 'relatedLocations' in each);
  return sarifText({
    tool: {
      driver: { name: 'sme-boot run', version, rules: run.rules.map(rule) },
    },
    ...(hasTree && { originalUriBaseIds: TREE_BASES }),
    properties: {
      title: run.title,
      ...(run.unchecked !== undefined && { unchecked: run.unchecked }),
      unexpected: run.unexpected,
    },
    results,
  });
}
