import { beforeEach, describe, expect, test } from '@jest/globals';
import { KEY_HOST, PAGE_SIZE, pa, va, type Va } from '../../../../../../src/machine/address.js';
import {
  _PAGE_GLOBAL,
  _PAGE_NX,
  _PAGE_PCD,
  _PAGE_RW,
  PAGE_OFFSET,
} from '../../../../../../src/kernel/constants.js';
import { EFAULT } from '../../../../../../src/linux/include/uapi/asm-generic/errno-base.js';
import {
  PG_LEVEL_2M,
  PG_LEVEL_4K,
} from '../../../../../../src/linux/arch/x86/mm/pageattr/types.js';
import { BootCheckpoint, type Mapped } from '../../../../../kernel/at-label.js';

const MIB = 2 ** 20;
const checkpoint = new BootCheckpoint('drivers');
const { k } = checkpoint;
const { machine } = checkpoint.boot;
const leaf = (address: Va): Mapped => checkpoint.mapped(address);
const level = (address: Va): number | undefined => checkpoint.level(address);
const entry = (address: Va): bigint => checkpoint.entry(address);

/** An unused 2 MiB page of the direct map; the pages next to it are unused as well. */
const PMD = va(PAGE_OFFSET + 80 * MIB);
const PAGES = 512;

const page = (n: number): Va => va(PMD + n * PAGE_SIZE);

beforeEach(() => {
  checkpoint.restore();
});

describe('set_memory_4k', () => {
  test('splits a 2 MiB page without changing any translation or attribute', () => {
    const before = Array.from({ length: PAGES + 2 }, (_, i) => leaf(page(i - 1)));
    expect(level(page(0))).toBe(PG_LEVEL_2M);
    expect(k.fn.set_memory_4k(page(3), 1)).toBe(0);
    expect([level(page(-1)), level(page(0)), level(page(511)), level(page(512))]).toEqual([
      PG_LEVEL_2M,
      PG_LEVEL_4K,
      PG_LEVEL_4K,
      PG_LEVEL_2M,
    ]);
    expect(Array.from({ length: PAGES + 2 }, (_, i) => leaf(page(i - 1)))).toEqual(before);
  });

  test('encrypts the new table and sets the C-bit in the pointer to it', () => {
    k.fn.set_memory_4k(page(0), 1);
    const steps = k.cpu.traceWalk(page(0));
    expect(steps.map(({ level: name, c }) => [name, c])).toEqual([
      ['PGD', 1],
      ['PUD', 1],
      ['PMD', 1],
      ['PTE', 1],
    ]);
    expect(steps[3]?.key).toBe(KEY_HOST);
  });

  test('flushes the large page’s TLB entry, so that the new entries are used at once', () => {
    k.writeU64(page(7), 0x1122_3344_5566_7788n);
    k.fn.set_memory_4k(page(7), 1);
    expect(
      k.cpu.tlb
        .entries()
        .some((e) => e.va <= page(7) && e.va + e.size > page(7) && e.pageSize > PAGE_SIZE),
    ).toBe(false);
    expect(k.readU64(page(7))).toBe(0x1122_3344_5566_7788n);
  });
});

describe('set_memory_ro, _rw, _nx and _x', () => {
  test('change the requested pages and no adjacent ones', () => {
    expect(k.fn.set_memory_ro(page(5), 3)).toBe(0);
    const writable = [4, 5, 6, 7, 8].map((n) => (entry(page(n)) & _PAGE_RW) !== 0n);
    expect(writable).toEqual([true, false, false, false, true]);
    expect(k.fn.set_memory_rw(page(5), 3)).toBe(0);
    expect((entry(page(6)) & _PAGE_RW) !== 0n).toBe(true);
  });

  test('preserve a 2 MiB page only if the request covers all of it', () => {
    k.fn.set_memory_ro(page(0), PAGES);
    expect(level(page(0))).toBe(PG_LEVEL_2M);
    expect((entry(page(0)) & _PAGE_RW) === 0n).toBe(true);
    k.fn.set_memory_rw(page(0), PAGES - 1);
    expect([level(page(510)), level(page(512))]).toEqual([PG_LEVEL_4K, PG_LEVEL_2M]);
    expect([510, 511].map((n) => (entry(page(n)) & _PAGE_RW) !== 0n)).toEqual([true, false]);
  });

  test('split only the 2 MiB page that a request covers in part', () => {
    k.fn.set_memory_ro(page(511), PAGES + 1);
    expect([level(page(511)), level(page(512))]).toEqual([PG_LEVEL_4K, PG_LEVEL_2M]);
    expect([510, 511, 512, 1023, 1024].map((n) => (entry(page(n)) & _PAGE_RW) !== 0n)).toEqual([
      true,
      false,
      false,
      false,
      true,
    ]);
  });

  test('flush the TLB: a write to a page made read-only faults although it was cached as writable', () => {
    k.writeU64(page(9), 1n);
    k.fn.set_memory_ro(page(9), 1);
    expect(k.cpu.storeU64(page(9), 2n)).toMatchObject({ vector: 14 });
    expect(k.readU64(page(9))).toBe(1n);
  });

  test('leave kernel text executable and read-only data read-only', () => {
    const text = k.sym('_text');
    const rodata = k.sym('__start_rodata');
    k.fn.set_memory_nx(text, 1);
    expect(entry(text) & _PAGE_NX).toBe(0n);
    k.fn.set_memory_rw(k.__va(k.__pa(rodata)), 1);
    expect(entry(k.__va(k.__pa(rodata))) & _PAGE_RW).toBe(0n);
  });

  test('change the other mappings of a page as well, except for NX', () => {
    const data = va(Math.ceil(k.sym('_edata') / (2 * MIB)) * 2 * MIB - PAGE_SIZE);
    const direct = k.__va(k.__pa(data));
    k.fn.set_memory_ro(direct, 1);
    expect([entry(direct) & _PAGE_RW, entry(data) & _PAGE_RW]).toEqual([0n, 0n]);
    k.fn.set_memory_rw(data, 1);
    expect([entry(direct) & _PAGE_RW, entry(data) & _PAGE_RW]).toEqual([_PAGE_RW, _PAGE_RW]);
    const executable = entry(data) & _PAGE_NX;
    k.fn.set_memory_x(direct, 1);
    expect(entry(direct) & _PAGE_NX).toBe(0n);
    expect(entry(data) & _PAGE_NX).toBe(executable);
    // arch/x86/mm/pageattr.c, change_page_attr_set_clr(): NX alone may differ, in either direction.
    k.fn.set_memory_nx(direct, 1);
    expect([entry(direct) & _PAGE_NX, entry(data) & _PAGE_NX]).toEqual([_PAGE_NX, 0n]);
    k.fn.set_memory_x(direct, 1);
    k.fn.set_memory_nx(data, 1);
    expect([entry(direct) & _PAGE_NX, entry(data) & _PAGE_NX]).toEqual([0n, _PAGE_NX]);
  });

  // arch/x86/mm/pageattr.c, cpa_process_alias(): for an address in the direct map only the high mapping is looked for.
  test('change the high mapping of the page that a direct address maps, and no third mapping', () => {
    const data = va(Math.ceil(k.sym('_edata') / (2 * MIB)) * 2 * MIB - PAGE_SIZE);
    const direct = k.__va(k.__pa(data));
    k.fn.set_memory_4k(page(3), 1);
    const at = k.fn.lookup_address(page(3));
    if (at === undefined) throw new Error('not mapped');
    const moved = entry(page(3)) - BigInt(k.__pa(page(3))) + BigInt(k.__pa(data));
    k.writeU64(va(at.table + at.index * 8), moved);
    k.fn.flush_tlb_all();
    k.fn.set_memory_ro(page(3), 1);
    expect([page(3), direct, data].map((each) => entry(each) & _PAGE_RW)).toEqual([
      ...[0n, _PAGE_RW, 0n],
    ]);
  });

  test('skip a hole in the direct map and return -EFAULT for an address after its end', () => {
    const end = va(PAGE_OFFSET + k.state.maxPfnMapped * PAGE_SIZE);
    checkpoint.unmap(page(4));
    expect(k.fn.set_memory_ro(page(3), 3)).toBe(0);
    expect([3, 4, 5].map((n) => entry(page(n)) & _PAGE_RW)).toEqual([0n, 0n, 0n]);
    expect(entry(page(4))).toBe(0n);
    expect(k.fn.set_memory_ro(va(end - PAGE_SIZE), 1)).toBe(0);
    expect(k.fn.set_memory_ro(end, 1)).toBe(-EFAULT);
  });

  // change_page_attr_set_clr(): after an error it does not know which pages have changed.
  test('flush the lines of the pages if the cache mode changes, and the whole caches after an error', () => {
    const flushes = (): unknown[] =>
      checkpoint.boot.recorder
        .eventsOf('test')
        .filter((event) => event['cache-flush'] !== undefined)
        .map((event) => event['cache-flush']);
    const uncached = (address: Va, pages: number): number =>
      k.fn.change_page_attr_set_clr(address, pages, _PAGE_PCD, 0n, false);
    expect(uncached(page(3), 2)).toBe(0);
    expect(flushes()).toEqual(['clflush']);
    const last = va(PAGE_OFFSET + (k.state.maxPfnMapped - 1) * PAGE_SIZE);
    checkpoint.restore();
    expect(uncached(last, 2)).toBe(-EFAULT);
    expect(flushes()).toEqual(k.machine.cpus.map(() => 'wbinvd'));
    checkpoint.restore();
    expect(k.fn.set_memory_ro(last, 2)).toBe(-EFAULT);
    expect(flushes()).toEqual([]);
  });

  test('set GLOBAL in present entries', () => {
    k.fn.set_memory_ro(page(0), 1);
    expect(entry(page(0)) & _PAGE_GLOBAL).toBe(_PAGE_GLOBAL);
  });
});

describe('cpa_flush_range', () => {
  test('writes cache lines back only if the cache mode changes', () => {
    const address = pa(page(0) - PAGE_OFFSET);
    k.writeU64(page(0), 0x55n);
    const memory = (): bigint => {
      const bytes = new Uint8Array(8);
      machine.dram.read(address, KEY_HOST, bytes, 0, 8);
      return new DataView(bytes.buffer).getBigUint64(0, true);
    };
    const before = memory();
    k.fn.cpa_flush_range(page(0), 1, false);
    expect(memory()).toBe(before);
    k.fn.cpa_flush_range(page(0), 1, true);
    expect(memory()).toBe(0x55n);
  });
});
