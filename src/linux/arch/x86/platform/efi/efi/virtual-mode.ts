/** arch/x86/platform/efi/efi.c, late boot: assigning virtual addresses to the firmware's runtime services. */
import { PAGE_SIZE, va, type Va } from '../../../../../../machine/address.js';
import {
  EFI_MEMORY,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_TYPE,
} from '../../../../../../firmware/efi/layout.js';
import { clear_bit, descSize } from '../../../../../include/linux/efi/memmap.js';
import { EFI_SUCCESS } from '../../../../../include/linux/efi/types.js';
import { isBootServices } from '../quirks/boot-services.js';
import { GFP } from '../../../../../mm/page_alloc/page_alloc.js';
import { fn, inline, bodies, label } from '../../../../../../kernel/table.js';
import type { EfiMemoryDesc } from '../../../../../include/linux/efi/memmap.js';
import { RangeLog } from '../../../../../../kernel/access-log.js';
import { peek, peekRun } from '../../../../../../kernel/peek.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

/** The memory map for SetVirtualAddressMap(): its address, number of descriptors, and order of its pages. */
export interface NewMemmap {
  at: Va;
  count: number;
  pg_shift: number;
}

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    efi_enter_virtual_mode(k: Kernel): void;
    __efi_enter_virtual_mode(k: Kernel): void;
    efi_merge_regions(k: Kernel): void;
    /** Maps the regions that firmware needs and copies their descriptors; undefined without memory. */
    efi_map_regions(k: Kernel): NewMemmap | undefined;
    get_systab_virt_addr(k: Kernel, md: EfiMemoryDesc): void;
    /** Allocates twice the pages, copies the old ones' contents and frees them; 0 without memory. */
    realloc_pages(k: Kernel, old_memmap: Va | 0, old_shift: number): Va | 0;
    /** After the allocation, before the copy. */
    'realloc_pages:allocated'(k: Kernel, pages: Va, size: number): void;
    phys_efi_set_virtual_address_map(
      k: Kernel,
      memory_map_size: number,
      descriptor_size: number,
      descriptor_version: number,
      virtual_map: number,
    ): bigint;
  }
}

const FIELD = EFI_MEMORY_DESCRIPTOR;

/** Makes the call of SetVirtualAddressMap(), and records what the firmware read of the map. */
function readingMap(k: Kernel, at: Va, size: number, call: () => bigint): bigint {
  const log = new RangeLog(k.cpu.id, 'read', { at, length: size });
  try {
    return k.machine.probes.accessed.during(log.listener, call);
  } finally {
    const { recorder } = k.trace;
    for (const run of log.within(at, size)) {
      const bytes = peekRun(k, run);
      k.trace.recordRead(bytes, [run]);
      recorder.consumedPart('virtual address map', 'SetVirtualAddressMap', run.va - at, bytes);
    }
  }
}

export const efiVirtualMode = bodies({
  efi_merge_regions: inline((k: Kernel) => {
    let previous: { at: Va; md: EfiMemoryDesc } | undefined;
    for (const at of k.fn.for_each_efi_memory_desc()) {
      const md = k.fn.efi_memory_desc(at);
      const before = previous?.md;
      if (
        previous === undefined ||
        before?.type !== md.type ||
        before.attribute !== md.attribute ||
        md.phys_addr !== before.phys_addr + descSize(before)
      ) {
        previous = { at, md };
        continue;
      }
      before.num_pages += md.num_pages;
      k.writeU64(va(previous.at + FIELD.NumberOfPages), BigInt(before.num_pages));
      k.writeU32(va(at + FIELD.Type), EFI_MEMORY_TYPE.RESERVED_TYPE);
      k.writeU64(va(at + FIELD.Attribute), 0n);
    }
  }),

  get_systab_virt_addr: inline((k: Kernel, md: EfiMemoryDesc) => {
    const { efi } = k.state;
    const offset = efi.physSystab - md.phys_addr;
    if (offset < 0 || offset >= descSize(md)) return;
    efi.virtSystab = BigInt.asUintN(64, md.virt_addr + BigInt(offset));
  }),

  'realloc_pages:allocated': label(() => undefined),
  realloc_pages: inline((k: Kernel, old_memmap: Va | 0, old_shift: number) => {
    const pages = k.fn.__get_free_pages(GFP.KERNEL, old_shift + 1);
    if (pages !== 0) {
      k.fn['realloc_pages:allocated'](pages, PAGE_SIZE * 2 ** (old_shift + 1));
      if (old_memmap === 0) return pages;
      k.memcpy(pages, old_memmap, PAGE_SIZE * 2 ** old_shift);
    }
    if (old_memmap !== 0) k.fn.free_pages(old_memmap, old_shift);
    return pages;
  }),

  efi_map_regions: fn((k: Kernel) => {
    const { desc_size } = k.state.efi.memmap;
    let at: Va | 0 = 0;
    let count = 0;
    let pg_shift = 0;
    let left = 0;
    // From the last descriptor to the first, as addresses are assigned from the top down (efi_map_next_entry_reverse);
    // with efi=old_map from the first to the last (efi_map_next_entry).
    const entries = k.fn.for_each_efi_memory_desc();
    for (const p of k.fn.efi_enabled('EFI_OLD_MEMMAP') ? entries : entries.reverse()) {
      const md = k.fn.efi_memory_desc(p);
      if ((md.attribute & EFI_MEMORY.RUNTIME) === 0n && !isBootServices(md)) continue;
      k.fn.efi_map_region(p, md);
      k.fn.get_systab_virt_addr(md);
      if (left < desc_size) {
        at = k.fn.realloc_pages(at, pg_shift);
        if (at === 0) return undefined;
        left += PAGE_SIZE * 2 ** pg_shift;
        pg_shift++;
      }
      // memcpy(), without a trace event for each descriptor.
      k.writeBytes(va(at + count * desc_size), k.readBytes(p, desc_size));
      left -= desc_size;
      count++;
    }
    return at === 0 ? undefined : { at, count, pg_shift };
  }),

  phys_efi_set_virtual_address_map: fn(
    (k: Kernel, size: number, descriptor: number, version: number, map: number) => {
      const save_pgd = k.fn.efi_call_phys_prolog();
      const { physSetVirtualAddressMap } = k.state.efi;
      const args = [size, descriptor, version, map].map(BigInt);
      const status = readingMap(k, va(map), size, () =>
        k.fn.efi_call(physSetVirtualAddressMap, args),
      );
      k.fn.efi_call_phys_epilog(save_pgd);
      return status;
    },
  ),

  __efi_enter_virtual_mode: fn((k: Kernel) => {
    const { efi } = k.state;
    const { desc_size, desc_version } = efi.memmap;
    efi.virtSystab = 0n;
    if (k.fn.efi_alloc_page_tables() !== 0) {
      k.fn.printk('efi: Failed to allocate EFI page tables');
      clear_bit(k, 'EFI_RUNTIME_SERVICES');
      return;
    }
    k.fn.efi_merge_regions();
    const memmap = k.fn.efi_map_regions();
    if (memmap === undefined) {
      k.fn.printk('efi: Error reallocating memory, EFI runtime non-functional!');
      clear_bit(k, 'EFI_RUNTIME_SERVICES');
      return;
    }
    k.fn.save_runtime_map();
    if (efi.virtSystab === 0n) k.fn.BUG('__efi_enter_virtual_mode: !efi.systab');
    const pa = k.__pa(memmap.at);
    if (k.fn.efi_setup_page_tables(pa, 2 ** memmap.pg_shift) !== 0) {
      clear_bit(k, 'EFI_RUNTIME_SERVICES');
      return;
    }
    k.fn.efi_sync_low_kernel_mappings();
    const bytes = desc_size * memmap.count;
    k.trace.recorder.produced('virtual address map', peek(k, va(memmap.at), bytes));
    const status = k.fn.phys_efi_set_virtual_address_map(bytes, desc_size, desc_version, pa);
    if (status !== EFI_SUCCESS) {
      const text = status.toString(16);
      k.fn.printk(`efi: Unable to switch EFI into virtual mode (status=${text})!`);
      k.fn.panic('EFI call to SetVirtualAddressMap() failed!');
    }
    k.fn.efi_runtime_update_mappings();
    k.fn.free_pages(memmap.at, memmap.pg_shift);
    k.fn.efi_delete_dummy_variable();
  }),

  efi_enter_virtual_mode: fn((k: Kernel) => {
    if (k.state.efi.efi_setup !== 0) k.fn.kexec_enter_virtual_mode();
    else k.fn.__efi_enter_virtual_mode();
  }, true),
});
