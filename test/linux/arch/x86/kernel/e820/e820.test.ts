import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sanitize } from '../../../../../../src/linux/arch/x86/kernel/e820/e820.js';
import {
  E820,
  E820_X_MAX,
  type E820Entry,
} from '../../../../../../src/linux/arch/x86/include/asm/e820.js';
import { BootCheckpoint } from '../../../../../kernel/at-label.js';

const entry = (addr: number, size: number, type: number): E820Entry => ({
  addr: BigInt(addr),
  size: BigInt(size),
  type,
});
const typeAt = (map: readonly E820Entry[], at: bigint): number =>
  map.reduce((t, e) => (e.addr <= at && e.addr + e.size > at ? Math.max(t, e.type) : t), 0);

describe('sanitize_e820_map', () => {
  test('a map of one entry stays unchanged', () => {
    expect(sanitize([entry(0, 0x1000, 1)])).toBeUndefined();
  });

  test('a map with an entry that wraps around 2^64 stays unchanged', () => {
    const wrap = { addr: 2n ** 64n - 1n, size: 2n, type: 1 };
    expect(sanitize([entry(0, 0x1000, 1), wrap])).toBeUndefined();
  });

  test('where entries overlap the higher type wins, and adjacent ranges of one type merge', () => {
    expect(
      sanitize([entry(0, 0x3000, 1), entry(0x1000, 0x1000, 2), entry(0x3000, 0x1000, 1)]),
    ).toEqual([entry(0, 0x1000, 1), entry(0x1000, 0x1000, 2), entry(0x2000, 0x2000, 1)]);
  });

  test('every address has the highest type of the entries that contain it', () => {
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

describe('sanitize_e820_map of persistent memory', () => {
  test('adjacent ranges of type 12 stay separate, those of type 7 merge', () => {
    const two = (type: number) => [entry(0, 0x1000, type), entry(0x1000, 0x1000, type)];
    expect(sanitize(two(12))).toEqual(two(12));
    expect(sanitize(two(7))).toEqual([entry(0, 0x2000, 7)]);
  });

  test('a map ends with the entry that reaches its capacity', () => {
    const map = [entry(0, 1, 1), entry(2, 1, 1), entry(4, 1, 1)];
    expect(sanitize(map, 2)).toEqual(map.slice(0, 2));
  });
});

describe('the kernel’s own map', () => {
  const checkpoint = new BootCheckpoint('setup_memory_map');
  const wraps: E820Entry = { addr: 2n ** 64n - 1n, size: 2n, type: E820.RAM };
  const { k } = checkpoint;
  beforeEach(() => {
    checkpoint.restore();
    k.state.e820 = [];
  });

  test('__append_e820_map leaves the entries before one that wraps in the map, and reads none after it', () => {
    const visited: number[] = [];
    function* entries(): Generator<E820Entry> {
      for (const [index, each] of [
        entry(0, 1, 1),
        entry(2, 1, 9),
        wraps,
        entry(4, 1, 1),
      ].entries()) {
        visited.push(index);
        // The entry before this one is in the map already.
        expect(k.state.e820).toHaveLength(Math.min(index, 2));
        yield each;
      }
    }
    expect(k.fn.__append_e820_map(entries())).toBe(-1);
    expect(k.state.e820).toEqual([entry(0, 1, 1), entry(2, 1, 9)]);
    expect(visited).toEqual([0, 1, 2]);
  });

  test('e820_add_region adds no more than E820_X_MAX entries', () => {
    for (let i = 0; i <= E820_X_MAX; i++) k.fn.e820_add_region(entry(i * 2, 1, 1));
    expect(k.state.e820).toHaveLength(E820_X_MAX);
  });

  test.each([
    ['all of it', 0x1000, 0x3000, [entry(0x1000, 0x3000, 2)]],
    [
      'the middle',
      0x2000,
      0x1000,
      [entry(0x1000, 0x1000, 1), entry(0x2000, 0x1000, 2), entry(0x3000, 0x1000, 1)],
    ],
    ['the head', 0, 0x2000, [entry(0x2000, 0x2000, 1), entry(0x1000, 0x1000, 2)]],
    ['the tail', 0x3000, 0x9000, [entry(0x1000, 0x2000, 1), entry(0x3000, 0x1000, 2)]],
    ['nothing', 0x4000, 0x1000, [entry(0x1000, 0x3000, 1)]],
  ])('e820_update_range changes %s of an entry', (_what, start, size, expected) => {
    k.state.e820 = [entry(0x1000, 0x3000, E820.RAM)];
    k.fn.e820_update_range(BigInt(start), BigInt(size), E820.RAM, E820.RESERVED);
    expect(k.state.e820).toEqual(expected);
  });

  test('e820_update_range cuts a range that ends beyond 2^64 at 2^64 - 1', () => {
    k.state.e820 = [entry(0x1000, 0x3000, E820.RAM)];
    k.fn.e820_update_range(0x2000n, 2n ** 64n - 1n, E820.RAM, E820.RESERVED);
    expect(k.state.e820).toEqual([entry(0x1000, 0x1000, 1), entry(0x2000, 0x2000, 2)]);
  });

  test('e820_all_mapped is true for a range of several adjacent entries, and false across a gap', () => {
    k.state.e820 = [entry(0, 0x1000, 1), entry(0x1000, 0x1000, 1), entry(0x3000, 0x1000, 1)];
    expect(k.fn.e820_all_mapped(0n, 0x2000n, 1)).toBe(true);
    expect(k.fn.e820_all_mapped(0n, 0x2001n, 1)).toBe(false);
  });
});
