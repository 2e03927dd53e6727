/**
 * Parts of the kernel's state whose entries stand each for itself: a step that does not touch an entry does the same
 * whatever is in it. All other parts count as used by every step.
 */
import type { KernelState } from '../../kernel/state.js';
import { alike } from './deep-equal.js';

/** Where the shelves are: what has them, and under which name. */
const SHELVES = {
  capability: (state: KernelState) => [state.bootCpuData, 'capability'],
  log: (state: KernelState) => [state.console.printk, 'log'],
  iomemResource: (state: KernelState) => [state, 'iomemResource'],
} as const satisfies Record<string, (state: KernelState) => readonly [holder: object, key: string]>;
type ShelfName = keyof typeof SHELVES;
const NAMES = Object.keys(SHELVES) as ShelfName[];

/** An entry of a shelf. */
export interface Entry {
  readonly shelf: ShelfName;
  readonly key: string;
}

/** The shelf: a list or a record. */
function shelfOf(state: KernelState, name: ShelfName): object {
  const [holder, key] = SHELVES[name](state);
  return propertyOf(holder, key) as object;
}

function setShelf(state: KernelState, name: ShelfName, shelf: object): void {
  const [holder, key] = SHELVES[name](state);
  Reflect.set(holder, key, shelf);
}

const propertyOf = (of: object, key: string): unknown => Reflect.get(of, key);

/** Entries that a step has touched; '*' where it asked which there are, or put another shelf there. */
export class Touched {
  private readonly keys = new Map<ShelfName, Set<string>>();

  add(shelf: ShelfName, key: string): void {
    const keys = this.keys.get(shelf) ?? new Set<string>();
    this.keys.set(shelf, keys.add(key));
  }

  has({ shelf, key }: Entry): boolean {
    const keys = this.keys.get(shelf);
    return keys !== undefined && (keys.has('*') || keys.has(key));
  }
}

/** From now on, entries that are touched go into a set, until the function that it gives is called. */
export function watchShelves(state: KernelState, into: Touched): () => void {
  const watched = NAMES.map((name) => {
    const shelf = shelfOf(state, name);
    const proxy = watch(shelf, (key) => into.add(name, key));
    setShelf(state, name, proxy);
    return { name, shelf, proxy };
  });
  return () => {
    for (const { name, shelf, proxy } of watched) {
      if (shelfOf(state, name) === proxy) setShelf(state, name, shelf);
      else into.add(name, '*');
    }
  };
}

/** Tells of each entry of a shelf that is read or written. */
function watch<T extends object>(shelf: T, note: (key: string) => void): T {
  const noted = <R>(key: string | symbol, result: R): R => {
    note(String(key));
    return result;
  };
  return new Proxy(shelf, {
    get: (target, key): unknown => noted(key, Reflect.get(target, key)),
    set: (target, key, value) => {
      const before = propertyOf(target, 'length');
      const done = noted(key, Reflect.set(target, key, value));
      // A list that was cut has lost entries by the way.
      if (key === 'length' && before !== value) note('*');
      return done;
    },
    has: (target, key) => noted(key, Reflect.has(target, key)),
    deleteProperty: (target, key) => noted(key, Reflect.deleteProperty(target, key)),
    ownKeys: (target) => noted('*', Reflect.ownKeys(target)),
  });
}

/** Entries in which two states differ; undefined where they differ in more, or where a list is longer. */
export function statesApart(a: KernelState, b: KernelState): Entry[] | undefined {
  if (!alike(withoutShelves(a), withoutShelves(b))) return undefined;
  const apart: Entry[] = [];
  for (const shelf of NAMES) {
    const [left, right] = [shelfOf(a, shelf), shelfOf(b, shelf)];
    if (propertyOf(left, 'length') !== propertyOf(right, 'length')) return undefined;
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      if (!alike(propertyOf(left, key), propertyOf(right, key))) apart.push({ shelf, key });
    }
  }
  return apart;
}

/** Gives a state the entries of another. */
export function putEntries(onto: KernelState, from: KernelState, entries: readonly Entry[]): void {
  for (const { shelf, key } of entries) {
    const value = propertyOf(shelfOf(from, shelf), key);
    if (value === undefined) Reflect.deleteProperty(shelfOf(onto, shelf), key);
    else Reflect.set(shelfOf(onto, shelf), key, structuredClone(value));
  }
}

function withoutShelves(state: KernelState): unknown {
  const { bootCpuData, console } = state;
  return {
    ...state,
    bootCpuData: { ...bootCpuData, capability: null },
    iomemResource: null,
    console: { ...console, printk: { ...console.printk, log: null } },
  };
}
