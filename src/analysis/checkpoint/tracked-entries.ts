/**
 * Fields of the kernel's state whose entries are independent: a step that does not access an entry does the same
 * whatever its value. All other fields count as accessed by every step.
 */
import type { KernelState } from '../../kernel/state.js';
import { deepEqual } from './deep-equal.js';

/** The tracked fields: the object that has the field, and its key. */
const TRACKED = {
  capability: (state: KernelState) => [state.bootCpuData, 'capability'],
  log: (state: KernelState) => [state.console.printk, 'log'],
  iomemResource: (state: KernelState) => [state, 'iomemResource'],
} as const satisfies Record<string, (state: KernelState) => readonly [holder: object, key: string]>;
type TrackedField = keyof typeof TRACKED;
const NAMES = Object.keys(TRACKED) as TrackedField[];

/** An entry of a field. */
export interface Entry {
  readonly field: TrackedField;
  readonly key: string;
}

/** The field: a list or a record. */
function fieldOf(state: KernelState, name: TrackedField): object {
  const [holder, key] = TRACKED[name](state);
  return propertyOf(holder, key) as object;
}

function setField(state: KernelState, name: TrackedField, field: object): void {
  const [holder, key] = TRACKED[name](state);
  Reflect.set(holder, key, field);
}

const propertyOf = (of: object, key: string): unknown => Reflect.get(of, key);

/** Entries that a step has accessed; '*' if it enumerated or replaced the field. */
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

/** Records accessed entries in `into` until the returned function is called. */
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

/** A proxy that calls `note` with the key of each entry that is read or written. */
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
      // Assigning a shorter length removes entries.
      if (key === 'length' && before !== value) note('*');
      return done;
    },
    has: (target, key) => noted(key, Reflect.has(target, key)),
    deleteProperty: (target, key) => noted(key, Reflect.deleteProperty(target, key)),
    ownKeys: (target) => noted('*', Reflect.ownKeys(target)),
  });
}

/** Tracked entries in which two states differ; undefined if they differ in other fields or in the length of a list. */
export function diffStates(a: KernelState, b: KernelState): Entry[] | undefined {
  if (!deepEqual(withoutTracked(a), withoutTracked(b))) return undefined;
  const differences: Entry[] = [];
  for (const field of NAMES) {
    const [left, right] = [fieldOf(a, field), fieldOf(b, field)];
    if (propertyOf(left, 'length') !== propertyOf(right, 'length')) return undefined;
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      if (!deepEqual(propertyOf(left, key), propertyOf(right, key)))
        differences.push({ field, key });
    }
  }
  return differences;
}

/** Copies entries from one state to another. */
export function copyEntries(onto: KernelState, from: KernelState, entries: readonly Entry[]): void {
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
