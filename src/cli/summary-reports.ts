/** The section of a summary about the reports of the sanitizer. */
import type { ChalkInstance } from 'chalk';
import { bodyLines, headText, isSuppressed } from '../check/report-words.js';
import type { SanitizerReport } from '../trace/report.js';
import { reportsOf, type Trace } from '../trace/trace.js';

/** Most reports that are listed (our choice: a screen or two). */
const SHOWN = 20;

function reportLines(report: SanitizerReport, paint: ChalkInstance): string[] {
  const { rule, outcome } = report;
  const color = outcome === 'nothing yet' ? paint.yellow : paint.red;
  const head = headText(report);
  return [
    `  ${color(rule)}${head.slice(rule.length)}`,
    ...bodyLines(report).map((line) => `      ${line}`),
  ];
}

/** The lines of the section, with an empty one before; none if there is nothing to say. */
export function summaryReports(trace: Trace, paint: ChalkInstance): string[] {
  const heading = ['', paint.bold('Reports of the sanitizer')];
  if (trace.header.sanitize !== true) return [];
  const all = reportsOf(trace);
  if (all.length === 0) return [...heading, '  none'];
  const open = all.filter((report) => !isSuppressed(report));
  const suppressed = all.length - open.length;
  const more = open.length - SHOWN;
  return [
    ...heading,
    ...open.slice(0, SHOWN).flatMap((report) => reportLines(report, paint)),
    ...(more > 0 ? [`  and ${String(more)} more`] : []),
    ...(suppressed > 0 ? [`  ${String(suppressed)} suppressed`] : []),
  ];
}
