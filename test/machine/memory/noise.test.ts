import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { noise } from '../../../src/machine/memory/noise.js';

const WORDS = 1024;
const page = (seed: number, number: number): Uint32Array => {
  const out = new Uint32Array(WORDS);
  noise(seed, number, out);
  return out;
};

describe('power-on noise', () => {
  test('depends on seed and page only', () => {
    const out = new Uint32Array(WORDS).fill(7);
    noise(42, 1, out);
    expect(out).toEqual(page(42, 1));
    expect([...out.slice(0, 3)]).toEqual([0x63e8_3743, 0x9d83_13fb, 0x9699_800e]);
  });

  test('has no two equal words in a page, so no block of it is all zeros or all ones', () => {
    const seed = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(seed, fc.nat(2 ** 31 - 1), (of, number) => {
        expect(new Set(page(of, number)).size).toBe(WORDS);
      }),
    );
  });

  test('differs between pages that share low bits, up to the last of 2^52 bytes', () => {
    const numbers = [0, 1, 2 ** 22 - 1, 2 ** 22, 2 ** 22 + 1, 2 ** 32, 2 ** 40 - 1];
    const starts = numbers.map((number) => page(42, number).slice(0, 4).join());
    expect(new Set(starts).size).toBe(numbers.length);
    expect(page(43, 0)).not.toEqual(page(42, 0));
  });

  test('sets about half of all bits', () => {
    let set = 0;
    for (let number = 0; number < 64; number++) {
      for (const word of page(42, number)) {
        for (let rest = word; rest !== 0; rest >>>= 1) set += rest & 1;
      }
    }
    expect(set / (64 * WORDS * 32)).toBeCloseTo(0.5, 2);
  });
});
