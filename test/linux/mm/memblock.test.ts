import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addRange, removeRange, type Range } from '../../../src/linux/mm/memblock.js';
import { boot } from '../../helpers.js';

const has = (list: readonly Range[], at: number): boolean =>
  list.some(({ base, size }) => at >= base && at < base + size);
const range = fc.record({ base: fc.nat(40), size: fc.integer({ min: 1, max: 12 }) });

describe('memblock', () => {
  test('addRange() merges adjacent ranges', () => {
    expect(addRange([{ base: 0, size: 0x1000 }], 0x1000, 0x1000)).toEqual([
      { base: 0, size: 0x2000 },
    ]);
  });

  test('removeRange() from the middle leaves both ends', () => {
    expect(removeRange([{ base: 0, size: 0x3000 }], 0x1000, 0x1000)).toEqual([
      { base: 0, size: 0x1000 },
      { base: 0x2000, size: 0x1000 },
    ]);
  });

  test('addRange() of size 0 adds nothing', () => {
    expect(addRange([], 0x1000, 0)).toEqual([]);
  });

  test('memblock_find_in_range() applies the current limit only if no end is given', () => {
    const { kernel } = boot({ stage: 0 });
    kernel.state.memblock.memory = [{ base: 0, size: 0x40_0000 }];
    kernel.fn.memblock_set_current_limit(0x10_0000);
    expect(kernel.fn.memblock_find_in_range(0, 0, 0x1000, 0x1000)).toBe(0xf_f000);
    expect(kernel.fn.memblock_find_in_range(0, 0x20_0000, 0x1000, 0x1000)).toBe(0x1f_f000);
  });

  test('a list has exactly the addresses that were added and not removed later', () => {
    fc.assert(
      fc.property(fc.array(range), fc.array(range), (added, removed) => {
        let list: Range[] = [];
        for (const { base, size } of added) list = addRange(list, base, size);
        for (const { base, size } of removed) list = removeRange(list, base, size);
        for (let at = 0; at < 64; at++) {
          expect(has(list, at)).toBe(has(added, at) && !has(removed, at));
        }
        const sorted = [...list].sort((a, b) => a.base - b.base);
        expect(list).toEqual(sorted);
      }),
    );
  });
});
