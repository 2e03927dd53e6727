import { describe, expect, test } from '@jest/globals';
import { byteSum, noiseBytes, Struct, ucs2 } from '../../src/firmware/struct.js';

describe('a structure', () => {
  test('has its fields little-endian', () => {
    const struct = new Struct(15)
      .u8(0, 1)
      .u16(1, 0x302)
      .u32(3, 0x7060504)
      .u64(7, 0xf0e0d0c0b0a0908n);
    expect([...struct.bytes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test('refuses a field past its end', () => {
    expect(() => new Struct(4).u32(0, 1)).not.toThrow();
    expect(() => new Struct(4).u32(1, 1)).toThrow(RangeError);
  });

  test.each([0, 1, 255])('sums to 0 for any previous value of the checksum: %i', (before) => {
    const struct = new Struct(4).u8(0, 200).u8(1, 100).u8(2, before).sum(2, 0, 3);
    expect(byteSum(struct.bytes.subarray(0, 3))).toBe(0);
    expect(struct.bytes[2]).toBe(212);
  });

  test('text in UCS-2 has two bytes per character and a NUL', () => {
    expect([...ucs2('aé')]).toEqual([0x61, 0, 0xe9, 0, 0, 0]);
  });

  test('noiseBytes of one seed are a prefix of each other', () => {
    expect([...noiseBytes(5, 7)]).toEqual([...noiseBytes(8, 7).subarray(0, 5)]);
  });
});
