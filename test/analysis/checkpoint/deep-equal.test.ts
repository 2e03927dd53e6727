import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deepEqual } from '../../../src/analysis/checkpoint/deep-equal.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('deepEqual', () => {
  test.each<[string, unknown, unknown]>([
    ['the same number', 1, 1],
    ['numbers that are none', NaN, NaN],
    ['lists', [1, [2]], [1, [2]]],
    ['the order of properties', { a: 1, b: { c: 2 } }, { b: { c: 2 }, a: 1 }],
    ['a property that is undefined', { a: 1, b: undefined }, { a: 1 }],
    ['bytes', bytes(1, 2), bytes(1, 2)],
    ['a part of other bytes', bytes(0, 1, 2).subarray(1), bytes(1, 2)],
    ['numbers of 64 bits', Float64Array.of(1.5, NaN), Float64Array.of(1.5, NaN)],
    ['maps', new Map([[1, { a: bytes(1) }]]), new Map([[1, { a: bytes(1) }]])],
    [
      'maps in another order',
      new Map([
        [1, 'a'],
        [2, 'b'],
      ]),
      new Map([
        [2, 'b'],
        [1, 'a'],
      ]),
    ],
  ])('is true for %s', (_, one, other) => {
    expect(deepEqual(one, other)).toBe(true);
    expect(deepEqual(other, one)).toBe(true);
  });

  test.each<[string, unknown, unknown]>([
    ['0 and -0', 0, -0],
    ['a number and its text', 1, '1'],
    ['null and nothing', null, undefined],
    ['null and an empty object', null, {}],
    ['an object and a list', { 0: 1 }, [1]],
    ['an object and a map', { a: 1 }, new Map([['a', 1]])],
    ['a list that continues', [1], [1, 2]],
    ['a deep value', { a: [{ b: 1 }] }, { a: [{ b: 2 }] }],
    ['a property more', { a: 1 }, { a: 1, b: 0 }],
    ['the last byte', bytes(1, 2, 3), bytes(1, 2, 4)],
    ['bytes that go on', bytes(1, 2), bytes(1, 2, 3)],
    ['bytes and a list of them', bytes(1, 2), [1, 2]],
    ['a value of a map', new Map([[1, bytes(1)]]), new Map([[1, bytes(2)]])],
    ['a key more', new Map([[1, 1]]), new Map([...[[1, 1] as const], [2, 1]])],
  ])('is false for %s', (_, one, other) => {
    expect(deepEqual(one, other)).toBe(false);
    expect(deepEqual(other, one)).toBe(false);
  });

  test('is true for a plain value and its copy, false for a copy with one leaf changed', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.uint8Array(), (value, data) => {
        const copy = structuredClone({ value, data });
        expect(deepEqual({ value, data }, copy)).toBe(true);
        expect(deepEqual({ value, data }, { ...copy, value: [copy.value] })).toBe(false);
        if (data.length === 0) return;
        copy.data[data.length - 1] = (copy.data.at(-1) ?? 0) ^ 1;
        expect(deepEqual({ value, data }, copy)).toBe(false);
      }),
    );
  });
});
