/** Reads matrix reports back, and puts the parts of one matrix together again. */
import { InputError } from '../../base/errors.js';
import {
  describeValue,
  pathText,
  readYaml,
  validate,
  type PathKey,
} from '../../base/yaml-source.js';
import {
  MATRIX_SCHEMA,
  matrixSchema,
  type MatrixReport,
  type MatrixRow,
  type MatrixScenario,
} from './report.js';

const CODE = 'E_MATRIX';
const MERGE_CODE = 'E_MATRIX_MERGE';

/** `epyc-efi 09/initrd`: what a row is about, as `missing` writes it. */
const keyOf = ({ scenario, hunk }: MatrixRow): string => `${scenario} ${hunk}`;

/** The parsed JSON of a report. Throws E_MATRIX with the place. */
function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    // JSON is YAML, whose reader knows lines and columns; where it has nothing against the text, it is YAML and no JSON.
    let place = { file };
    try {
      readYaml(file, text);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      place = { ...error.place, file };
    }
    throw new InputError({ code: CODE, place, reason: 'not JSON', cause });
  }
}

/** A report from the text of a file. Throws InputError (E_MATRIX) with the file, path, line and column. */
export function parseMatrix(file: string, text: string): MatrixReport {
  const result = matrixSchema.safeParse(jsonOf(file, text));
  // The slow reader, which knows where everything stands, is only asked when something is wrong.
  if (!result.success) return validate(CODE, matrixSchema, readYaml(file, text));
  const report = result.data;
  const refuse = (path: PathKey[], expected: string, found: string): never => {
    throw new InputError({ code: CODE, place: readYaml(file, text).place(path), expected, found });
  };
  const names = new Set<string>();
  report.scenarios.forEach(({ name }, index) => {
    if (names.has(name)) refuse(['scenarios', index, 'name'], 'each name once', `${name} again`);
    names.add(name);
  });
  const keys = new Set<string>();
  report.rows.forEach((row, index) => {
    if (!names.has(row.scenario)) {
      refuse(['rows', index, 'scenario'], 'a name from scenarios', row.scenario);
    }
    if (keys.has(keyOf(row))) refuse(['rows', index], 'each row once', `${keyOf(row)} again`);
    keys.add(keyOf(row));
  });
  return report;
}

interface Unlike {
  readonly path: readonly PathKey[];
  readonly before: unknown;
  readonly after: unknown;
}

/** Where two plain values first differ; a key that is undefined counts as absent. */
function unlike(
  before: unknown,
  after: unknown,
  path: readonly PathKey[] = [],
): Unlike | undefined {
  if (Object.is(before, after)) return undefined;
  const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) {
    return { path, before, after };
  }
  const one = new Map<string, unknown>(Object.entries(before));
  const other = new Map<string, unknown>(Object.entries(after));
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    const step = Array.isArray(before) ? Number(key) : key;
    const found = unlike(one.get(key), other.get(key), [...path, step]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Takes a thing that several reports may have; throws E_MATRIX_MERGE if it is not the same in all of them. */
function take<T>(into: Map<string, T>, at: string, key: string, value: T): void {
  const before = into.get(key);
  if (before === undefined) {
    into.set(key, value);
    return;
  }
  const found = unlike(before, value);
  if (found === undefined) return;
  throw new InputError({
    code: MERGE_CODE,
    place: { path: pathText([at, key, ...found.path]) },
    reason: 'the reports disagree',
    expected: `${describeValue(found.before)} as in an earlier one`,
    found: describeValue(found.after),
  });
}

/** Sorts by the places that two lists give; what a list does not have comes last, by its name. */
function places(order: readonly string[]): (a: string, b: string) => number {
  const place = new Map(order.map((name, index) => [name, index]));
  const of = (name: string): number => place.get(name) ?? order.length;
  return (a, b) => of(a) - of(b) || (a < b ? -1 : Number(a > b));
}

/**
 * Joins reports of one series: scenarios in the order in which they are first named, in each the rows in the `order` of
 * hunks given, unknown hunks last. A row or scenario that several reports have must be alike in all of them. A row is
 * missing if some report misses it and none has it. Throws InputError (E_MATRIX_MERGE) if the reports do not fit.
 */
export function mergeReports(
  reports: readonly MatrixReport[],
  order: readonly string[],
): MatrixReport {
  const [first] = reports;
  if (first === undefined) {
    throw new InputError({ code: MERGE_CODE, expected: 'at least one report', found: 'none' });
  }
  const scenarios = new Map<string, MatrixScenario>();
  const rows = new Map<string, MatrixRow>();
  for (const report of reports) {
    if (report.series !== first.series) {
      throw new InputError({
        code: MERGE_CODE,
        place: { path: 'series' },
        reason: 'the reports are of different series',
        expected: first.series,
        found: report.series,
      });
    }
    for (const each of report.scenarios) take(scenarios, 'scenarios', each.name, each);
    for (const each of report.rows) take(rows, 'rows', keyOf(each), each);
  }
  const byScenario = places([...scenarios.keys()]);
  const byHunk = places(order);
  const byKey = (a: readonly [string, string], b: readonly [string, string]): number =>
    byScenario(a[0], b[0]) || byHunk(a[1], b[1]);
  const split = (key: string): readonly [string, string] => {
    const at = key.lastIndexOf(' ');
    return [key.slice(0, Math.max(0, at)), key.slice(at + 1)];
  };
  const missing = new Set(reports.flatMap((report) => report.missing));
  return {
    'sme-boot-matrix': MATRIX_SCHEMA,
    series: first.series,
    scenarios: [...scenarios.values()],
    rows: [...rows.values()].sort((a, b) => byKey([a.scenario, a.hunk], [b.scenario, b.hunk])),
    missing: [...missing].filter((key) => !rows.has(key)).sort((a, b) => byKey(split(a), split(b))),
  };
}
