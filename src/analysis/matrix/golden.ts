/** A row of a matrix as an expected trace: what its boot must show, so that it can be checked again by itself. */
import { printEvent } from '../../trace/yaml-out.js';
import type { Scalar } from '../../trace/trace.js';
import type { MatrixRow } from './report.js';
import { LAST_STAGE } from '../../series/patches.js';

/** Fields of an event that say who did it and how often, not what was done. */
const BY = new Set(['file', 'patch', 'hunk', 'n']);

/** What a row does not say of its boot. */
export interface GoldenRun {
  /** The scenario's name or file; the name in the row where absent. */
  readonly scenario?: string;
  /** The composition that the hunk is left out of, by name or file; the posted series where absent. */
  readonly series?: string;
  /** Settings that changed it, `path=value`. */
  readonly set?: readonly string[];
}

/** The name of a row's file: `09-initrd.yaml`. */
export function goldenName({ hunk }: MatrixRow): string {
  return `${hunk.replaceAll('/', '-')}.yaml`;
}

/** The text of a row's expected trace. */
export function goldenText(
  row: MatrixRow,
  { scenario = row.scenario, series, set = [] }: GoldenRun = {},
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
    ...(settings.length === 0 ? [] : [`set: { ${settings.join(', ')} }`]),
  ].join(', ');
  const consumed = wrong === undefined ? {} : { by: wrong.reader, intact: false };
  const end = {
    kind: outcome.kind,
    ...(outcome.where === undefined ? {} : { where: outcome.where }),
    ...(outcome.message === undefined ? {} : { message: outcome.message }),
  };
  return [
    `# Without: ${what}.`,
    `# ${cause}.`,
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

/** A value that a pattern takes as it is. */
function literal(value: Scalar): Scalar {
  return typeof value === 'string' && /^[/$]/.test(value) ? `\\${value}` : value;
}

/** A text as YAML. Without quotes it must not look like a number, a mark, or one of YAML's words. */
const scalar = (text: string): string =>
  /^[a-z][\w./-]*$/i.test(text) && !/^(true|false|null)$/i.test(text) ? text : JSON.stringify(text);

const flow = (fields: Readonly<Record<string, Scalar>>): string =>
  `{ ${Object.entries(fields)
    .map(
      ([field, value]) =>
        `${field}: ${typeof value === 'string' ? scalar(String(literal(value))) : String(value)}`,
    )
    .join(', ')} }`;
