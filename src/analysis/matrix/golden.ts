/** Writes a row of a matrix as a match file, so that `sme-boot check` can check its boot alone. */
import { oneLine, printableLines } from '../../base/printable.js';
import { printEvent } from '../../trace/yaml-out.js';
import type { Scalar } from '../../trace/trace.js';
import type { MatrixRow } from './report.js';
import { LAST_STAGE } from '../../series/patches.js';

/** Fields of an event with its code and its count: not matched. */
const BY = new Set(['file', 'patch', 'hunk', 'n']);

/** The settings of a row's boot that are not in the row. */
export interface GoldenRun {
  /** The scenario's name or file; absent: the name in the row. */
  readonly scenario?: string;
  /** The series that the hunk is left out of, by name or file; absent: the series as posted. */
  readonly series?: string;
  /** Modules of own hunks, as the file states them. */
  readonly hunks?: readonly string[];
  /** Settings of the scenario, `path=value`. */
  readonly set?: readonly string[];
}

/** The name of a row's match file: `09-initrd.yaml`. */
export function goldenName({ hunk }: MatrixRow): string {
  return `${hunk.replaceAll('/', '-')}.yaml`;
}

/** The text of a row's match file. */
export function goldenText(
  row: MatrixRow,
  { scenario = row.scenario, series, hunks = [], set = [] }: GoldenRun = {},
): string {
  const { hunk, how, what, cause, outcome, wrong, difference } = row;
  const settings = set.map((each) => {
    const at = each.indexOf('=');
    return `${scalar(each.slice(0, at))}: ${scalar(each.slice(at + 1))}`;
  });
  const run = [
    `scenario: ${scalar(scenario)}`,
    series === undefined ? `stage: ${LAST_STAGE}` : `series: ${scalar(series)}`,
    `without: [${hunk}]`,
    ...(how === 'stub' ? ['stub: true'] : []),
    ...(hunks.length === 0 ? [] : [`hunks: [${hunks.map(scalar).join(', ')}]`]),
    ...(settings.length === 0 ? [] : [`set: { ${settings.join(', ')} }`]),
  ].join(', ');
  const consumed = wrong === undefined ? {} : { by: wrong.reader, intact: false };
  const end = {
    kind: outcome.kind,
    ...(outcome.where === undefined ? {} : { where: outcome.where }),
    ...(outcome.message === undefined ? {} : { message: outcome.message }),
  };
  return [
    `# Without: ${oneLine(what)}.`,
    `# ${oneLine(cause)}.`,
    'expect: match',
    `run: { ${run} }`,
    ...(difference === undefined ? [] : ['match:', ...directive(difference)]),
    ...(wrong === undefined ? [] : ['consumed:', `  ${scalar(wrong.name)}: ${flow(consumed)}`]),
    `outcome: ${flow(end)}`,
    '',
  ].join('\n');
}

function directive({ step, change, event }: NonNullable<MatrixRow['difference']>): string[] {
  const pattern = printEvent(
    Object.fromEntries(
      Object.entries(event)
        .filter(([field]) => !BY.has(field))
        .map(([field, value]) => [field, literal(value)]),
    ),
  );
  if (change === 'gone')
    return [`  - count: ${pattern}`, '    times: 0', `    step: ${scalar(step)}`];
  return [`  - expect: ${pattern}`, `    step: ${scalar(step)}`];
}

/** A value escaped so that a pattern matches it literally. */
function literal(value: Scalar): Scalar {
  return typeof value === 'string' && /^[/$]/.test(value) ? `\\${value}` : value;
}

/** A text as a YAML scalar, quoted if it could be read as a number, an indicator or a keyword. */
const scalar = (text: string): string =>
  /^[a-z][\w./-]*$/i.test(text) && !/^(true|false|null)$/i.test(text)
    ? text
    : printableLines(JSON.stringify(text));

const flow = (fields: Readonly<Record<string, Scalar>>): string =>
  `{ ${Object.entries(fields)
    .map(
      ([field, value]) =>
        `${field}: ${typeof value === 'string' ? scalar(String(literal(value))) : String(value)}`,
    )
    .join(', ')} }`;
