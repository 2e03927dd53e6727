/** The model of the base kernel against a source tree: its files and functions. */
import type { BaseRecord } from './base.js';
import { placesIn } from './place.js';
import type { Row } from './result.js';
import type { Source } from './source.js';
import { definitionsAt } from './tree-names.js';

/** The base kernel's record in the package. */
export const BASE_FILE = 'patches/base/base.yaml';

/** A name of the model and the kernel file that it is listed at. */
export interface ModelName {
  readonly name: string;
  readonly file: string;
}

/** The modelled functions without the points within them: `setup_arch:paging` is a point of setup_arch. */
export function modelNames(names: readonly ModelName[]): ModelName[] {
  const seen = new Map<string, ModelName>();
  for (const { name, file } of names) {
    const whole = name.split(':')[0] ?? name;
    seen.set(`${whole} ${file}`, { name: whole, file });
  }
  return [...seen.values()];
}

const KINDS = ['function', 'macro', 'variable', 'constant', 'label'] as const;

function modelRow(posted: ModelName, at: number, tree: Source, base: BaseRecord): Row {
  const row = {
    about: 'model' as const,
    claim: posted.name,
    record: { file: BASE_FILE, path: at === -1 ? '' : `names.${at}` },
  };
  const named = at === -1 ? undefined : base.names[at];
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

/** A row for each modelled function of the base kernel. */
export function reviewModel(names: readonly ModelName[], tree: Source, base: BaseRecord): Row[] {
  return modelNames(names).map((posted) => {
    const at = base.names.findIndex(
      ({ name, file }) => name === posted.name && file === posted.file,
    );
    return modelRow(posted, at, tree, base);
  });
}
