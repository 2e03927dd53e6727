/** The section of a summary about the reports of the sanitizer. */
import type { ChalkInstance } from 'chalk';
import { isSuppressed } from '../check/report-words.js';
import { isSanitized, reportsOf, type Trace } from '../trace/trace.js';
import { reportLines } from './report-lines.js';

/** Most reports that are listed (our choice: a screen or two). */
const SHOWN = 20;

/** The lines of the section, with an empty one before; none if there is nothing to say. */
export function summaryReports(trace: Trace, paint: ChalkInstance): string[] {
  const heading = ['', paint.bold('Reports of the sanitizer')];
  if (!isSanitized(trace)) return [...heading, '  not looked for: --no-sanitize'];
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
