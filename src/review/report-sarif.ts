/** A review as SARIF 2.1.0 (OASIS), which code-review tools read. */
import { isFailed, type Row, type SourceLine, STATES } from './result.js';
import { rowText, type RecordLine, type Review } from './report.js';

/** The base of the kernel's files in SARIF: the reader maps it to the tree. */
export const TREE_BASE = 'KERNEL';

/** SARIF 3.27.9: a result is a failure, passes, or does not apply. */
function kindOf(row: Row): 'fail' | 'pass' | 'notApplicable' | 'informational' {
  if (isFailed(row)) return 'fail';
  if (row.state === 'agrees' || row.state === 'moved') return 'pass';
  return row.state === 'not in this release' || row.state === 'gone'
    ? 'notApplicable'
    : 'informational';
}

/** A path as a URI reference (RFC 3986): other characters than those of paths are encoded. */
const uri = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

function location({ file, line }: SourceLine, base?: string): Record<string, unknown> {
  return {
    physicalLocation: {
      artifactLocation: { uri: uri(file), ...(base === undefined ? {} : { uriBaseId: base }) },
      ...(line === undefined ? {} : { region: { startLine: line } }),
    },
  };
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
    locations: [location(recordLine(row))],
    ...(row.source === undefined
      ? {}
      : { relatedLocations: [{ id: 1, ...location(row.source, base) }] }),
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
    ...(!isMail && {
      originalUriBaseIds: {
        [TREE_BASE]: { description: { text: 'the root of the kernel source tree' } },
      },
    }),
    properties: { title, remarks, states: STATES },
    results: rows.map((row) => result(row, recordLine, isMail ? undefined : TREE_BASE)),
  };
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [run],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
