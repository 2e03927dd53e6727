/** arch/x86/mm/pageattr.c: page-table look-ups, cache and TLB flushes. */
import { alignDown, PAGE_SIZE, tableIndex, va, type Va } from '../../../../../machine/address.js';
import type { Cpu } from '../../../../../machine/cpu/cpu.js';
import { _PAGE_PRESENT } from '../../../../../kernel/constants.js';
import { get_entry, wbinvd } from '../../../../../kernel/cpu-ops.js';
import {
  LEVELS,
  PG_LEVEL_1G,
  PG_LEVEL_2M,
  PG_LEVEL_4K,
  entryOf,
  pmdLarge,
  pmdPresent,
  pudLarge,
  pudPresent,
  type CpaData,
  type FoundEntry,
} from './types.js';
import { flushTlbOf } from '../tlb.js';
import { entryPhysical } from '../../include/asm/pgtable_types.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** The entry that maps `address` in the page-global directory at `pgd`; undefined where the kernel returns NULL. */
    lookup_address_in_pgd(k: Kernel, pgd: Va, address: number): FoundEntry | undefined;
    lookup_address(k: Kernel, address: number): FoundEntry | undefined;
    _lookup_address_cpa(k: Kernel, cpa: CpaData, address: number): FoundEntry | undefined;
    /** Flushes each cache line of `size` bytes, through the current mapping. */
    clflush_cache_range(k: Kernel, vaddr: Va, size: number): void;
    cpa_flush_range(k: Kernel, start: Va, numpages: number, cache: boolean): void;
    cpa_flush_all(k: Kernel, cache: boolean): void;
  }
}

function wbinvdOf(k: Kernel, cpu: Cpu): void {
  if (cpu.id === k.cpu.id) {
    wbinvd(k);
    return;
  }
  cpu.wbinvd();
  k.trace.emit('cache-flush', { how: 'wbinvd', cpu: cpu.id });
}

export const pageattrFlush = bodies({
  lookup_address_in_pgd: inline((k: Kernel, pgd: Va, address: number): FoundEntry | undefined => {
    const entry = get_entry(k, pgd, tableIndex(address, 39));
    if (entry === 0n) return undefined;
    const pud = k.__va(entryPhysical(entry));
    const pudIndex = tableIndex(address, 30);
    const pudEntry = get_entry(k, pud, pudIndex);
    if (pudEntry === 0n) return undefined;
    if (pudLarge(pudEntry) || !pudPresent(pudEntry)) {
      return { table: pud, index: pudIndex, level: PG_LEVEL_1G };
    }
    const pmd = k.__va(entryPhysical(pudEntry));
    const pmdIndex = tableIndex(address, 21);
    const pmdEntry = get_entry(k, pmd, pmdIndex);
    if (pmdEntry === 0n) return undefined;
    if (pmdLarge(pmdEntry) || !pmdPresent(pmdEntry)) {
      return { table: pmd, index: pmdIndex, level: PG_LEVEL_2M };
    }
    const table = k.__va(entryPhysical(pmdEntry));
    return { table, index: tableIndex(address, 12), level: PG_LEVEL_4K };
  }),

  lookup_address: inline((k: Kernel, address: number) =>
    k.fn.lookup_address_in_pgd(k.sym('init_level4_pgt'), address),
  ),

  _lookup_address_cpa: inline((k: Kernel, cpa: CpaData, address: number) =>
    cpa.pgd === 0 ? k.fn.lookup_address(address) : k.fn.lookup_address_in_pgd(cpa.pgd, address),
  ),

  clflush_cache_range: inline((k: Kernel, vaddr: Va, size: number) => {
    k.trace.flushing(vaddr, size, () => {
      k.retryUntilDelivered(() => k.cpu.clflushRange(vaddr, size));
    });
  }),

  cpa_flush_range: inline((k: Kernel, start: Va, numpages: number, cache: boolean) => {
    k.fn.flush_tlb_all();
    if (!cache) return;
    // The kernel looks up every 4 KiB page; here the entry of a large page is looked up once for all its pages.
    for (let page = 0; page < numpages;) {
      const address = va(start + page * PAGE_SIZE);
      const at = k.fn.lookup_address(address);
      const size = at === undefined ? PAGE_SIZE : LEVELS[at.level].size;
      const run = Math.min(
        numpages - page,
        (alignDown(address, size) + size - address) / PAGE_SIZE,
      );
      if (at !== undefined && (entryOf(k, at) & _PAGE_PRESENT) !== 0n) {
        k.fn.clflush_cache_range(address, run * PAGE_SIZE);
      }
      page += run;
    }
  }),

  cpa_flush_all: inline((k: Kernel, cache: boolean) => {
    k.fn.on_each_cpu((cpu) => {
      flushTlbOf(k, cpu);
      // boot_cpu_data.x86 ≥ 4: true of every CPU that the model has.
      if (cache) wbinvdOf(k, cpu);
    });
  }),
});
