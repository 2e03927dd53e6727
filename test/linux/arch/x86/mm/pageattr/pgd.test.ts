import { beforeEach, describe, expect, test } from '@jest/globals';
import { PAGE_SIZE, PMD_SIZE, PUD_SIZE, type Va } from '../../../../../../src/machine/address.js';
import { _PAGE_GLOBAL, _PAGE_NX, _PAGE_RW } from '../../../../../../src/kernel/constants.js';
import { EINVAL } from '../../../../../../src/linux/include/uapi/asm-generic/errno-base.js';
import { entryOf } from '../../../../../../src/linux/arch/x86/mm/pageattr/types.js';
import { freeRanges } from '../../../../../../src/linux/mm/page_alloc/page_alloc.js';
import { patched } from '../../../../../helpers.js';
import { BootCheckpoint } from '../../../../../kernel/at-label.js';

const checkpoint = new BootCheckpoint('drivers');
const { k } = checkpoint;

function root(): Va {
  const page = k.fn.get_zeroed_page(0);
  if (page === 0) throw new Error('no memory');
  return page;
}

/** Level, physical address and C-bit of an address under a root; undefined where it is not mapped. */
function lookup(pgd: Va, address: number): { level: number; pa: number; c: number } | undefined {
  const found = k.fn.lookup_address_in_pgd(pgd, address);
  if (found === undefined || entryOf(k, found) === 0n) return undefined;
  const size = { 1: PAGE_SIZE, 2: PMD_SIZE, 3: PUD_SIZE }[found.level];
  const { pa, c } = k.cpu.decodeEntry(entryOf(k, found), size);
  return { level: found.level, pa: pa + (address % size), c };
}
const free = (): number => freeRanges(k.state.pages).reduce((sum, { size }) => sum + size, 0);

beforeEach(() => {
  checkpoint.restore();
});

describe('kernel_map_pages_in_pgd', () => {
  test('maps with 4K pages up to a 2M boundary, then 2M, then 1G pages, and down again', () => {
    const pgd = root();
    const first = PUD_SIZE - PMD_SIZE - PAGE_SIZE;
    const end = 2 * PUD_SIZE + PMD_SIZE + PAGE_SIZE;
    const pages = (end - first) / PAGE_SIZE;
    expect(k.fn.kernel_map_pages_in_pgd(pgd, first / PAGE_SIZE, first, pages, _PAGE_RW)).toBe(0);
    const levels: [number, number | undefined][] = [
      [first - PAGE_SIZE, undefined],
      [first, 1],
      [PUD_SIZE - PMD_SIZE, 2],
      [PUD_SIZE - PAGE_SIZE, 2],
      [PUD_SIZE, 3],
      [2 * PUD_SIZE - PAGE_SIZE, 3],
      [2 * PUD_SIZE, 2],
      [2 * PUD_SIZE + PMD_SIZE, 1],
      [end, undefined],
    ];
    for (const [address, level] of levels) {
      expect([address, lookup(pgd, address)?.level]).toEqual([address, level]);
      if (level !== undefined) expect(lookup(pgd, address)?.pa).toBe(address);
    }
  });

  test('sets the C-bit on pages only if the flags have it, and on the pointer to every table', () => {
    const pgd = root();
    const enc = patched(k).fn._PAGE_ENC();
    k.fn.kernel_map_pages_in_pgd(pgd, 0x800, 0x80_0000, 1, _PAGE_RW);
    k.fn.kernel_map_pages_in_pgd(pgd, 0x801, 0x80_1000, 1, _PAGE_RW | enc);
    expect([lookup(pgd, 0x80_0000)?.c, lookup(pgd, 0x80_1000)?.c]).toEqual([0, 1]);
    expect(k.readU64(pgd) & enc).toBe(enc);
  });

  test('makes 4K pages global and executable, 2M pages not global', () => {
    const pgd = root();
    k.fn.kernel_map_pages_in_pgd(pgd, 0x800 - 1, 0x80_0000 - PAGE_SIZE, 513, _PAGE_RW);
    const entry = (address: number): bigint => {
      const found = k.fn.lookup_address_in_pgd(pgd, address);
      return found === undefined ? 0n : entryOf(k, found);
    };
    expect(entry(0x80_0000 - PAGE_SIZE) & _PAGE_GLOBAL).toBe(_PAGE_GLOBAL);
    expect(entry(0x80_0000) & _PAGE_GLOBAL).toBe(0n);
    expect(entry(0x80_0000) & _PAGE_NX).toBe(0n);
  });

  test('keeps the page frame of a page that is already mapped and changes its flags', () => {
    const pgd = root();
    const enc = patched(k).fn._PAGE_ENC();
    k.fn.kernel_map_pages_in_pgd(pgd, 0x800, 0x80_0000, 512, _PAGE_RW | enc);
    k.fn.kernel_map_pages_in_pgd(pgd, 0, 0x80_3000, 1, _PAGE_RW);
    expect(lookup(pgd, 0x80_3000)).toEqual({ level: 1, pa: 0x80_3000, c: 0 });
    expect([lookup(pgd, 0x80_2000)?.c, lookup(pgd, 0x80_4000)?.c]).toEqual([1, 1]);
  });

  test('returns -1 without memory for a table, and leaves nothing behind', () => {
    const pgd = root();
    for (const zone of k.state.pages.zones) {
      zone.runs.length = 0;
      zone.pcp = {};
      for (const blocks of zone.blocks) blocks.length = 0;
    }
    expect(k.fn.kernel_map_pages_in_pgd(pgd, 0x800, 0x80_0000, 1, _PAGE_RW)).toBe(-1);
    expect(k.readU64(pgd)).toBe(0n);
  });

  test('returns -EINVAL on a CPU without NX', () => {
    const mask = k.sym('__supported_pte_mask');
    k.writeU64(mask, k.readU64(mask) & ~_PAGE_NX);
    expect(k.fn.kernel_map_pages_in_pgd(root(), 1, PAGE_SIZE, 1, _PAGE_RW)).toBe(-EINVAL);
  });
});

describe('kernel_unmap_pages_in_pgd', () => {
  test('unmaps the requested pages and frees empty tables', () => {
    const pgd = root();
    const before = free();
    k.fn.kernel_map_pages_in_pgd(pgd, 0x800, 0x80_0000, 3, _PAGE_RW);
    expect(before - free()).toBe(3 * PAGE_SIZE);
    k.fn.kernel_unmap_pages_in_pgd(pgd, 0x80_1000, 1);
    expect([0x80_0000, 0x80_1000, 0x80_2000].map((a) => lookup(pgd, a)?.pa)).toEqual([
      0x80_0000,
      undefined,
      0x80_2000,
    ]);
    k.fn.kernel_unmap_pages_in_pgd(pgd, 0x80_0000, 3);
    expect(free()).toBe(before);
    expect(k.readU64(pgd)).toBe(0n);
  });
});
