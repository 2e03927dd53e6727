/** lib/ioremap.c: sets the page-table entries of a mapping in vmalloc space. */
import { alignDown, PAGE_SIZE, tableIndex, va, type Va } from '../../machine/address.js';
import { get_entry, set_entry, type Level } from '../../kernel/cpu-ops.js';
import { entryPhysical } from '../arch/x86/include/asm/pgtable_types.js';
import { GFP } from '../mm/page_alloc/page_alloc.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Returns 0, or a negative number if there is no memory for tables. */
    ioremap_page_range(k: Kernel, address: Va, end: Va, phys: number, prot: bigint): number;
  }
}

const SHIFTS = [
  ['pgd', 39],
  ['pud', 30],
  ['pmd', 21],
] as const;

/** The PTE table of an address; missing tables are allocated (pud_alloc, pmd_alloc, pte_alloc_kernel). 0 on failure. */
export function pteTable(k: Kernel, address: Va): Va | 0 {
  let table = k.sym('init_level4_pgt');
  for (const [level, shift] of SHIFTS) {
    const index = tableIndex(address, shift);
    let entry = get_entry(k, table, index);
    if (entry === 0n) {
      const page = k.fn.get_zeroed_page(GFP.KERNEL);
      if (page === 0) return 0;
      entry = k.fn.pud_populate(page);
      const mapped = va(alignDown(address, 2 ** shift));
      set_entry(k, level satisfies Level, table, index, entry, mapped);
    }
    table = k.__va(entryPhysical(entry));
  }
  return table;
}

export const libIoremap = bodies({
  ioremap_page_range: inline((k: Kernel, address: Va, end: Va, phys: number, prot: bigint) => {
    for (let at: number = address; at < end; at += PAGE_SIZE) {
      const table = pteTable(k, va(at));
      if (table === 0) return -1;
      const value = k.fn.pfn_pte((phys + at - address) / PAGE_SIZE, prot);
      set_entry(k, 'pte', table, tableIndex(va(at), 12), value, va(at));
    }
    return 0;
  }),
});
