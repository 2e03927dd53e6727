/** Variables of arch/x86/kernel/head_64.S and of other files that early code uses, with their static contents. */
import { PAGE_SIZE, PMD_SIZE } from '../../../../../machine/address.js';
import {
  __KERNPG_TABLE,
  __PAGE_KERNEL_LARGE,
  __PAGE_KERNEL_LARGE_EXEC,
  __PAGE_TABLE,
  __START_KERNEL_map,
  _PAGE_GLOBAL,
  _PAGE_NX,
  EARLY_DYNAMIC_PAGE_TABLES,
  KERNEL_IMAGE_SIZE,
  THREAD_SIZE,
} from '../../../../../kernel/constants.js';
import {
  quads,
  table512,
  type LinkAddresses,
  type Variable,
} from '../../../../../kernel/variables.js';

const HEAD_64 = 'arch/x86/kernel/head_64.S';
const physical = (at: LinkAddresses, name: string): bigint =>
  BigInt(at.link(name) - __START_KERNEL_map);

/** The pseudo-descriptor at early_gdt_descr: a limit of 16 bits and a base of 64 (APM vol. 3, LGDT). */
export const GDT_DESCR = { limit: 0, base: 2, size: 10 } as const;
/** Entries of a GDT (asm/segment.h: GDT_ENTRIES). */
const GDT_ENTRIES = 16;
/** gdt_page from entry 1 on (arch/x86/kernel/cpu/common.c): 32-bit code, code, data; user 32-bit code, data, code. */
const GDT = [
  0x00cf_9b00_0000_ffffn,
  0x00af_9b00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
  0x00cf_fb00_0000_ffffn,
  0x00cf_f300_0000_ffffn,
  0x00af_fb00_0000_ffffn,
];

function gdtDescr(at: LinkAddresses): Uint8Array {
  const view = new DataView(new ArrayBuffer(GDT_DESCR.size));
  view.setUint16(GDT_DESCR.limit, GDT_ENTRIES * 8 - 1, true);
  view.setBigUint64(GDT_DESCR.base, BigInt.asUintN(64, BigInt(at.link('gdt_page'))), true);
  return new Uint8Array(view.buffer);
}

/** Ordered so that each variable follows those whose addresses are in its contents. */
export const head64Variables: readonly Variable[] = [
  {
    name: 'level1_fixmap_pgt',
    size: 4096,
    align: 4096,
    section: '.data',
    file: HEAD_64,
    init: () => table512({}),
  },
  {
    name: 'level2_fixmap_pgt',
    size: 4096,
    align: 4096,
    section: '.data',
    file: HEAD_64,
    // 8 MiB are reserved for vsyscalls above entry 506.
    init: (at) => table512({ 506: physical(at, 'level1_fixmap_pgt') + __PAGE_TABLE }),
  },
  {
    name: 'level2_kernel_pgt',
    size: 4096,
    align: 4096,
    section: '.data',
    file: HEAD_64,
    init: () =>
      quads(
        Array.from({ length: 512 }, (_, i) =>
          i < KERNEL_IMAGE_SIZE / PMD_SIZE ? BigInt(i * PMD_SIZE) + __PAGE_KERNEL_LARGE_EXEC : 0n,
        ),
      ),
  },
  {
    name: 'level3_kernel_pgt',
    size: 4096,
    align: 4096,
    section: '.data',
    file: HEAD_64,
    init: (at) =>
      table512({
        510: physical(at, 'level2_kernel_pgt') + __KERNPG_TABLE,
        511: physical(at, 'level2_fixmap_pgt') + __PAGE_TABLE,
      }),
  },
  {
    name: 'early_level4_pgt',
    size: 4096 * (1 + EARLY_DYNAMIC_PAGE_TABLES),
    align: 4096,
    section: '.init.data',
    file: HEAD_64,
    // startup_64 addresses the dynamic tables as the pages after the PGD.
    parts: { early_dynamic_pgts: 4096 },
    init: (at) => {
      const bytes = new Uint8Array(4096 * (1 + EARLY_DYNAMIC_PAGE_TABLES));
      bytes.set(table512({ 511: physical(at, 'level3_kernel_pgt') + __PAGE_TABLE }));
      return bytes;
    },
  },
  { name: 'init_level4_pgt', size: 4096, align: 4096, section: '.data', file: HEAD_64 },
  {
    name: 'phys_base',
    size: 8,
    align: 8,
    section: '.data',
    file: HEAD_64,
    init: () => quads([0n]),
  },
  {
    name: 'early_pmd_flags',
    mask: true,
    size: 8,
    align: 8,
    section: '.data',
    file: 'arch/x86/kernel/head64.c',
    init: () => quads([__PAGE_KERNEL_LARGE & ~(_PAGE_GLOBAL | _PAGE_NX)]),
  },
  {
    name: 'next_early_pgt',
    size: 4,
    align: 4,
    section: '.init.data',
    file: 'arch/x86/kernel/head64.c',
    init: () => Uint8Array.of(2, 0, 0, 0),
  },
  {
    name: 'init_thread_union',
    size: THREAD_SIZE,
    align: THREAD_SIZE,
    section: '.data',
    file: 'init/init_task.c',
    parts: { __end_init_task: THREAD_SIZE },
  },
  {
    name: 'stack_start',
    size: 8,
    align: 8,
    section: '.data',
    file: HEAD_64,
    init: (at) => quads([BigInt(at.link('init_thread_union') + THREAD_SIZE - 8)]),
  },
  {
    name: 'initial_code',
    size: 8,
    align: 8,
    section: '.data',
    file: HEAD_64,
    init: (at) => quads([BigInt(at.link('x86_64_start_kernel'))]),
  },
  {
    // Our choice: per-CPU areas are not modelled, GS starts at 0.
    name: 'initial_gs',
    size: 8,
    align: 8,
    section: '.data',
    file: HEAD_64,
    init: () => quads([0n]),
  },
  { name: 'idt_table', size: 4096, align: 4096, section: '.bss', file: 'arch/x86/kernel/traps.c' },
  { name: 'boot_params', size: 4096, align: 16, section: '.bss', file: 'arch/x86/kernel/setup.c' },
  { name: 'boot_command_line', size: 2048, align: 16, section: '.init.data', file: 'init/main.c' },
];

/** The GDT and the operand of LGDT. Our choice: per-CPU areas are not modelled, so every CPU has the boot CPU's GDT. */
export const gdtVariables: readonly Variable[] = [
  {
    name: 'gdt_page',
    size: PAGE_SIZE,
    align: PAGE_SIZE,
    section: '.data',
    file: 'arch/x86/kernel/cpu/common.c',
    init: () => quads([0n, ...GDT]),
  },
  {
    name: 'early_gdt_descr',
    size: GDT_DESCR.size,
    align: 16,
    section: '.data',
    file: HEAD_64,
    init: gdtDescr,
  },
];
