/** arch/x86/mm/ioremap.c: bm_pte, the page table of early mappings. */
import {
  alignDown,
  PAGE_SIZE,
  PMD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../machine/address.js';
import { FIX_BTMAP_BEGIN } from '../../../../../kernel/constants.js';
import { get_entry, invlpg, set_entry } from '../../../../../kernel/cpu-ops.js';
import { entryPhysical } from '../../include/asm/pgtable_types.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';
import type { Variable } from '../../../../../kernel/variables.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Virtual address of the page-global directory in use: `__va(read_cr3())`. */
    'early_ioremap_pmd:base'(k: Kernel): Va;
    early_ioremap_pmd(k: Kernel, address: Va): { table: Va; index: number };
    early_ioremap_init(k: Kernel): void;
    __early_set_fixmap(k: Kernel, index: number, phys: number, prot: bigint): void;
  }
}

export const ioremapVariables: readonly Variable[] = [
  { name: 'bm_pte', size: 4096, align: 4096, section: '.bss', file: 'arch/x86/mm/ioremap.c' },
];

export const ioremap = bodies({
  'early_ioremap_pmd:base': inline((k: Kernel) => k.__va(Number(k.cpu.cr3))),

  early_ioremap_pmd: inline((k: Kernel, address: Va) => {
    const pgd = k.fn['early_ioremap_pmd:base']();
    const pud = k.__va(entryPhysical(get_entry(k, pgd, tableIndex(address, 39))));
    const pmd = k.__va(entryPhysical(get_entry(k, pud, tableIndex(address, 30))));
    return { table: pmd, index: tableIndex(address, 21) };
  }),

  early_ioremap_init: fn((k: Kernel) => {
    const at = k.fn.fix_to_virt(FIX_BTMAP_BEGIN);
    const { table, index } = k.fn.early_ioremap_pmd(at);
    const bm_pte = k.sym('bm_pte');
    k.memset(bm_pte, 0, 4096);
    const pointer = BigInt(k.__pa(bm_pte)) | k.fn._PAGE_TABLE();
    set_entry(k, 'pmd', table, index, pointer, va(alignDown(at, PMD_SIZE)));
  }),

  __early_set_fixmap: inline((k: Kernel, index: number, phys: number, prot: bigint) => {
    const address = k.fn.fix_to_virt(index);
    const value = prot === 0n ? 0n : k.fn.pfn_pte(phys / PAGE_SIZE, prot);
    set_entry(k, 'pte', k.sym('bm_pte'), tableIndex(address, 12), value, address);
    invlpg(k, address);
  }),
});
