import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  ascii,
  concat,
  equalBytes,
  firstDifference,
  hasBytesAt,
  latin1,
  startsWith,
} from '../../src/base/bytes.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);
const some = fc.uint8Array({ maxLength: 6, max: 2 });

test('concat joins arrays, also none and empty ones', () => {
  expect(concat([])).toEqual(new Uint8Array(0));
  expect(concat([bytes(1), new Uint8Array(0), bytes(2, 3)])).toEqual(bytes(1, 2, 3));
});

test('latin1 is the inverse of ascii for each character below U+0100', () => {
  const text = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
  expect(ascii(text)).toHaveLength(256);
  expect(latin1(ascii(text))).toBe(text);
});

test('latin1 accepts more bytes than a function call accepts arguments', () => {
  expect(latin1(new Uint8Array(300_000).fill(0x41))).toBe('A'.repeat(300_000));
});

describe('firstDifference', () => {
  test.each([
    [[], [], undefined],
    [[1, 2, 3], [1, 2, 3], undefined],
    [[1, 2, 3], [9, 2, 3], 0],
    [[1, 2, 3], [1, 2, 9], 2],
    [[1, 2, 3], [1, 2], 2],
    [[1, 2], [1, 2, 3], 2],
  ])('of %j and %j is %p', (a, b, at) => {
    expect(firstDifference(bytes(...a), bytes(...b))).toBe(at);
  });

  test('is undefined if and only if equalBytes is true', () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        expect(equalBytes(a, b)).toBe(firstDifference(a, b) === undefined);
        expect(equalBytes(a, a.slice())).toBe(true);
      }),
    );
  });
});

describe('hasBytesAt and startsWith', () => {
  test.each([
    [[1, 2, 3], 1, [2, 3], true],
    [[1, 2, 3], 1, [2, 4], false],
    [[1, 2, 3], 2, [3, 0], false],
    [[1, 2, 3], 3, [], true],
    [[1, 2, 3], 4, [], false],
  ])('hasBytesAt: %j has at %p the bytes %j: %p', (all, at, expected, result) => {
    expect(hasBytesAt(bytes(...all), at, expected)).toBe(result);
  });

  test('startsWith is true if the first bytes are equal', () => {
    fc.assert(
      fc.property(some, some, (all, first) => {
        expect(startsWith(all, first)).toBe(equalBytes(all.subarray(0, first.length), first));
        expect(startsWith(concat([first, all]), first)).toBe(true);
      }),
    );
  });
});
