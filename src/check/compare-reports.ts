/** Compares the reports of two traces, in order; two that differ in some fields are one changed report. */
import { align, EQUAL, type Weighing } from '../base/align.js';
import { own } from '../base/own.js';
import {
  comparedReport,
  flatReport,
  REPORT_FIELDS,
  reportInOrder,
  type SanitizerReport,
} from '../trace/report.js';
import type { FieldDifference } from './compare.js';

/** One report that differs. */
export type ReportDifference =
  | { readonly change: 'gone'; readonly report: SanitizerReport }
  | { readonly change: 'added'; readonly report: SanitizerReport }
  | {
      readonly change: 'changed';
      readonly expected: SanitizerReport;
      readonly found: SanitizerReport;
      readonly fields: readonly FieldDifference[];
    };

/** Least share of equal fields for two reports of a rule to be compared as one changed report (our choice). */
const MIN_SIMILARITY = 0.5;

/** The fields in which two reports differ, in the order they are written; `suppressed` is not compared. */
function reportFields(expected: SanitizerReport, found: SanitizerReport): FieldDifference[] {
  const [was, is] = [flatReport(comparedReport(expected)), flatReport(comparedReport(found))];
  return REPORT_FIELDS.map((field) => ({
    field,
    expected: own(was, field),
    found: own(is, field),
  })).filter((each) => each.expected !== each.found);
}

/** How reports are aligned: by equality, then those of one rule by similarity. */
export const byReport: Weighing<SanitizerReport> = {
  key: (report) => JSON.stringify(reportInOrder(comparedReport(report))),
  similar: (a, b) => {
    if (a.rule !== b.rule) return 0;
    const fields = new Set([...Object.keys(flatReport(a)), ...Object.keys(flatReport(b))]);
    const share = 1 - reportFields(a, b).length / fields.size;
    return share < MIN_SIMILARITY ? 0 : Math.min(EQUAL - 1, Math.round(share * EQUAL));
  },
};

/** The differences between the reports of two traces, in order. */
export function reportDifferences(
  expected: readonly SanitizerReport[],
  found: readonly SanitizerReport[],
): ReportDifference[] {
  return align(expected, found, byReport).flatMap(({ a, b }): ReportDifference[] => {
    const was = a === undefined ? undefined : expected[a];
    const is = b === undefined ? undefined : found[b];
    if (was !== undefined && is !== undefined) {
      const fields = reportFields(was, is);
      return fields.length === 0 ? [] : [{ change: 'changed', expected: was, found: is, fields }];
    }
    if (was !== undefined) return [{ change: 'gone', report: was }];
    return is === undefined ? [] : [{ change: 'added', report: is }];
  });
}
