/** A review as SARIF 2.1.0 (OASIS), which code-review tools read. */
import { sarifLocation, sarifText, TREE_BASE, TREE_BASES } from '../base/sarif.js';
import { isFailed, type Row, STATES } from './result.js';
import { rowText, type RecordLine, type Review } from './report.js';

/** SARIF 3.27.9: a result is a failure, passes, or does not apply. */
function kindOf(row: Row): 'fail' | 'pass' | 'notApplicable' | 'informational' {
  if (isFailed(row)) return 'fail';
  if (row.state === 'agrees' || row.state === 'moved') return 'pass';
  return row.state === 'not in this release' || row.state === 'gone'
    ? 'notApplicable'
    : 'informational';
}

function result(
  row: Row,
  recordLine: RecordLine,
  base: string | undefined,
): Record<string, unknown> {
  const kind = kindOf(row);
  const who =
    row.patch === undefined
      ? base === undefined
        ? 'series'
        : 'model'
      : `patch ${String(row.patch).padStart(2, '0')}`;
  return {
    ruleId: row.about,
    kind,
    level: kind === 'fail' ? 'error' : 'none',
    message: { text: `${who}, ${row.claim}: ${rowText(row)}` },
    locations: [sarifLocation(recordLine(row))],
    ...(row.source === undefined
      ? {}
      : { relatedLocations: [{ id: 1, ...sarifLocation(row.source, base) }] }),
    properties: { state: row.state },
  };
}

const RULES: Readonly<Record<Row['about'], string>> = {
  mail: 'The posting is the one of the record.',
  file: 'A file of the record is there.',
  name: 'A name of the record is defined where the record has it.',
  value: 'A constant has the value of the record, a macro uses the names of the record.',
  order: 'Two names are in the order of the record within a function.',
  model: 'A modelled function of the base kernel is where the record of the base has it.',
  trace: 'A function that a trace names is in the tree.',
};

/** The log of one run. Locations are the claim in the record; related ones are in the kernel's source. */
export function reviewSarif(
  { title, remarks, rows, isMail = false }: Review,
  { version, recordLine }: { readonly version: string; readonly recordLine: RecordLine },
): string {
  const run = {
    tool: {
      driver: {
        name: 'sme-boot review',
        version,
        rules: Object.entries(RULES).map(([id, text]) => ({ id, shortDescription: { text } })),
      },
    },
    ...(!isMail && { originalUriBaseIds: TREE_BASES }),
    properties: { title, remarks, states: STATES },
    results: rows.map((row) => result(row, recordLine, isMail ? undefined : TREE_BASE)),
  };
  return sarifText(run);
}
