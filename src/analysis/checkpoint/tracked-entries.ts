/**
 * Parts of the kernel's state whose entries stand each for itself: a step that does not touch an entry does the same
 * whatever is in it. All other parts count as used by every step.
 */
import type { KernelState } from '../../kernel/state.js';
import { deepEqual } from './deep-equal.js';

/** Where the shelves are: what has them, and under which name. */
const SHELVES = {
  capability: (state: KernelState) => [state.bootCpuData, 'capability'],
  log: (state: KernelState) => [state.console.printk, 'log'],
  iomemResource: (state: KernelState) => [state, 'iomemResource'],
} as const satisfies Record<string, (state: KernelState) => readonly [holder: object, key: string]>;
type TrackedField = keyof typeof SHELVES;
const NAMES = Object.keys(SHELVES) as TrackedField[];

/** An entry of a field. */
export interface Entry {
  readonly field: TrackedField;
  readonly key: string;
}

/** The field: a list or a record. */
function fieldOf(state: KernelState, name: TrackedField): object {
  const [holder, key] = SHELVES[name](state);
  return propertyOf(holder, key) as object;
}

function setField(state: KernelState, name: TrackedField, field: object): void {
  const [holder, key] = SHELVES[name](state);
  Reflect.set(holder, key, field);
}

const propertyOf = (of: object, key: string): unknown => Reflect.get(of, key);

/** Entries that a step has touched; '*' where it asked which there are, or put another field there. */
export class Touched {
  private readonly keys = new Map<TrackedField, Set<string>>();

  add(field: TrackedField, key: string): void {
    const keys = this.keys.get(field) ?? new Set<string>();
    this.keys.set(field, keys.add(key));
  }

  has({ field, key }: Entry): boolean {
    const keys = this.keys.get(field);
    return keys !== undefined && (keys.has('*') || keys.has(key));
  }
}

/** From now on, entries that are touched go into a set, until the function that it gives is called. */
export function trackFields(state: KernelState, into: Touched): () => void {
  const watched = NAMES.map((name) => {
    const field = fieldOf(state, name);
    const proxy = watch(field, (key) => into.add(name, key));
    setField(state, name, proxy);
    return { name, field, proxy };
  });
  return () => {
    for (const { name, field, proxy } of watched) {
      if (fieldOf(state, name) === proxy) setField(state, name, field);
      else into.add(name, '*');
    }
  };
}

/** Tells of each entry of a field that is read or written. */
function watch<T extends object>(field: T, note: (key: string) => void): T {
  const noted = <R>(key: string | symbol, result: R): R => {
    note(String(key));
    return result;
  };
  return new Proxy(field, {
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
export function diffStates(a: KernelState, b: KernelState): Entry[] | undefined {
  if (!deepEqual(withoutTracked(a), withoutTracked(b))) return undefined;
  const apart: Entry[] = [];
  for (const field of NAMES) {
    const [left, right] = [fieldOf(a, field), fieldOf(b, field)];
    if (propertyOf(left, 'length') !== propertyOf(right, 'length')) return undefined;
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      if (!deepEqual(propertyOf(left, key), propertyOf(right, key))) apart.push({ field, key });
    }
  }
  return apart;
}

/** Gives a state the entries of another. */
export function putEntries(onto: KernelState, from: KernelState, entries: readonly Entry[]): void {
  for (const { field, key } of entries) {
    const value = propertyOf(fieldOf(from, field), key);
    if (value === undefined) Reflect.deleteProperty(fieldOf(onto, field), key);
    else Reflect.set(fieldOf(onto, field), key, structuredClone(value));
  }
}

function withoutTracked(state: KernelState): unknown {
  const { bootCpuData, console } = state;
  return {
    ...state,
    bootCpuData: { ...bootCpuData, capability: null },
    iomemResource: null,
    console: { ...console, printk: { ...console.printk, log: null } },
  };
}
