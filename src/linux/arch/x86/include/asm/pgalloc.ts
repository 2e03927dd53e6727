/** arch/x86/include/asm/pgalloc.h: pointers to tables. */
import type { Va } from '../../../../../machine/address.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** A pointer entry for a new table: pgd_populate, pud_populate, pmd_populate_kernel. */
    pud_populate(k: Kernel, table: Va): bigint;
  }
}

export const asmPgalloc = bodies({
  pud_populate: inline((k: Kernel, table: Va) => BigInt(k.__pa(table)) | k.fn._PAGE_TABLE()),
});
