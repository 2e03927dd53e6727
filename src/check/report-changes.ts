/** What changed between the reports of two boots, in short: by rule, with the names of the places. */
import * as z from 'zod';
import { reportDifferences, type ReportDifference } from './compare-reports.js';
import type { SanitizerReport } from '../trace/report.js';

const some = z.int().min(1).optional();

/** Schema of the changes of a rule. */
export const reportChangeSchema = z.strictObject({
  rule: z.string().min(1).describe('The rule of the sanitizer.'),
  added: some.describe('Number of reports that came.'),
  gone: some.describe('Number of reports that went.'),
  changed: some.describe('Number of reports with other fields.'),
  at: z.array(z.string().min(1)).min(1).describe('The places of these reports, each once.'),
});
export type ReportChange = z.infer<typeof reportChangeSchema>;

const reportOf = (each: ReportDifference): SanitizerReport =>
  each.change === 'changed' ? each.found : each.report;

/** The name of a place: its symbol or region without the offset, else its address. */
export function placeName(at: string): string {
  const [, name] = /^0x[0-9a-f]+(?:\.\.0x[0-9a-f]+)?(?: \(empty\))? (.+)$/.exec(at) ?? [];
  return (name ?? at).replace(/\+0x[0-9a-f]+$|\[\d+\]$/, '');
}

/** The changes, a row for each rule with any, in the order of the first. */
export function reportChanges(
  before: readonly SanitizerReport[],
  after: readonly SanitizerReport[],
): ReportChange[] {
  const all = reportDifferences(before, after);
  const rules = new Set(all.map((each) => reportOf(each).rule));
  return [...rules].map((rule) => {
    const own = all.filter((each) => reportOf(each).rule === rule);
    const count = (
      change: ReportDifference['change'],
    ): Partial<Record<ReportDifference['change'], number>> => {
      const number = own.filter((each) => each.change === change).length;
      return number === 0 ? {} : { [change]: number };
    };
    const at = [...new Set(own.map((each) => placeName(reportOf(each).at)))];
    return { rule, ...count('added'), ...count('gone'), ...count('changed'), at };
  });
}

/** `wrong-key-read: 2 came, 1 went (initrd, dtb)`. */
export function reportChangeText({ rule, added, gone, changed, at }: ReportChange): string {
  const counts = [
    ...(added === undefined ? [] : [`${added} came`]),
    ...(gone === undefined ? [] : [`${gone} went`]),
    ...(changed === undefined ? [] : [`${changed} changed`]),
  ];
  return `${rule}: ${counts.join(', ')} (${at.join(', ')})`;
}
