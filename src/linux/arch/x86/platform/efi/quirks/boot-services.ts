/** arch/x86/platform/efi/quirks.c: boot services memory stays reserved until the firmware has virtual addresses. */
import { va } from '../../../../../../machine/address.js';
import {
  EFI_MEMORY,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_TYPE,
} from '../../../../../../firmware/efi/layout.js';
import { E820 } from '../../../include/asm/e820.js';
import { descSize, type EfiMemoryDesc } from '../../../../../include/linux/efi/memmap.js';
import { fn, inline, bodies, label } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    can_free_region(k: Kernel, start: number, size: number): boolean;
    efi_reserve_boot_services(k: Kernel): void;
    efi_free_boot_services(k: Kernel): void;
    /** Immediately before a range is freed to the page allocator. */
    'efi_free_boot_services:before-free'(k: Kernel, start: number, size: number): void;
  }
}

/** Whether a descriptor is boot services memory, code or data. */
export const isBootServices = ({ type }: EfiMemoryDesc): boolean =>
  type === EFI_MEMORY_TYPE.BOOT_SERVICES_CODE || type === EFI_MEMORY_TYPE.BOOT_SERVICES_DATA;

const isReserved = (k: Kernel, start: number, size: number): boolean =>
  k.state.memblock.reserved.some((r) => start < r.base + r.size && r.base < start + size);

/** e820_all_mapped(): whether all of a range is of one type. */
function allMapped(k: Kernel, start: number, end: number, type: number): boolean {
  let at = start;
  for (const entry of k.state.e820) {
    if (entry.type !== type) continue;
    const base = Number(entry.addr);
    const top = Number(entry.addr + entry.size);
    if (base >= end || top <= at) continue;
    if (base <= at) at = top;
    if (at >= end) return true;
  }
  return false;
}

export const efiQuirks = bodies({
  can_free_region: inline((k: Kernel, start: number, size: number) => {
    const text = k.__pa(k.sym('_text'));
    if (start + size > text && start <= k.__pa(k.sym('_end'))) return false;
    return allMapped(k, start, start + size, E820.RAM);
  }),

  efi_reserve_boot_services: fn((k: Kernel) => {
    const { map, nr_map, desc_size } = k.state.efi.memmap;
    const bytes = k.readBytes(va(map), nr_map * desc_size);
    k.trace.recorder.consumed('EFI memory map', 'efi_reserve_boot_services', bytes);
    for (const at of k.fn.for_each_efi_memory_desc()) {
      const md = k.fn.efi_memory_desc(at);
      if (!isBootServices(md)) continue;
      const size = descSize(md);
      if (!isReserved(k, md.phys_addr, size)) {
        k.fn.memblock_reserve(md.phys_addr, size);
        if (k.fn.can_free_region(md.phys_addr, size)) continue;
      }
      // Already reserved, or not to be freed: with this attribute efi_free_boot_services() skips it.
      k.writeU64(va(at + EFI_MEMORY_DESCRIPTOR.Attribute), md.attribute | EFI_MEMORY.RUNTIME);
    }
  }),

  'efi_free_boot_services:before-free': label(() => undefined),
  efi_free_boot_services: fn((k: Kernel) => {
    for (const at of k.fn.for_each_efi_memory_desc()) {
      const md = k.fn.efi_memory_desc(at);
      if (!isBootServices(md) || (md.attribute & EFI_MEMORY.RUNTIME) !== 0n) continue;
      const size = descSize(md);
      k.fn['efi_free_boot_services:before-free'](md.phys_addr, size);
      k.fn.free_bootmem_late(md.phys_addr, size);
    }
    k.fn.efi_unmap_memmap();
  }),
});
