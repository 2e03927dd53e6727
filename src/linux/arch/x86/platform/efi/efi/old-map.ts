/**
 * efi=old_map: firmware runs in the kernel's own page tables, each region where the direct map has it or where
 * efi_ioremap() puts it (arch/x86/platform/efi/efi.c and efi_64.c).
 */
import {
  alignDown,
  PAGE_SIZE,
  PGDIR_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../../machine/address.js';
import { UnmodelledError } from '../../../../../../machine/unmodelled.js';
import {
  EFI_MEMORY,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_TYPE,
} from '../../../../../../firmware/efi/layout.js';
import { _PAGE_NX, PAGE_OFFSET } from '../../../../../../kernel/constants.js';
import { __flush_tlb_all, get_entry, set_entry } from '../../../../../../kernel/cpu-ops.js';
import { descSize, type EfiMemoryDesc } from '../../../../../include/linux/efi/memmap.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** Gives a descriptor the virtual address that its range has in the kernel's tables, and writes it there. */
    old_map_region(k: Kernel, at: Va, md: EfiMemoryDesc): void;
    /** Maps a range that the direct map leaves out; 0 where it cannot be. */
    efi_ioremap(k: Kernel, phys: number, size: number, type: number): Va | 0;
    efi_set_executable(k: Kernel, md: EfiMemoryDesc, executable: boolean): void;
    /** Code of the firmware may be run, or no longer. */
    early_code_mapping_set_exec(k: Kernel, executable: boolean): void;
    runtime_code_page_mkexec(k: Kernel): void;
    /** The direct map's entries stand at the bottom as well, so that physical addresses are addresses. */
    'efi_call_phys_prolog:old_map'(k: Kernel): void;
    'efi_call_phys_epilog:old_map'(k: Kernel): void;
  }
}

const nx = (k: Kernel): boolean => (k.readU64(k.sym('__supported_pte_mask')) & _PAGE_NX) !== 0n;
const { RUNTIME_SERVICES_CODE, BOOT_SERVICES_CODE } = EFI_MEMORY_TYPE;
const RUNTIME_CODE: readonly number[] = [RUNTIME_SERVICES_CODE];
const EARLY_CODE: readonly number[] = [RUNTIME_SERVICES_CODE, BOOT_SERVICES_CODE];

function setExec(k: Kernel, types: readonly number[], executable: boolean): void {
  for (const at of k.fn.for_each_efi_memory_desc()) {
    const md = k.fn.efi_memory_desc(at);
    if (types.includes(md.type)) k.fn.efi_set_executable(md, executable);
  }
}

export const efiOldMap = bodies({
  old_map_region: inline((k: Kernel, at: Va, md: EfiMemoryDesc) => {
    const size = descSize(md);
    const first = Math.floor(md.phys_addr / PAGE_SIZE);
    const mapped = k.fn.pfn_range_is_mapped(first, first + size / PAGE_SIZE);
    const address = mapped ? k.__va(md.phys_addr) : k.fn.efi_ioremap(md.phys_addr, size, md.type);
    const io = !mapped && md.type === EFI_MEMORY_TYPE.MEMORY_MAPPED_IO;
    if ((md.attribute & EFI_MEMORY.WB) === 0n && !io) {
      // efi_memory_uc(): set_memory_uc() needs the PAT's list of ranges.
      throw new UnmodelledError('efi=old_map', 'set_memory_uc() of a region that is not WB');
    }
    md.virt_addr = address === 0 ? 0n : BigInt.asUintN(64, BigInt(address));
    k.writeU64(va(at + EFI_MEMORY_DESCRIPTOR.VirtualStart), md.virt_addr);
    if (address !== 0) return;
    const phys = md.phys_addr.toString(16).toUpperCase();
    k.trace.console(`efi: ioremap of 0x${phys} failed!`);
  }),

  efi_set_executable: inline((k: Kernel, md: EfiMemoryDesc, executable: boolean) => {
    const at = k.canonical(md.virt_addr);
    if (executable) k.fn.set_memory_x(at, md.num_pages);
    else k.fn.set_memory_nx(at, md.num_pages);
  }),

  runtime_code_page_mkexec: inline((k: Kernel) => {
    if (nx(k)) setExec(k, RUNTIME_CODE, true);
  }),
});

export const efiOldMap64 = bodies({
  efi_ioremap: inline((k: Kernel, phys: number, size: number, type: number): Va | 0 => {
    if (type === EFI_MEMORY_TYPE.MEMORY_MAPPED_IO) return k.fn.ioremap_nocache(phys, size);
    k.fn.init_memory_mapping(phys, phys + size);
    return k.__va(phys);
  }),

  early_code_mapping_set_exec: inline((k: Kernel, executable: boolean) => {
    if (nx(k)) setExec(k, EARLY_CODE, executable);
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
    // kmalloc(): only the epilog reads the copy; it is kept outside simulated memory (our choice).
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
