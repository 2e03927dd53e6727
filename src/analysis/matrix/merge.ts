/** Parses matrix reports and merges the shards of one matrix. */
import { LIMITS } from '../../base/limits.js';
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

/** The key of a row in the form of `missing`: `epyc-efi 09/initrd`. */
const keyOf = ({ scenario, hunk }: MatrixRow): string => `${scenario} ${hunk}`;

/** The parsed JSON of a report. Throws E_MATRIX with the place. */
function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    // The YAML reader gives line and column. If it accepts the text, the text is YAML but not JSON: no line then.
    let place = { file };
    try {
      readYaml(file, text, { limit: LIMITS.matrixFile });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      place = { ...error.place, file };
    }
    throw new InputError({ code: CODE, place, reason: 'not JSON', cause });
  }
}

/** Parses a report. Throws InputError (E_MATRIX) with the file, path, line and column. */
export function parseMatrix(file: string, text: string): MatrixReport {
  const result = matrixSchema.safeParse(jsonOf(file, text));
  // The slow reader, which records lines and columns, is only used for errors.
  if (!result.success)
    return validate(CODE, matrixSchema, readYaml(file, text, { limit: LIMITS.matrixFile }));
  const report = result.data;
  const refuse = (path: PathKey[], expected: string, found: string): never => {
    throw new InputError({
      code: CODE,
      place: readYaml(file, text, { limit: LIMITS.matrixFile }).place(path),
      expected,
      found,
    });
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

interface ValueDifference {
  readonly path: readonly PathKey[];
  readonly before: unknown;
  readonly after: unknown;
}

/** The first difference between two plain values; a key that is undefined counts as absent. */
function firstDifference(
  before: unknown,
  after: unknown,
  path: readonly PathKey[] = [],
): ValueDifference | undefined {
  if (Object.is(before, after)) return undefined;
  const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) {
    return { path, before, after };
  }
  const one = new Map<string, unknown>(Object.entries(before));
  const other = new Map<string, unknown>(Object.entries(after));
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    const step = Array.isArray(before) ? Number(key) : key;
    const found = firstDifference(one.get(key), other.get(key), [...path, step]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Adds an entry that several reports may have. Throws E_MATRIX_MERGE if it differs from one already there. */
function addEntry<T>(into: Map<string, T>, at: string, key: string, value: T): void {
  const before = into.get(key);
  if (before === undefined) {
    into.set(key, value);
    return;
  }
  const found = firstDifference(before, value);
  if (found === undefined) return;
  throw new InputError({
    code: MERGE_CODE,
    place: { path: pathText([at, key, ...found.path]) },
    reason: 'the reports disagree',
    expected: `${describeValue(found.before)} as in an earlier report`,
    found: describeValue(found.after),
  });
}

/** Compares names by their position in `order`; names that are not in it sort last, alphabetically. */
function byPosition(order: readonly string[]): (a: string, b: string) => number {
  const position = new Map(order.map((name, index) => [name, index]));
  const of = (name: string): number => position.get(name) ?? order.length;
  return (a, b) => of(a) - of(b) || (a < b ? -1 : Number(a > b));
}

/**
 * Merges reports of one series: scenarios in the order of their first mention, the rows of each in the `order` of hunks,
 * unknown hunks last. A row or scenario in several reports must be equal in all of them. A row is missing if a report
 * lists it as missing and none has it; a shard is missing if there are others of its matrix. Throws InputError
 * (E_MATRIX_MERGE) if the reports disagree.
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
    const [own, expected] = [codeOf(report), codeOf(first)];
    if (own !== expected) {
      throw new InputError({
        code: MERGE_CODE,
        place: { path: 'ownHunks' },
        reason: 'the reports are of different own hunks',
        expected,
        found: own,
      });
    }
    for (const each of report.scenarios) addEntry(scenarios, 'scenarios', each.name, each);
    for (const each of report.rows) addEntry(rows, 'rows', keyOf(each), each);
  }
  const byScenario = byPosition([...scenarios.keys()]);
  const byHunk = byPosition(order);
  const byKey = (a: readonly [string, string], b: readonly [string, string]): number =>
    byScenario(a[0], b[0]) || byHunk(a[1], b[1]);
  const split = (key: string): readonly [string, string] => {
    const at = key.lastIndexOf(' ');
    return [key.slice(0, Math.max(0, at)), key.slice(at + 1)];
  };
  const missing = new Set(reports.flatMap((report) => report.missing));
  const shard = mergeShards(reports);
  const merged: MatrixReport = {
    'sme-boot-matrix': MATRIX_SCHEMA,
    series: first.series,
    ...(first.ownHunks !== undefined && { ownHunks: first.ownHunks }),
    scenarios: [...scenarios.values()],
    rows: [...rows.values()].sort((a, b) => byKey([a.scenario, a.hunk], [b.scenario, b.hunk])),
    missing: [...missing].filter((key) => !rows.has(key)).sort((a, b) => byKey(split(a), split(b))),
  };
  if (shard === undefined) return merged;
  if (shard.parts.length < shard.count) return { ...merged, shard };
  // All shards of one matrix have all of its rows, and no report of another one is among them.
  const found = merged.rows.length + merged.missing.length;
  if (found === shard.rows || reports.some((report) => report.shard === undefined)) return merged;
  throw new InputError({
    code: MERGE_CODE,
    place: { path: 'rows' },
    reason: 'the shards are not of one matrix',
    expected: `${shard.rows} rows`,
    found: `${found}`,
  });
}

/** The own hunks of a report by their code, wherever the modules are: ids and digests; `none`. */
function codeOf({ ownHunks = [] }: MatrixReport): string {
  const modules = ownHunks.map(({ hunks, digest = '?', imports = [] }) =>
    [hunks.join(' '), digest, ...imports.map((each) => each.digest)].join(' '),
  );
  return modules.length === 0 ? 'none' : modules.join(', ');
}

/** The shards of all reports together; undefined if none is a shard. Throws E_MATRIX_MERGE if they are not of one matrix. */
function mergeShards(reports: readonly MatrixReport[]): MatrixReport['shard'] {
  const shards = reports.flatMap(({ shard }) => shard ?? []);
  const [first] = shards;
  if (first === undefined) return undefined;
  for (const key of ['count', 'rows'] as const) {
    const other = shards.find((shard) => shard[key] !== first[key]);
    if (other === undefined) continue;
    throw new InputError({
      code: MERGE_CODE,
      place: { path: `shard.${key}` },
      reason: 'the shards are not of one matrix',
      expected: `${first[key]} as in an earlier report`,
      found: `${other[key]}`,
    });
  }
  const parts = new Set(shards.flatMap((shard) => shard.parts));
  return { ...first, parts: [...parts].sort((a, b) => a - b) };
}
