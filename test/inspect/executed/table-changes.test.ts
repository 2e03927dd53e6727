import { describe, expect, test } from '@jest/globals';
import { tableChanges } from '../../../src/inspect/executed/table-changes.js';
import type { MappedRange } from '../../../src/inspect/tables.js';

const PAGE = 0x1000;
const range = (
  va: number,
  pa: number,
  pages: number,
  more: Partial<MappedRange> = {},
): MappedRange => ({
  ...{ va, pa, bytes: pages * PAGE, page: PAGE, flags: 'RW', c: 0, type: 'WB' },
  ...more,
});
const shown = (before: MappedRange[], now: MappedRange[]): unknown[] =>
  tableChanges(before, now).map(({ kind, va, bytes, range: { pa, c }, was }) => [
    ...[kind, va, bytes / PAGE, pa, c],
    ...(was === undefined ? [] : [was]),
  ]);
const KERNEL = -0x7f00_0000;

describe('page tables differ by', () => {
  test('nothing where they are the same, also in other pieces', () => {
    expect(shown([range(0, 0, 2)], [range(0, 0, 1), range(PAGE, PAGE, 1)])).toEqual([]);
  });

  test('what was mapped, unmapped and changed, part by part', () => {
    const before = [range(0, 0x8000, 4), range(KERNEL, 0x10000, 2)];
    const now = [
      range(0, 0x8000, 1),
      range(PAGE, 0x9000, 1, { c: 1 }),
      range(3 * PAGE, 0xb000, 2),
      range(KERNEL, 0x10000, 3),
    ];
    expect(shown(before, now)).toEqual([
      ['protect', PAGE, 1, 0x9000, 1, 'RW C=0'],
      ['unmap', 2 * PAGE, 1, 0xa000, 0],
      ['map', 4 * PAGE, 1, 0xc000, 0],
      ['map', KERNEL + 2 * PAGE, 1, 0x12000, 0],
    ]);
  });

  test('a mapping to another page', () => {
    expect(shown([range(0, 0, 1)], [range(0, PAGE, 1)])).toEqual([['map', 0, 1, PAGE, 0]]);
  });

  test('adjacent changes once', () => {
    const now = [range(0, 0, 1, { c: 1 }), range(PAGE, PAGE, 1, { c: 1 })];
    expect(shown([range(0, 0, 2)], now)).toEqual([['protect', 0, 2, 0, 1, 'RW C=0']]);
  });

  test('a large page that is split with the same attributes', () => {
    const large = range(0, 0, 512, { page: 0x20_0000 });
    expect(shown([large], [range(0, 0, 512)])).toEqual([['protect', 0, 512, 0, 0, 'RW C=0']]);
  });
});
