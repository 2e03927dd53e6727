/**
 * The difference of two lists as readable edits: each names its element by some of its fields, and is searched for after
 * the element of the edit before it. Elements that no edit names are copied. No edit has an index, so that the same edits
 * apply to a base whose other elements change.
 */
import { own } from '../base/own.js';
import { align, type Weighing } from '../base/align.js';

/** One edit. `nth` (2 or more): the nth element from here that matches, instead of the first. */
export type Edit<K, C, T> =
  /** Keep this element; the next edit applies after it. */
  | { readonly after: K; readonly nth?: number | undefined }
  /** Change some fields of the element. */
  | { readonly change: K; readonly nth?: number | undefined; readonly to: C }
  /** Remove the element. */
  | { readonly drop: K; readonly nth?: number | undefined }
  /** Insert a new element here. */
  | { readonly add: T }
  /** Remove the rest of the base. */
  | { readonly 'drop-rest': true };

/** Operations on elements for applying edits. `index` is that of the edit. */
export interface Applying<K, C, T> {
  matches(item: T, key: K): boolean;
  change(item: T, to: C, index: number): T;
  /** Called for an edit whose element is not found in `rest`; the edit is skipped. */
  misfit(index: number, key: K, rest: readonly T[]): void;
}

/** Operations on elements for finding edits. */
export interface Finding<K, C, T> extends Weighing<T> {
  matches(item: T, key: K): boolean;
  /** Keys that the element matches; the shortest first, the others in order of preference. */
  keys(item: T): readonly [K, ...K[]];
  /** The change that turns `from` into `to`; undefined if they are equal. */
  changes(from: T, to: T): C | undefined;
}

/** How many elements back an `after` may be from the element it locates (our choice). */
const CONTEXT = 8;

type Fields = Readonly<Record<string, unknown>>;

/** Whether an element has the fields of a key. */
export const hasFields = (item: Fields, key: Fields): boolean =>
  Object.entries(key).every(([field, value]) => own(item, field) === value);

/** Index of the nth matching element from `start` on; -1 if there are fewer. */
function indexOfNth<T>(
  items: readonly T[],
  start: number,
  nth: number,
  matches: (item: T) => boolean,
): number {
  let remaining = nth;
  for (let index = start; index < items.length; index++) {
    const item = items[index];
    if (item !== undefined && matches(item) && --remaining === 0) return index;
  }
  return -1;
}

/** The result of applying edits to a base; an edit that does not apply is reported to `how.misfit` and skipped. */
export function applyEdits<K, C, T>(
  base: readonly T[],
  edits: readonly Edit<K, C, T>[],
  how: Applying<K, C, T>,
): T[] {
  const out: T[] = [];
  let cursor = 0;
  edits.forEach((edit, index) => {
    if ('add' in edit) {
      out.push(edit.add);
      return;
    }
    if ('drop-rest' in edit) {
      cursor = base.length;
      return;
    }
    const key = 'after' in edit ? edit.after : 'change' in edit ? edit.change : edit.drop;
    const at = indexOfNth(base, cursor, edit.nth ?? 1, (item) => how.matches(item, key));
    const item = base[at];
    if (item === undefined) {
      how.misfit(index, key, base.slice(cursor));
      return;
    }
    out.push(...base.slice(cursor, at));
    if ('after' in edit) out.push(item);
    else if ('change' in edit) out.push(how.change(item, edit.to, index));
    cursor = at + 1;
  });
  return [...out, ...base.slice(cursor)];
}

interface Place<K> {
  readonly key: K;
  readonly nth?: number;
}

/** How to name `base[target]` from `cursor` on: by a key, by a key after an element before it, or by key and nth. */
function locate<K, C, T>(
  base: readonly T[],
  cursor: number,
  target: number,
  item: T,
  how: Finding<K, C, T>,
): { readonly context?: K; readonly place: Place<K> } {
  const first = (from: number, key: K): number =>
    indexOfNth(base, from, 1, (each) => how.matches(each, key));
  const keys = how.keys(item);
  const [plain] = keys;
  const own = keys.find((key) => first(cursor, key) === target);
  if (own !== undefined) return { place: { key: own } };
  for (let at = target - 1; at >= Math.max(cursor, target - CONTEXT); at--) {
    const before = base[at];
    if (before === undefined) continue;
    const [key] = how.keys(before);
    if (first(cursor, key) === at && first(at + 1, plain) === target) {
      return { context: key, place: { key: plain } };
    }
  }
  const matching = base.slice(cursor, target + 1).filter((each) => how.matches(each, plain));
  return { place: { key: plain, nth: matching.length } };
}

/** The edits that turn `base` into `list`: `applyEdits(base, findEdits(base, list))` equals `list`. */
export function findEdits<K, C, T>(
  base: readonly T[],
  list: readonly T[],
  how: Finding<K, C, T>,
): Edit<K, C, T>[] {
  const edits: Edit<K, C, T>[] = [];
  /** Elements of the base before this index are done: edited, or copied. */
  let cursor = 0;
  let done = 0;
  const goTo = (target: number): Place<K> | undefined => {
    const item = base[target];
    if (item === undefined) return undefined;
    const { context, place } = locate(base, cursor, target, item, how);
    if (context !== undefined) edits.push({ after: context });
    cursor = target + 1;
    return place;
  };
  const goAfterDone = (): void => {
    if (done === cursor) return;
    const place = goTo(done - 1);
    if (place !== undefined) edits.push({ after: place.key, ...nthOf(place) });
  };
  const pairs = align(base, list, how);
  const lastPair = pairs.findLastIndex(({ a, b }) => a !== undefined && b !== undefined);
  pairs.forEach(({ a, b }, index) => {
    const from = a === undefined ? undefined : base[a];
    const to = b === undefined ? undefined : list[b];
    if (a === undefined || from === undefined) {
      if (to === undefined) return;
      goAfterDone();
      edits.push({ add: to });
      return;
    }
    if (to !== undefined) {
      const change = how.changes(from, to);
      if (change !== undefined) {
        const place = goTo(a);
        if (place !== undefined) edits.push({ change: place.key, ...nthOf(place), to: change });
      }
      done = a + 1;
      return;
    }
    if (index > lastPair && done < base.length - 1) {
      goAfterDone();
      edits.push({ 'drop-rest': true });
      cursor = base.length;
      done = base.length;
      return;
    }
    if (done === base.length) return;
    const place = goTo(a);
    if (place !== undefined) edits.push({ drop: place.key, ...nthOf(place) });
    done = a + 1;
  });
  return edits;
}

const nthOf = ({ nth }: Place<unknown>): { nth?: number } => (nth === undefined ? {} : { nth });
