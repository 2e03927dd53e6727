/** arch/x86/kernel/machine_kexec_64.c: prepares the page tables for another kernel and starts it. */
import {
  alignDown,
  PAGE_SIZE,
  PGDIR_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../machine/address.js';
import { __PAGE_KERNEL_LARGE_EXEC, _PAGE_PRESENT } from '../../../../kernel/constants.js';
import { get_entry, set_entry } from '../../../../kernel/cpu-ops.js';
import { ENOMEM } from '../../../include/uapi/asm-generic/errno-base.js';
import type { X86MappingInfo } from '../mm/init_64/ident-map.js';
import {
  KEXEC_CONTROL_CODE_MAX_SIZE,
  PA_CONTROL_PAGE,
  PA_SWAP_PAGE,
  PA_TABLE_PAGE,
  PAGES_NR,
  VA_CONTROL_PAGE,
  type Kimage,
} from '../../../include/linux/kexec.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { entryPhysical } from '../include/asm/pgtable_types.js';
import { fn, inline, bodies, label } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Builds the page tables of the transition; returns 0 or a negative errno. */
    machine_kexec_prepare(k: Kernel, image: Kimage): number;
    /** Builds the identity map and the mapping of relocate_kernel at its linked address. */
    init_pgtable(k: Kernel, image: Kimage, start_pgtable: number): number;
    /** Flags of each 2 MiB leaf of the identity map. */
    'init_pgtable:pmd_flag'(k: Kernel): bigint;
    /** Protection of the mapping of relocate_kernel. */
    'init_transition_pgtable:prot'(k: Kernel): bigint;
    init_transition_pgtable(k: Kernel, image: Kimage, pgd: Va): number;
    machine_kexec(k: Kernel, image: Kimage): void;
    /** PA_TABLE_PAGE: the value that relocate_kernel() loads into CR3. */
    'machine_kexec:table'(k: Kernel, page: number): bigint;
  }
}

const LEVELS = [
  { level: 'pgd', shift: 39, size: PGDIR_SIZE },
  { level: 'pud', shift: 30, size: PUD_SIZE },
  { level: 'pmd', shift: 21, size: PMD_SIZE },
] as const;

export const machineKexec = bodies({
  'init_transition_pgtable:prot': inline((k: Kernel) => k.fn.PAGE_KERNEL_EXEC()),
  init_transition_pgtable: inline((k: Kernel, image: Kimage, pgd: Va) => {
    const vaddr = k.sym('relocate_kernel');
    const paddr = image.controlCodePage + PAGE_SIZE;
    let table = pgd;
    for (const { level, shift, size } of LEVELS) {
      const index = tableIndex(vaddr, shift);
      const entry = get_entry(k, table, index);
      if ((entry & _PAGE_PRESENT) !== 0n) {
        table = k.__va(entryPhysical(entry));
        continue;
      }
      const below = k.fn.get_zeroed_page(GFP.KERNEL);
      if (below === 0) return -ENOMEM;
      const pointer = BigInt(k.__pa(below)) | k.fn._KERNPG_TABLE();
      set_entry(k, level, table, index, pointer, va(alignDown(vaddr, size)));
      table = below;
    }
    const value = k.fn.pfn_pte(paddr / PAGE_SIZE, k.fn['init_transition_pgtable:prot']());
    set_entry(k, 'pte', table, tableIndex(vaddr, 12), value, vaddr);
    return 0;
  }),

  init_pgtable: inline((k: Kernel, image: Kimage, start_pgtable: number) => {
    const info: X86MappingInfo = {
      alloc_pgt_page: () => {
        const page = k.fn.kimage_alloc_control_pages(image, 0);
        if (page === 0) return 0;
        k.writeBytes(k.__va(page), new Uint8Array(PAGE_SIZE));
        return k.__va(page);
      },
      pmd_flag: k.fn['init_pgtable:pmd_flag'](),
    };
    const pgd = k.__va(start_pgtable);
    k.memset(pgd, 0, PAGE_SIZE);
    const ranges = [
      ...k.state.pfnMapped.map(({ start, end }) => [start * PAGE_SIZE, end * PAGE_SIZE] as const),
      ...image.segments.map(({ mem, memsz }) => [mem, mem + memsz] as const),
    ];
    for (const [start, end] of ranges) {
      const error = k.fn.kernel_ident_mapping_init(info, pgd, start, end);
      if (error !== 0) return error;
    }
    return k.fn.init_transition_pgtable(image, pgd);
  }),
  'init_pgtable:pmd_flag': inline(() => __PAGE_KERNEL_LARGE_EXEC),

  machine_kexec_prepare: fn((k: Kernel, image: Kimage) =>
    k.fn.init_pgtable(image, image.controlCodePage),
  ),

  'machine_kexec:table': label((_k: Kernel, page: number) => BigInt(page)),

  // It does not return.
  machine_kexec: label((k: Kernel, image: Kimage) => {
    k.enter('machine_kexec');
    const control = k.__va(image.controlCodePage + PAGE_SIZE);
    k.memcpy(control, k.sym('relocate_kernel'), KEXEC_CONTROL_CODE_MAX_SIZE);
    // page_list is on the stack: virt_to_phys() and __pa().
    k.cpu.rsp = va(k.cpu.rsp - PAGES_NR * 8);
    const list = k.cpu.rsp;
    const words = {
      [PA_CONTROL_PAGE]: k.__pa(control),
      [VA_CONTROL_PAGE]: control,
      [PA_TABLE_PAGE]: k.fn['machine_kexec:table'](image.controlCodePage),
      [PA_SWAP_PAGE]: image.swapPage,
    };
    for (const [index, word] of Object.entries(words)) {
      k.writeU64(va(list + Number(index) * 8), BigInt(word));
    }
    // The descriptor tables are made invalid: from here on every fault is a triple fault.
    k.cpu.lgdt(k.__va(0), 0);
    k.cpu.lidt(k.__va(0), 0);
    k.fn.relocate_kernel(image.head, list, image.start);
  }),
});
