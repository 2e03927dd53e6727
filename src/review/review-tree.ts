/** Reviews a kernel source tree: the records of all patches, and the model of the base kernel. */
import type { BaseRecord } from './base.js';
import { stepsIn } from './release.js';
import type { Row } from './result.js';
import type { Source } from './source.js';
import { type ModelName, reviewModel } from './tree-model.js';
import { appliedIn, type RecordFile, type Reviewed, reviewNames } from './tree-names.js';
import { reviewOrder } from './tree-order.js';

export interface TreeReview {
  readonly version: string;
  /** The patches that a tree from before the merge has as they were posted. */
  readonly applied: readonly number[];
  readonly rows: readonly Row[];
}

function fileRow(
  path: string,
  row: Pick<Row, 'patch' | 'about' | 'claim' | 'record'>,
  { tree, base, applied, ofSeries }: Reviewed,
): Row {
  const steps = base.files.find(({ file }) => file === path)?.mainline ?? [];
  for (const { step } of stepsIn(steps, tree.release)) {
    if (step?.gone !== undefined) return { ...row, state: 'gone', note: step.gone };
    const file = step?.file ?? path;
    if (tree.text(file) === undefined) continue;
    const state = file === path ? 'agrees' : 'moved';
    return { ...row, state, source: { file }, ...(state === 'moved' ? { found: file } : {}) };
  }
  if (ofSeries.has(path) && !applied) return { ...row, state: 'not in this release' };
  return { ...row, state: 'missing', expected: path, found: 'no such file' };
}

/** A row for each file of a record that has no name in it: those that have are where their names are. */
function reviewFiles({ file, record }: RecordFile, reviewed: Reviewed): Row[] {
  const named = new Set([...record.adds, ...record.changes].map((entry) => entry.file));
  return record.files.flatMap(({ path }, at) => {
    const of = { file, path: `files.${at}` };
    const row = { patch: record.number, about: 'file' as const, claim: path, record: of };
    return named.has(path) ? [] : [fileRow(path, row, reviewed)];
  });
}

/** Names and files that the patches add, as `NAME FILE` and `FILE`. */
export function seriesNames(records: readonly RecordFile[]): ReadonlySet<string> {
  const added = records.flatMap(({ record }) => record.adds);
  return new Set(added.flatMap(({ name, file }) => [`${name} ${file}`, file]));
}

/** All rows: by patch the files, names and orders of its record; then the model. */
export function reviewTree(
  records: readonly RecordFile[],
  model: readonly ModelName[],
  tree: Source,
  base: BaseRecord,
): TreeReview {
  const ofSeries = seriesNames(records);
  const applied = appliedIn(records, tree, base);
  const rows = records.flatMap((each) => {
    const reviewed = { tree, base, applied: applied.has(each.record.number), ofSeries };
    return [
      ...reviewFiles(each, reviewed),
      ...reviewNames(each, reviewed),
      ...reviewOrder(each, reviewed),
    ];
  });
  return {
    version: tree.version,
    applied: [...applied],
    rows: [...rows, ...reviewModel(model, { tree, base })],
  };
}

/** The files that a review of a tree of a release reads, sorted. */
export function filesRead(
  records: readonly RecordFile[],
  model: readonly ModelName[],
  base: BaseRecord,
  release: string,
): string[] {
  const paths = new Set(['Makefile']);
  const ask = (path: string): undefined => {
    paths.add(path);
    return undefined;
  };
  // Where nothing is found, every place is looked at.
  reviewTree(records, model, { release, version: release, text: ask, index: ask }, base);
  return [...paths].sort();
}
