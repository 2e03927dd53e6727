/**
 * arch/x86/platform/efi/efi.c: EFI in a kernel that was entered by kexec. Firmware is in virtual mode already, and its
 * addresses cannot be changed. The previous kernel passes them in the memory map, and the physical pointers that the
 * system table had at first in setup_data of type SETUP_EFI.
 */
import { alignUp, PAGE_SIZE, type Va } from '../../../../../../machine/address.js';
import { EFI_MEMORY, EFI_SETUP_DATA } from '../../../../../../firmware/efi/layout.js';
import { clear_bit } from '../../../../../include/linux/efi/memmap.js';
import { isBootServices } from '../quirks/boot-services.js';
import type { EarlyMap } from './early.js';
import { ENOMEM } from '../../../../../include/uapi/asm-generic/errno-base.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** The previous kernel's setup_data; undefined without it, a negative errno where it cannot be mapped. */
    'efi_systab_init:setup_data'(k: Kernel): EfiSetupData | number | undefined;
    'efi_systab_init:setup-memremap': EarlyMap;
    /** Saves the runtime regions' descriptors for a kernel entered by kexec. */
    save_runtime_map(k: Kernel): void;
    kexec_enter_virtual_mode(k: Kernel): void;
  }
}

/** struct efi_setup_data: physical addresses. */
export interface EfiSetupData {
  readonly fw_vendor: bigint;
  readonly runtime: bigint;
  readonly tables: bigint;
  readonly smbios: bigint;
}

/** Maps with early_memremap(), like the base. */
export const early_memremap: EarlyMap = (k, phys, size) => k.fn.early_memremap(phys, size);

/** Reads struct efi_setup_data at a mapped address; `reader` is the calling function, for the trace. */
export function readEfiSetupData(k: Kernel, at: Va, reader: string): EfiSetupData {
  const bytes = k.readBytes(at, EFI_SETUP_DATA.size);
  k.trace.recorder.consumed('EFI setup data', reader, bytes);
  const view = new DataView(bytes.buffer);
  const field = (name: keyof EfiSetupData): bigint => view.getBigUint64(EFI_SETUP_DATA[name], true);
  return {
    fw_vendor: field('fw_vendor'),
    runtime: field('runtime'),
    tables: field('tables'),
    smbios: field('smbios'),
  };
}

export const efiKexec = bodies({
  'efi_systab_init:setup-memremap': inline(early_memremap),
  'efi_systab_init:setup_data': inline((k: Kernel) => {
    const { efi_setup } = k.state.efi;
    if (efi_setup === 0) return undefined;
    const at = k.fn['efi_systab_init:setup-memremap'](efi_setup, EFI_SETUP_DATA.size);
    if (at === 0) return -ENOMEM;
    const data = readEfiSetupData(k, at, 'efi_systab_init');
    // The kernel unmaps it only after it has read the system table; nothing else is mapped in between.
    k.fn.early_memunmap(at, EFI_SETUP_DATA.size);
    return data;
  }),

  save_runtime_map: inline((k: Kernel) => {
    if (k.fn.efi_enabled('EFI_OLD_MEMMAP')) return;
    k.state.efi.runtimeMap = k.fn
      .for_each_efi_memory_desc()
      .map((at) => k.fn.efi_memory_desc(at))
      .filter((md) => (md.attribute & EFI_MEMORY.RUNTIME) !== 0n && !isBootServices(md));
  }),

  kexec_enter_virtual_mode: inline((k: Kernel) => {
    const { efi } = k.state;
    efi.virtSystab = 0n;
    if (k.fn.efi_alloc_page_tables() !== 0) {
      k.fn.printk('efi: Failed to allocate EFI page tables');
      clear_bit(k, 'EFI_RUNTIME_SERVICES');
      return;
    }
    for (const at of k.fn.for_each_efi_memory_desc()) {
      const md = k.fn.efi_memory_desc(at);
      k.fn.efi_map_region_fixed(md);
      k.fn.get_systab_virt_addr(md);
    }
    k.fn.save_runtime_map();
    if (efi.virtSystab === 0n) k.fn.BUG('kexec_enter_virtual_mode: !efi.systab');
    const { phys_map, nr_map, desc_size } = efi.memmap;
    const pages = alignUp(nr_map * desc_size, PAGE_SIZE) / PAGE_SIZE;
    if (k.fn.efi_setup_page_tables(phys_map, pages) !== 0) {
      clear_bit(k, 'EFI_RUNTIME_SERVICES');
      return;
    }
    k.fn.efi_sync_low_kernel_mappings();
    if (k.fn.efi_enabled('EFI_OLD_MEMMAP')) k.fn.runtime_code_page_mkexec();
    k.fn.efi_delete_dummy_variable();
  }),
});
