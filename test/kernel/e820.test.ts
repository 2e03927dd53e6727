import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sanitize } from '../../src/kernel/e820.js';
import type { E820Entry } from '../../src/kernel/e820-types.js';

const entry = (addr: number, size: number, type: number): E820Entry => ({
  addr: BigInt(addr),
  size: BigInt(size),
  type,
});
const typeAt = (map: readonly E820Entry[], at: bigint): number =>
  map.reduce((t, e) => (e.addr <= at && e.addr + e.size > at ? Math.max(t, e.type) : t), 0);

describe('sanitize_e820_map', () => {
  test('a map of one entry is left alone', () => {
    expect(sanitize([entry(0, 0x1000, 1)])).toBeUndefined();
  });

  test('a map with an entry that wraps around 2^64 is left alone', () => {
    const wrap = { addr: 2n ** 64n - 1n, size: 2n, type: 1 };
    expect(sanitize([entry(0, 0x1000, 1), wrap])).toBeUndefined();
  });

  test('where entries overlap the higher type wins and neighbours of one type merge', () => {
    expect(
      sanitize([entry(0, 0x3000, 1), entry(0x1000, 0x1000, 2), entry(0x3000, 0x1000, 1)]),
    ).toEqual([entry(0, 0x1000, 1), entry(0x1000, 0x1000, 2), entry(0x2000, 0x2000, 1)]);
  });

  test('every address keeps the highest type that any entry gave it', () => {
    const any = fc.record({
      addr: fc.bigInt(0n, 30n),
      size: fc.bigInt(1n, 9n),
      type: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(any, { minLength: 2, maxLength: 12 }), (map) => {
        const clean = sanitize(map) ?? [];
        for (let at = 0n; at < 40n; at++) expect(typeAt(clean, at)).toBe(typeAt(map, at));
        for (const [i, e] of clean.entries()) {
          const next = clean[i + 1];
          if (next !== undefined) expect(e.addr + e.size <= next.addr).toBe(true);
        }
      }),
    );
  });
});
