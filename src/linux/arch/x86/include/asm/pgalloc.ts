/** arch/x86/include/asm/pgalloc.h: entries that point to page tables. */
import type { Va } from '../../../../../machine/address.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Value of an entry that points to a new table, for pgd_populate, pud_populate and pmd_populate_kernel alike. */
    pud_populate(k: Kernel, table: Va): bigint;
  }
}

export const asmPgalloc = bodies({
  pud_populate: inline((k: Kernel, table: Va) => BigInt(k.__pa(table)) | k.fn._PAGE_TABLE()),
});
