/** A review as JSON. */
import { counts, isFailed } from './result.js';
import type { RecordLine, Review } from './report.js';

/** `ok`, the counts by state, and all rows; each with the line of its claim in the record. */
export function reviewJson(
  { title, remarks, rows, details }: Review,
  recordLine: RecordLine,
): string {
  const form = {
    title,
    ok: !rows.some(isFailed),
    remarks,
    counts: counts(rows),
    ...details,
    rows: rows.map((row) => ({ ...row, record: { ...row.record, ...recordLine(row) } })),
  };
  return `${JSON.stringify(form, null, 2)}\n`;
}
