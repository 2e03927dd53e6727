/** arch/x86/platform/efi/efi_64.c: the page tables in use while firmware is called. */
import {
  alignDown,
  PAGE_SIZE,
  PMD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../../machine/address.js';
import {
  EFI_MEMORY,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_TYPE,
} from '../../../../../../firmware/efi/layout.js';
import {
  _PAGE_NX,
  _PAGE_PCD,
  _PAGE_RW,
  PAGE_OFFSET,
  PTRS_PER_TABLE,
} from '../../../../../../kernel/constants.js';
import {
  __flush_tlb_all,
  get_entry,
  set_entry,
  write_cr3,
} from '../../../../../../kernel/cpu-ops.js';
import { descSize, type EfiMemoryDesc } from '../../../../../include/linux/efi/memmap.js';
import { EFI_VA_END, EFI_VA_START } from '../../../../../include/linux/efi/types.js';
import { ENOMEM } from '../../../../../include/uapi/asm-generic/errno-base.js';
import { GFP } from '../../../../../mm/page_alloc/page_alloc.js';
import { entryPhysical } from '../../../include/asm/pgtable_types.js';
import { fn, inline, bodies, label } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** 0 or a negative errno. */
    efi_alloc_page_tables(k: Kernel): number;
    efi_sync_low_kernel_mappings(k: Kernel): void;
    /** 0, or 1 where a mapping failed. */
    efi_setup_page_tables(k: Kernel, pa_memmap: number, num_pages: number): number;
    /** CR3 value for firmware calls: the physical address of efi_pgd. */
    'efi_setup_page_tables:efi_pgt'(k: Kernel, pgd: Va): bigint;
    /** Flags of the 1:1 maps of memory and kernel text that mixed mode needs. */
    'efi_setup_page_tables:1:1-flags'(k: Kernel): bigint;
    /** After the allocation of mixed mode's stack below 4 GiB. */
    'efi_setup_page_tables:stack'(k: Kernel, page: Va): void;
    /** Maps a descriptor's range 1:1 and at a new virtual address, which is written to the descriptor. */
    efi_map_region(k: Kernel, at: Va, md: EfiMemoryDesc): void;
    __map_region(k: Kernel, md: EfiMemoryDesc, address: number): void;
    efi_runtime_update_mappings(k: Kernel): void;
    /** Returns the previous CR3. */
    efi_call_phys_prolog(k: Kernel): bigint;
    efi_call_phys_epilog(k: Kernel, save_pgd: bigint): void;
  }
}

/** Memory that the kernel may pass to firmware in mixed mode (efi_setup_page_tables). */
const USABLE: readonly number[] = [
  EFI_MEMORY_TYPE.CONVENTIONAL_MEMORY,
  EFI_MEMORY_TYPE.LOADER_DATA,
  EFI_MEMORY_TYPE.LOADER_CODE,
];

/** The table that an entry points to. */
const nextTable = (k: Kernel, table: Va, index: number): Va =>
  k.__va(entryPhysical(get_entry(k, table, index)));

/** Copies entries [index, index + count) of table `from` to the same indexes of table `to`. */
function share(k: Kernel, to: Va, from: Va, index: number, count: number): void {
  k.memcpy(va(to + index * 8), va(from + index * 8), count * 8);
}

function warnMapping(k: Kernel, md: EfiMemoryDesc, address: number, error: number): void {
  if (error === 0) return;
  const phys = md.phys_addr.toString(16);
  k.fn.printk(
    `Error mapping PA 0x${phys} -> VA 0x${BigInt.asUintN(64, BigInt(address)).toString(16)}!`,
  );
}

export const efi64 = bodies({
  efi_alloc_page_tables: fn((k: Kernel) => {
    if (k.fn.efi_enabled('EFI_OLD_MEMMAP')) return 0;
    const pgd = k.fn.get_zeroed_page(GFP.KERNEL);
    if (pgd === 0) return -ENOMEM;
    const pud = k.fn.get_zeroed_page(GFP.KERNEL);
    if (pud === 0) {
      k.fn.free_pages(pgd, 0);
      return -ENOMEM;
    }
    k.state.efi.efi_pgd = pgd;
    const index = tableIndex(EFI_VA_END, 39);
    // pgd_populate()
    set_entry(k, 'pgd', pgd, index, k.fn.pud_populate(pud), va(alignDown(EFI_VA_END, 2 ** 39)));
    return 0;
  }, true),

  efi_sync_low_kernel_mappings: fn((k: Kernel) => {
    if (k.fn.efi_enabled('EFI_OLD_MEMMAP')) return;
    const pgd = va(k.state.efi.efi_pgd);
    const kernel = k.sym('init_level4_pgt');
    const first = tableIndex(PAGE_OFFSET, 39);
    const shared = tableIndex(EFI_VA_END, 39);
    share(k, pgd, kernel, first, shared - first);
    // The PGD entry of the EFI regions also covers kernel text and fixmap: the PUD entries around the regions are copied.
    const pud = nextTable(k, pgd, shared);
    const kernelPud = nextTable(k, kernel, shared);
    share(k, pud, kernelPud, 0, tableIndex(EFI_VA_END, 30));
    const above = tableIndex(EFI_VA_START, 30);
    share(k, pud, kernelPud, above, PTRS_PER_TABLE - above);
  }, true),

  'efi_setup_page_tables:efi_pgt': inline((k: Kernel, pgd: Va) => BigInt(k.__pa(pgd))),
  'efi_setup_page_tables:1:1-flags': inline(() => _PAGE_RW),
  'efi_setup_page_tables:stack': label(() => undefined),
  efi_setup_page_tables: fn((k: Kernel, pa_memmap: number, num_pages: number) => {
    if (k.fn.efi_enabled('EFI_OLD_MEMMAP')) return 0;
    const { efi } = k.state;
    const pgd = va(efi.efi_pgd);
    const map = (phys: number, pages: number, flags: bigint): boolean =>
      k.fn.kernel_map_pages_in_pgd(pgd, phys / PAGE_SIZE, phys, pages, flags) === 0;
    efi.scratch.efi_pgt = k.fn['efi_setup_page_tables:efi_pgt'](pgd);
    // The new memory map is passed to firmware by its physical address.
    if (!map(pa_memmap, num_pages, _PAGE_NX | _PAGE_RW)) {
      k.fn.printk(`efi: Error ident-mapping new memmap (0x${pa_memmap.toString(16)})!`);
      return 1;
    }
    efi.scratch.use_pgd = true;
    if (!k.config.CONFIG_EFI_MIXED) return 0;

    const flags = k.fn['efi_setup_page_tables:1:1-flags']();
    for (const at of k.fn.for_each_efi_memory_desc()) {
      const md = k.fn.efi_memory_desc(at);
      if (!USABLE.includes(md.type)) continue;
      if (!map(md.phys_addr, md.num_pages, flags)) {
        k.fn.printk('efi: Failed to map 1:1 memory');
        return 1;
      }
    }
    const page = k.fn.__get_free_pages(GFP.DMA32, 0);
    if (page === 0) return k.fn.panic('Unable to allocate EFI runtime stack < 4GB');
    k.fn['efi_setup_page_tables:stack'](page);
    efi.scratch.phys_stack = k.__pa(page) + PAGE_SIZE;
    const text = k.sym('_text');
    const pages = Math.floor((k.sym('_etext') - text) / PAGE_SIZE);
    if (!map(k.__pa(text), pages, flags)) {
      k.fn.printk('efi: Failed to map kernel text 1:1');
      return 1;
    }
    return 0;
  }),

  __map_region: inline((k: Kernel, md: EfiMemoryDesc, address: number) => {
    const flags = (md.attribute & EFI_MEMORY.WB) === 0n ? _PAGE_RW | _PAGE_PCD : _PAGE_RW;
    const pgd = va(k.state.efi.efi_pgd);
    const pfn = Math.floor(md.phys_addr / PAGE_SIZE);
    const error = k.fn.kernel_map_pages_in_pgd(pgd, pfn, address, md.num_pages, flags);
    warnMapping(k, md, address, error);
  }),

  efi_map_region: fn((k: Kernel, at: Va, md: EfiMemoryDesc) => {
    if (k.fn.efi_enabled('EFI_OLD_MEMMAP')) {
      k.fn.old_map_region(at, md);
      return;
    }
    const { efi } = k.state;
    // 1:1 as well, for firmware that still uses physical addresses.
    k.fn.__map_region(md, md.phys_addr);
    efi.efi_va -= descSize(md);
    // Same offset in a 2 MiB page as the physical address.
    const offset = md.phys_addr % PMD_SIZE;
    const before = efi.efi_va;
    efi.efi_va = alignDown(efi.efi_va, PMD_SIZE) + offset;
    if (efi.efi_va > before) efi.efi_va -= PMD_SIZE;
    if (efi.efi_va < EFI_VA_END) {
      k.fn.printk('[Firmware Warn]: VA address range overflow!');
      return;
    }
    k.fn.__map_region(md, efi.efi_va);
    md.virt_addr = BigInt.asUintN(64, BigInt(efi.efi_va));
    k.writeU64(va(at + EFI_MEMORY_DESCRIPTOR.VirtualStart), md.virt_addr);
  }, true),

  efi_runtime_update_mappings: fn((k: Kernel) => {
    if (k.fn.efi_enabled('EFI_OLD_MEMMAP')) {
      k.fn.runtime_code_page_mkexec();
      return;
    }
    if (!k.fn.efi_enabled('EFI_NX_PE_DATA')) return;
    const pgd = va(k.state.efi.efi_pgd);
    for (const at of k.fn.for_each_efi_memory_desc()) {
      const md = k.fn.efi_memory_desc(at);
      const has = (bit: bigint): boolean => (md.attribute & bit) !== 0n;
      if (!has(EFI_MEMORY.RUNTIME)) continue;
      let flags = has(EFI_MEMORY.WB) ? 0n : _PAGE_PCD;
      if (has(EFI_MEMORY.XP) || md.type === EFI_MEMORY_TYPE.RUNTIME_SERVICES_DATA) {
        flags |= _PAGE_NX;
      }
      if (!has(EFI_MEMORY.RO) && md.type !== EFI_MEMORY_TYPE.RUNTIME_SERVICES_CODE) {
        flags |= _PAGE_RW;
      }
      const pfn = Math.floor(md.phys_addr / PAGE_SIZE);
      const virtual = Number(BigInt.asIntN(64, md.virt_addr));
      for (const address of [md.phys_addr, virtual]) {
        const error = k.fn.kernel_map_pages_in_pgd(pgd, pfn, address, md.num_pages, flags);
        warnMapping(k, md, virtual, error);
      }
    }
  }, true),

  efi_call_phys_prolog: fn((k: Kernel) => {
    const save_pgd = k.cpu.cr3;
    if (k.fn.efi_enabled('EFI_OLD_MEMMAP')) {
      k.fn['efi_call_phys_prolog:old_map']();
      return save_pgd;
    }
    write_cr3(k, k.state.efi.scratch.efi_pgt, 'efi_pgd');
    __flush_tlb_all(k);
    return save_pgd;
  }, true),

  efi_call_phys_epilog: fn((k: Kernel, save_pgd: bigint) => {
    if (k.fn.efi_enabled('EFI_OLD_MEMMAP')) {
      k.fn['efi_call_phys_epilog:old_map']();
      return;
    }
    write_cr3(k, save_pgd, 'init_level4_pgt');
    __flush_tlb_all(k);
  }, true),
});
