import { describe, expect, test } from '@jest/globals';
import { deserialize, serialize } from '../../src/machine/codec.js';

describe('a value comes back', () => {
  test.each([
    ['texts, numbers and lists', { a: 'text', b: [1, 2.5, -3], c: null, d: true }],
    ['numbers that JSON has not', [Infinity, -Infinity, NaN, -0, { expires: Infinity }]],
    ['bigints and maps', { a: 2n ** 70n, b: new Map<unknown, unknown>([['k', -1n]]) }],
    [
      'typed arrays of one value or several',
      [new Uint8Array(64), Int32Array.of(-1, 2), Float64Array.of(NaN, -0), Uint16Array.of(7, 7)],
    ],
    ['text that looks like a tag', { v: '$', $$: 'bigint' }],
  ])('%s', (_name, value) => {
    expect(deserialize(serialize(value))).toEqual(value);
  });

  test('an array that is there twice is one again', () => {
    const array = Uint8Array.of(1, 2, 3);
    const [a, b] = deserialize(serialize([array, array])) as unknown[];
    expect(a).toBe(b);
  });
});

test('other bytes, and arrays of another kind, are refused', () => {
  expect(() => deserialize(new Uint8Array(16))).toThrow('no snapshot');
  expect(() => serialize(new Float32Array(1))).toThrow('Float32Array');
});
