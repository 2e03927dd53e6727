/** arch/x86/mm/init_64.c: set_pte_vaddr(), which maps one page in init_level4_pgt. */
import {
  alignDown,
  PMD_SIZE,
  PUD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../machine/address.js';
import { get_entry, invlpg, set_entry } from '../../../../../kernel/cpu-ops.js';
import { GFP } from '../../../../mm/page_alloc/page_alloc.js';
import { entryPhysical } from '../../include/asm/pgtable_types.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    set_pte_vaddr(k: Kernel, address: Va, pte: bigint): void;
    /** Allocates a zeroed page for a page table. Panics without memory. */
    spp_getpage(k: Kernel): Va;
  }
}

export const setPte = bodies({
  // Includes fill_pmd() and fill_pte().
  set_pte_vaddr: inline((k: Kernel, address: Va, pte: bigint) => {
    const pgd = get_entry(k, k.sym('init_level4_pgt'), tableIndex(address, 39));
    if (pgd === 0n) {
      k.fn.printk('PGD FIXMAP MISSING, it should be setup in head.S!');
      return;
    }
    let table = k.__va(entryPhysical(pgd));
    for (const { level, shift, span } of [
      { level: 'pud', shift: 30, span: PUD_SIZE },
      { level: 'pmd', shift: 21, span: PMD_SIZE },
    ] as const) {
      const index = tableIndex(address, shift);
      let entry = get_entry(k, table, index);
      if (entry === 0n) {
        entry = k.fn.pud_populate(k.fn.spp_getpage());
        set_entry(k, level, table, index, entry, va(alignDown(address, span)));
      }
      table = k.__va(entryPhysical(entry));
    }
    set_entry(k, 'pte', table, tableIndex(address, 12), pte, address);
    invlpg(k, address);
  }),

  spp_getpage: inline((k: Kernel) => {
    const page = k.fn.get_zeroed_page(GFP.KERNEL);
    if (page === 0) k.fn.panic('set_pte_phys: cannot allocate page data after bootmem');
    return va(page);
  }),
});
