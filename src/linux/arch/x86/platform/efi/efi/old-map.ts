/**
 * arch/x86/platform/efi/efi.c: efi=old_map. Firmware runs on the kernel's own page tables, each region at its direct-map
 * address or where efi_ioremap() maps it.
 */
import { PAGE_SIZE, va, type Va } from '../../../../../../machine/address.js';
import {
  EFI_MEMORY,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_TYPE,
} from '../../../../../../firmware/efi/layout.js';
import { _PAGE_NX } from '../../../../../../kernel/constants.js';
import { descSize, type EfiMemoryDesc } from '../../../../../include/linux/efi/memmap.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** Sets a descriptor's virtual address, in `md` and in memory, to that of its range in the kernel's page tables. */
    old_map_region(k: Kernel, at: Va, md: EfiMemoryDesc): void;
    /** Makes a mapping of the direct map uncached. */
    efi_memory_uc(k: Kernel, address: Va, size: number): void;
    efi_set_executable(k: Kernel, md: EfiMemoryDesc, executable: boolean): void;
    runtime_code_page_mkexec(k: Kernel): void;
  }
}

/** Whether page-table entries may have NX (__supported_pte_mask). */
export const nxSupported = (k: Kernel): boolean =>
  (k.readU64(k.sym('__supported_pte_mask')) & _PAGE_NX) !== 0n;
const RUNTIME_CODE: readonly number[] = [EFI_MEMORY_TYPE.RUNTIME_SERVICES_CODE];

/** Makes the firmware's memory of the given types executable or not executable. */
export function setExec(k: Kernel, types: readonly number[], executable: boolean): void {
  for (const at of k.fn.for_each_efi_memory_desc()) {
    const md = k.fn.efi_memory_desc(at);
    if (types.includes(md.type)) k.fn.efi_set_executable(md, executable);
  }
}

export const efiOldMap = bodies({
  efi_memory_uc: inline((k: Kernel, address: Va, size: number) => {
    k.fn.set_memory_uc(address, size / PAGE_SIZE);
  }),

  old_map_region: inline((k: Kernel, at: Va, md: EfiMemoryDesc) => {
    const { phys_addr, type, attribute } = md;
    const size = descSize(md);
    const first = Math.floor(phys_addr / PAGE_SIZE);
    const mapped = k.fn.pfn_range_is_mapped(first, first + size / PAGE_SIZE);
    const address = mapped ? k.__va(phys_addr) : k.fn.efi_ioremap(phys_addr, size, type, attribute);
    if (mapped && (attribute & EFI_MEMORY.WB) === 0n) k.fn.efi_memory_uc(k.__va(phys_addr), size);
    md.virt_addr = address === 0 ? 0n : BigInt.asUintN(64, BigInt(address));
    k.writeU64(va(at + EFI_MEMORY_DESCRIPTOR.VirtualStart), md.virt_addr);
    if (address !== 0) return;
    const phys = md.phys_addr.toString(16).toUpperCase();
    k.fn.printk(`efi: ioremap of 0x${phys} failed!`);
  }),

  efi_set_executable: inline((k: Kernel, md: EfiMemoryDesc, executable: boolean) => {
    const at = k.canonical(md.virt_addr);
    if (executable) k.fn.set_memory_x(at, md.num_pages);
    else k.fn.set_memory_nx(at, md.num_pages);
  }),

  runtime_code_page_mkexec: inline((k: Kernel) => {
    if (nxSupported(k)) setExec(k, RUNTIME_CODE, true);
  }),
});
