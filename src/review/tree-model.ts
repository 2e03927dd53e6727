/** The model of the base kernel against a source tree: its files and functions. */
import { placesIn } from './place.js';
import type { Row } from './result.js';
import { definitionsAt, type Reviewed } from './tree-names.js';

/** The base kernel's record in the package. */
export const BASE_FILE = 'patches/base/base.yaml';

/** A name of the model and the kernel file that it is listed at. */
export interface ModelName {
  readonly name: string;
  readonly file: string;
}

/** A function's name of that of a point within it: `setup_arch:paging` is a point of setup_arch. */
export const functionOf = (name: string): string => name.split(':')[0] ?? name;

/** The modelled functions without the points within them. */
export function modelNames(names: readonly ModelName[]): ModelName[] {
  const seen = new Map<string, ModelName>();
  for (const { name, file } of names) {
    const whole = functionOf(name);
    seen.set(`${whole} ${file}`, { name: whole, file });
  }
  return [...seen.values()];
}

const KINDS = ['function', 'macro', 'variable', 'constant', 'label'] as const;

/** The row of a function of the base kernel. */
export function nameRow(
  posted: ModelName,
  row: Pick<Row, 'patch' | 'claim' | 'record' | 'about'>,
  { tree, base }: Pick<Reviewed, 'tree' | 'base'>,
): Row {
  const named = base.names.find(({ name, file }) => name === posted.name && file === posted.file);
  if (named?.notInSource !== undefined) {
    return { ...row, state: 'not checked', note: named.notInSource };
  }
  const start = { ...posted, file: named?.in ?? posted.file, mainline: named?.mainline };
  const places = placesIn(start, tree.release, base);
  for (const place of places) {
    if (place.gone !== undefined) return { ...row, state: 'gone', note: place.gone };
    const [found] = KINDS.flatMap((kind) => definitionsAt({ ...place, kind }, kind, tree));
    if (found === undefined) continue;
    const moved = place.name !== posted.name || place.file !== start.file;
    return {
      ...row,
      state: moved ? 'moved' : 'agrees',
      source: { file: place.file, line: found.line },
      ...(moved ? { found: `${place.name} in ${place.file}` } : {}),
      ...(place.uncertain === undefined ? {} : { note: place.uncertain }),
    };
  }
  const [place] = places;
  const there = tree.index(place.file) === undefined ? 'no such file' : 'no definition in it';
  return { ...row, state: 'missing', expected: `${place.name} in ${place.file}`, found: there };
}

/**
 * A row for each kernel file of the model: it is there, or the names that the model has of it are elsewhere or gone, as
 * recorded. `rows`: those of its names.
 */
function fileRow(file: string, rows: readonly Row[], { tree }: Pick<Reviewed, 'tree'>): Row {
  const row = { about: 'model' as const, claim: file, record: { file: BASE_FILE, path: '' } };
  if (tree.text(file) !== undefined) return { ...row, state: 'agrees', source: { file } };
  const files = [...new Set(rows.flatMap(({ source }) => source?.file ?? []))];
  const [first] = files;
  if (first !== undefined) {
    return { ...row, state: 'moved', source: { file: first }, found: files.join(', ') };
  }
  const gone = rows.find(({ state }) => state === 'gone')?.note;
  if (gone !== undefined) return { ...row, state: 'gone', note: `its names are gone: ${gone}` };
  return { ...row, state: 'missing', expected: file, found: 'no such file' };
}

/** A row for each kernel file of the model, and one for each modelled function of the base kernel. */
export function reviewModel(
  names: readonly ModelName[],
  reviewed: Pick<Reviewed, 'tree' | 'base'>,
): Row[] {
  const { base } = reviewed;
  const named = modelNames(names);
  const rows = named.map((posted) => {
    const at = base.names.findIndex(
      ({ name, file }) => name === posted.name && file === posted.file,
    );
    const record = { file: BASE_FILE, path: at === -1 ? '' : `names.${at}` };
    return nameRow(posted, { about: 'model', claim: posted.name, record }, reviewed);
  });
  const files = [...new Set(named.map(({ file }) => file))].filter((file) => file.includes('/'));
  const ofFile = (file: string): Row[] => rows.filter((_, at) => named[at]?.file === file);
  return [...files.map((file) => fileRow(file, ofFile(file), reviewed)), ...rows];
}
