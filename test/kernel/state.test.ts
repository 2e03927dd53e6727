import { describe, expect, test } from '@jest/globals';
import { freshState } from '../../src/linux/index.js';
import { stateSlice } from '../../src/kernel/state.js';

/** Every object that can be reached from a value. */
function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found;
  found.add(value);
  const inside = value instanceof Map ? [...value.entries()] : Object.values(value);
  for (const one of inside) objectsIn(one, found);
  return found;
}

describe('freshState', () => {
  test('returns equal values each time', () => {
    expect(freshState()).toEqual(freshState());
  });

  test('returns values that share no object', () => {
    const other = objectsIn(freshState());
    expect(other.size).toBeGreaterThan(40);
    expect([...objectsIn(freshState())].filter((one) => other.has(one))).toEqual([]);
  });

  test('is structured-clonable', () => {
    expect(structuredClone(freshState())).toEqual(freshState());
  });

  test('has no value for a part that is not declared', () => {
    // @ts-expect-error: KernelState has no part of this name.
    const slice = stateSlice(() => ({ noSuchPart: 1 }));
    expect(Object.keys(freshState())).not.toContain(Object.keys(slice())[0]);
  });
});
