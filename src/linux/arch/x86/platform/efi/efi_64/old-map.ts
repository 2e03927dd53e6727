/** arch/x86/platform/efi/efi_64.c: efi=old_map, the 64-bit part. */
import {
  alignDown,
  PAGE_SIZE,
  PGDIR_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../../machine/address.js';
import { EFI_MEMORY, EFI_MEMORY_TYPE } from '../../../../../../firmware/efi/layout.js';
import { PAGE_OFFSET } from '../../../../../../kernel/constants.js';
import { __flush_tlb_all, get_entry, set_entry } from '../../../../../../kernel/cpu-ops.js';
import { nxSupported, setExec } from '../efi/old-map.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** Maps a range that is not in the direct map; 0 where that fails. */
    efi_ioremap(k: Kernel, phys: number, size: number, type: number, attribute: bigint): Va | 0;
    /** Makes the firmware's code executable or not executable. */
    early_code_mapping_set_exec(k: Kernel, executable: boolean): void;
    /** Copies the direct map's entries to the low half of the page-global directory: virtual addresses equal physical ones. */
    'efi_call_phys_prolog:old_map'(k: Kernel): void;
    'efi_call_phys_epilog:old_map'(k: Kernel): void;
  }
}

const EARLY_CODE: readonly number[] = [
  EFI_MEMORY_TYPE.RUNTIME_SERVICES_CODE,
  EFI_MEMORY_TYPE.BOOT_SERVICES_CODE,
];

export const efiOldMap64 = bodies({
  efi_ioremap: inline(
    (k: Kernel, phys: number, size: number, type: number, attribute: bigint): Va | 0 => {
      if (type === EFI_MEMORY_TYPE.MEMORY_MAPPED_IO) return k.fn.ioremap_nocache(phys, size);
      // The kernel repeats this for what init_memory_mapping() left out, which is nothing here.
      k.fn.init_memory_mapping(phys, phys + size);
      if ((attribute & EFI_MEMORY.WB) === 0n) k.fn.efi_memory_uc(k.__va(phys), size);
      return k.__va(phys);
    },
  ),

  early_code_mapping_set_exec: inline((k: Kernel, executable: boolean) => {
    if (nxSupported(k)) setExec(k, EARLY_CODE, executable);
  }),

  'efi_call_phys_prolog:old_map': inline((k: Kernel) => {
    k.fn.early_code_mapping_set_exec(true);
    const pgd = k.sym('init_level4_pgt');
    const saved: bigint[] = [];
    for (let at = 0; at < k.state.maxPfn * PAGE_SIZE; at += PGDIR_SIZE) {
      const low = tableIndex(at, 39);
      saved.push(get_entry(k, pgd, low));
      const entry = get_entry(k, pgd, tableIndex(va(PAGE_OFFSET + at), 39));
      set_entry(k, 'pgd', pgd, low, entry, va(alignDown(at, PGDIR_SIZE)));
    }
    // kmalloc(): only the epilog reads the copy; it is stored outside simulated memory (our choice).
    k.state.efi.save_pgd = saved;
    __flush_tlb_all(k);
  }),

  'efi_call_phys_epilog:old_map': inline((k: Kernel) => {
    const pgd = k.sym('init_level4_pgt');
    for (const [index, entry] of k.state.efi.save_pgd.entries()) {
      set_entry(k, 'pgd', pgd, index, entry, va(index * PGDIR_SIZE));
    }
    k.state.efi.save_pgd = [];
    __flush_tlb_all(k);
    k.fn.early_code_mapping_set_exec(false);
  }),
});
