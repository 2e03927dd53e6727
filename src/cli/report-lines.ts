/** Reports of the sanitizer as lines of text. */
import type { ChalkInstance } from 'chalk';
import { bodyLines, headText } from '../check/report-words.js';
import type { SanitizerReport } from '../trace/report.js';

/** A report: its rule and place, and below it what is wrong, the earlier event and the outcome. */
export function reportLines(report: SanitizerReport, paint: ChalkInstance): string[] {
  const { rule, outcome } = report;
  const color = outcome === 'nothing yet' ? paint.yellow : paint.red;
  const head = headText(report);
  return [
    `  ${color(rule)}${head.slice(rule.length)}`,
    ...bodyLines(report).map((line) => `      ${line}`),
  ];
}
