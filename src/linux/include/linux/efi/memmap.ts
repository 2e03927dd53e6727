/** The kernel's walk of the EFI memory map: descriptors in memory, at the firmware's stride (include/linux/efi.h). */
import { PAGE_SIZE, va, type Va } from '../../../../machine/address.js';
import { EFI_MEMORY_DESCRIPTOR } from '../../../../firmware/efi/layout.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { EfiFlag } from './types.js';
import type { Kernel } from '../../../../kernel/kernel.js';

/** efi_memory_desc_t. */
export interface EfiMemoryDesc {
  type: number;
  phys_addr: number;
  virt_addr: bigint;
  num_pages: number;
  attribute: bigint;
}

declare module '../../../../kernel/table.js' {
  interface Entries {
    efi_enabled(k: Kernel, flag: EfiFlag): boolean;
    /** Addresses of all descriptors of the mapped memory map, in order; empty if it is not mapped. */
    for_each_efi_memory_desc(k: Kernel): Va[];
    /** Reads one descriptor. */
    efi_memory_desc(k: Kernel, at: Va): EfiMemoryDesc;
  }
}

const FIELD = EFI_MEMORY_DESCRIPTOR;

/** Size in bytes of a descriptor's range. */
export const descSize = (md: EfiMemoryDesc): number => md.num_pages * PAGE_SIZE;

export const efiMemmap = bodies({
  efi_enabled: inline((k: Kernel, flag: EfiFlag) => k.state.efi.flags.includes(flag)),

  for_each_efi_memory_desc: inline((k: Kernel) => {
    const { map, nr_map, desc_size } = k.state.efi.memmap;
    return map === 0 ? [] : Array.from({ length: nr_map }, (_, i) => va(map + i * desc_size));
  }),

  efi_memory_desc: inline((k: Kernel, at: Va) => ({
    type: k.readU32(va(at + FIELD.Type)),
    phys_addr: Number(k.readU64(va(at + FIELD.PhysicalStart))),
    virt_addr: k.readU64(va(at + FIELD.VirtualStart)),
    num_pages: Number(k.readU64(va(at + FIELD.NumberOfPages))),
    attribute: k.readU64(va(at + FIELD.Attribute)),
  })),
});

export function set_bit(k: Kernel, flag: EfiFlag): void {
  if (!k.state.efi.flags.includes(flag)) k.state.efi.flags.push(flag);
}

export function clear_bit(k: Kernel, flag: EfiFlag): void {
  k.state.efi.flags = k.state.efi.flags.filter((each) => each !== flag);
}
