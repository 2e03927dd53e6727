/** arch/x86/mm/pgtable.c: setting a fixmap entry in the kernel's own page tables. */
import { PAGE_SIZE } from '../../../../machine/address.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    native_set_fixmap(k: Kernel, index: number, phys: number, prot: bigint): void;
  }
}

export const pgtable = bodies({
  native_set_fixmap: fn((k: Kernel, index: number, phys: number, prot: bigint) => {
    k.fn.set_pte_vaddr(k.fn.fix_to_virt(index), k.fn.pfn_pte(Math.floor(phys / PAGE_SIZE), prot));
  }, true),
});
