/** The names of the records against a source tree. */
import type { NamedChange, NameKind, PatchRecord } from '../series/record.js';
import type { BaseRecord } from './base.js';
import { SAME_KIND } from './c-index.js';
import { evaluateConstant, type Known, sameBits } from './constant.js';
import type { Definition } from './definition.js';
import { earlierPlaces, type Place, placesIn } from './place.js';
import { compareReleases } from './release.js';
import type { Row } from './result.js';
import type { Source } from './source.js';
import { tokens } from './tokens.js';

/** A record with the file that it is from. */
export interface RecordFile {
  readonly file: string;
  readonly record: PatchRecord;
}

/** The definitions of a name at a place, of a kind that fits. */
export function definitionsAt(
  { name, file, kind }: Pick<Place, 'name' | 'file' | 'kind'>,
  posted: NameKind,
  tree: Source,
): readonly Definition[] {
  const all = tree.index(file)?.all(name) ?? [];
  const fitting = all.filter((each) => SAME_KIND[kind ?? posted].includes(each.kind));
  // A function that has an empty inline body in a header for a configuration without it has its real one first.
  return [...fitting].sort((a, b) => (b.body?.text.length ?? 0) - (a.body?.text.length ?? 0));
}

/** The values of names that a file defines, for a constant expression in it. */
function knownIn(file: string, tree: Source): (name: string) => Known {
  return (name) =>
    tree
      .index(file)
      ?.all(name)
      .find(({ kind, body }) => (kind === 'macro' || kind === 'constant') && body !== undefined)
      ?.body?.text;
}

const asNumber = (value: number | string): bigint | undefined => {
  try {
    return BigInt(value);
  } catch {
    return undefined;
  }
};

const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

/** What is claimed of the value, for the definitions that were found; undefined: it agrees or nothing is claimed. */
function valueDiffers(
  entry: NamedChange,
  place: Place,
  found: readonly Definition[],
  { tree, applied }: Pick<Reviewed, 'tree' | 'applied'>,
  added: boolean,
): Pick<Row, 'state' | 'expected' | 'found' | 'note'> | undefined {
  // A name that the patch changes has the value before it in a tree without it, and need not keep it in mainline.
  const claimed = place.value ?? (added || applied ? entry.value : undefined);
  if (claimed !== undefined) {
    const expected = asNumber(claimed);
    if (expected === undefined) return undefined;
    const values = found.flatMap(({ body }) => (body === undefined ? [] : [body.text]));
    if (values.length === 0) return undefined;
    const results = values.map((text) => evaluateConstant(text, knownIn(place.file, tree)));
    if (results.some((each) => 'value' in each && sameBits(each.value, expected))) return undefined;
    const numbers = results.flatMap((each) => ('value' in each ? [hex(each.value)] : []));
    if (numbers.length > 0) {
      return { state: 'differs', expected: hex(expected), found: numbers.join(', ') };
    }
    const [first] = results;
    const reason = first !== undefined && 'reason' in first ? first.reason : '';
    return { state: 'not checked', expected: hex(expected), note: `no value: ${reason}` };
  }
  // The names that a macro uses are those of the posted form.
  if (entry.uses === undefined || !applied) return undefined;
  const words = found.map(
    ({ body }) => new Set(body === undefined ? [] : tokens(body).map(({ text }) => text)),
  );
  if (words.some((each) => entry.uses?.every((name) => each.has(name)))) return undefined;
  const all = new Set(words.flatMap((each) => [...each]));
  return {
    state: 'differs',
    expected: `uses ${entry.uses.join(', ')}`,
    found: `uses ${[...all].join(', ') || 'no name'}`,
  };
}

/** The definition of a name that the record has as gone, at a place where an earlier release had it. */
function stillThere(entry: NamedChange, tree: Source, base: BaseRecord): Row['source'] | undefined {
  for (const place of earlierPlaces(entry, tree.release, base)) {
    const [found] = definitionsAt(place, entry.kind, tree);
    if (found !== undefined) return { file: place.file, line: found.line };
  }
  return undefined;
}

/** What the review of a patch's names and orders needs. */
export interface Reviewed {
  readonly tree: Source;
  readonly base: BaseRecord;
  /** Whether the tree has the patch as posted. */
  readonly applied: boolean;
  /** Names and files that patches of the series add, as `NAME FILE`. */
  readonly ofSeries: ReadonlySet<string>;
}

/** The first place that has the name, with its definitions; undefined: none has. */
function firstFound(
  places: readonly Place[],
  kind: NameKind,
  tree: Source,
): { place: Place; found: readonly Definition[]; line: number } | undefined {
  for (const place of places) {
    const found = place.gone === undefined ? definitionsAt(place, kind, tree) : [];
    const [first] = found;
    if (first !== undefined) return { place, found, line: first.line };
  }
  return undefined;
}

/** The row of a name that is at none of its places. */
function absentRow(
  entry: NamedChange,
  row: Pick<Row, 'patch' | 'claim' | 'record' | 'about'>,
  places: readonly [Place, ...Place[]],
  { tree, applied, ofSeries }: Reviewed,
  added: boolean,
): Row {
  const [place, ...others] = places;
  const gone = others.find((each) => each.gone !== undefined)?.gone;
  if (gone !== undefined) return { ...row, state: 'gone', note: gone };
  const ofPatches = added || ofSeries.has(`${entry.name} ${entry.file}`);
  if (ofPatches && place.step === undefined && !applied) {
    const from = entry.mainline?.[0]?.from;
    return { ...row, state: 'not in this release', ...(from ? { note: `from ${from} on` } : {}) };
  }
  const there = tree.index(place.file) === undefined ? 'no such file' : 'no definition in it';
  return { ...row, state: 'missing', expected: `${place.name} in ${place.file}`, found: there };
}

/** The row of a name of a record: one that the patch adds, or one that it changes. */
export function namedRow(
  entry: NamedChange,
  row: Pick<Row, 'patch' | 'claim' | 'record' | 'about'>,
  reviewed: Reviewed,
  added: boolean,
): Row {
  const { tree, base } = reviewed;
  const places = placesIn(entry, tree.release, base);
  const [{ gone }] = places;
  if (gone !== undefined) {
    const source = stillThere(entry, tree, base);
    return source === undefined
      ? { ...row, state: 'gone', note: gone }
      : { ...row, state: 'differs', source, expected: 'gone', found: 'it is there', note: gone };
  }
  const at = firstFound(places, entry.kind, tree);
  if (at === undefined) return absentRow(entry, row, places, reviewed, added);
  const { place, found, line } = at;
  const source = { file: place.file, line };
  const note = place.uncertain === undefined ? {} : { note: place.uncertain };
  const differs = valueDiffers(entry, place, found, reviewed, added);
  if (differs !== undefined) return { ...row, source, ...note, about: 'value', ...differs };
  const elsewhere = place.name !== entry.name || place.file !== entry.file;
  return elsewhere
    ? { ...row, source, ...note, state: 'moved', found: `${place.name} in ${place.file}` }
    : { ...row, source, ...note, state: 'agrees' };
}

/**
 * The numbers of the patches that a tree from before the merge has as they were posted: one of the names that the patch adds
 * is where it was posted; of a patch that adds none, that a later patch is applied.
 */
export function appliedIn(
  records: readonly RecordFile[],
  tree: Source,
  base: BaseRecord,
): ReadonlySet<number> {
  if (compareReleases(tree.release, base.merged) >= 0) return new Set();
  const found = records.filter(({ record }) =>
    record.adds.some((entry) => definitionsAt(entry, entry.kind, tree).length > 0),
  );
  const last = Math.max(0, ...found.map(({ record }) => record.number));
  const without = records.filter(({ record }) => record.adds.length === 0);
  const before = without.filter(({ record }) => record.number < last);
  return new Set([...found, ...before].map(({ record }) => record.number).sort((a, b) => a - b));
}

/** A row for each name of a record. */
export function reviewNames({ file, record }: RecordFile, reviewed: Reviewed): Row[] {
  return (['adds', 'changes'] as const).flatMap((key) =>
    record[key].map((entry, at) => {
      const row = {
        patch: record.number,
        claim: entry.name,
        record: { file, path: `${key}.${at}` },
        about: 'name' as const,
      };
      return namedRow(entry, row, reviewed, key === 'adds');
    }),
  );
}
