/** arch/x86/include/asm/pgtable.h: values of page-table entries, and writes of them. */
import { _PAGE_PRESENT } from '../../../../../kernel/constants.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';
import { alignDown, va } from '../../../../../machine/address.js';
import { entryOf, LEVELS, type FoundEntry } from '../../mm/pageattr/types.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Removes flags that are not in __supported_pte_mask from a present entry. */
    massage_pgprot(k: Kernel, prot: bigint): bigint;
    pfn_pte(k: Kernel, pfn: number, prot: bigint): bigint;
    /** Writes an entry of a mapping that is in use: native_set_pte_atomic() (asm/pgtable_64.h). */
    set_pte_atomic(k: Kernel, at: FoundEntry, address: number, value: bigint): void;
  }
}

export const asmPgtable = bodies({
  massage_pgprot: inline((k: Kernel, prot: bigint) =>
    (prot & _PAGE_PRESENT) === 0n ? prot : prot & k.readU64(k.sym('__supported_pte_mask')),
  ),

  pfn_pte: inline(
    (k: Kernel, pfn: number, prot: bigint) => BigInt(pfn * 4096) | k.fn.massage_pgprot(prot),
  ),

  set_pte_atomic: inline((k: Kernel, at: FoundEntry, address: number, value: bigint) => {
    const { size } = LEVELS[at.level];
    const before = entryOf(k, at);
    k.writeU64(va(at.table + at.index * 8), value);
    k.trace.protected(at.table, at.index, before, value, va(alignDown(address, size)), size);
  }),
});
