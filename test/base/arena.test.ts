import { expect, test } from '@jest/globals';
import { Arena } from '../../src/base/arena.js';

test('arrays have their lengths, do not overlap, and are aligned', () => {
  const arena = Arena.of(Arena.sizeOf(4, 3, 2, 16, 4));
  const arrays = [
    arena.int32(1),
    arena.uint8(3),
    arena.uint16(1),
    arena.float64(2),
    arena.uint32(1),
  ];
  expect(arrays.map(({ length }) => length)).toEqual([1, 3, 1, 2, 1]);
  for (const [i, each] of arrays.entries()) each.fill(i + 1);
  expect(arrays.map((each) => [...each])).toEqual([[1], [2, 2, 2], [3], [4, 4], [5]]);
  expect(arrays.map(({ byteOffset }) => byteOffset % 64)).toEqual([0, 0, 0, 0, 0]);
});

test('an array that does not fit is refused', () => {
  expect(() => Arena.of(64).uint8(65)).toThrow(RangeError);
  const arena = Arena.of(64);
  arena.int32(16);
  expect(() => arena.uint8(1)).toThrow(RangeError);
});
