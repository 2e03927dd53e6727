/** Alternative to patch 10: early_memremap() and memremap() decide by the physical address, as the third posting does. */
import { BOOT_PARAMS } from '../firmware/boot-params.js';
import { EFI_MEMORY_TYPE } from '../firmware/efi/layout.js';
import type { Alternative } from '../kernel/hunk.js';
import type { PatchedKernel } from '../kernel/table.js';
import { E820 } from '../linux/arch/x86/include/asm/e820.js';
import { descSize } from '../linux/include/linux/efi/memmap.js';
import { PAGE_SIZE, va } from '../machine/address.js';

/** Memory types of EFI whose contents firmware or loader wrote without a key. */
const PLAIN_EFI: ReadonlySet<number> = new Set([
  EFI_MEMORY_TYPE.BOOT_SERVICES_DATA,
  EFI_MEMORY_TYPE.RUNTIME_SERVICES_DATA,
]);
/** Types of the e820 map that are not the kernel's to use. */
const PLAIN_E820: ReadonlySet<number> = new Set([
  E820.RESERVED,
  E820.ACPI,
  E820.NVS,
  E820.UNUSABLE,
]);

/**
 * memremap_setup_data() and efi_table_address_match(): an address that the zero page or the EFI system table names, as far
 * as they have been read. Only the first node of the setup_data list counts.
 */
function isNamed(k: PatchedKernel, phys: number): boolean {
  const { physSystab, memmap, systab, tables } = k.state.efi;
  const first = Number(k.readU64(va(k.sym('boot_params') + BOOT_PARAMS.setup_data)));
  const named = [
    first,
    physSystab,
    memmap.phys_map,
    ...Object.values(tables),
    ...(systab === null ? [] : [systab.fw_vendor, systab.runtime, systab.tables].map(Number)),
  ];
  return phys !== 0 && named.includes(phys);
}

/** efi_mem_type(): of the descriptor that has the address, while the memory map is mapped. */
function efiMemType(k: PatchedKernel, phys: number): number | undefined {
  for (const at of k.fn.for_each_efi_memory_desc()) {
    const md = k.fn.efi_memory_desc(at);
    if (phys >= md.phys_addr && phys < md.phys_addr + descSize(md)) return md.type;
  }
  return undefined;
}

/** memremap_apply_encryption(): whether memory at an address is the kernel's own, which it maps with the mask. */
function isKernels(k: PatchedKernel, phys: number, size: number): boolean {
  if (k.fn.sme_me_mask() === 0n) return true;
  if (isNamed(k, phys)) return false;
  if (PLAIN_EFI.has(efiMemType(k, phys) ?? -1)) return false;
  // e820_get_entry_type() of [start, end − 1): the first entry that overlaps.
  const end = phys + size - 1;
  const entry = k.state.e820.find(
    ({ addr, size: bytes }) => Number(addr) < end && Number(addr + bytes) > phys,
  );
  return entry === undefined || !PLAIN_E820.has(entry.type);
}

export const byAddress: Alternative = {
  id: '10/by-address',
  file: 'arch/x86/mm/ioremap.c',
  what: 'early_memremap() and memremap() leave out the mask for memory that the maps and tables of the firmware name',
  source: '[RFC PATCH v3 10/20] "Add support to access boot related data in the clear", 2016-11-09',
  needs: ['early_memremap_dec', 'sme_me_mask'],
  replaces: {
    early_memremap: (previous) => (k, phys, size) =>
      isKernels(k, Number(phys), size)
        ? previous(k, phys, size)
        : k.fn.early_memremap_dec(phys, size),
    // RAM that is not the kernel's own is mapped anew, not found in the direct map.
    memremap: (previous) => (k, phys, size) => {
      if (isKernels(k, phys, size)) return previous(k, phys, size);
      const isRam = k.fn.page_is_ram(Math.floor(phys / PAGE_SIZE));
      return isRam ? k.fn.ioremap_cache(phys, size) : previous(k, phys, size);
    },
  },
};
