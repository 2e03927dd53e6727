/** arch/x86/kernel/head64.c: the first C code. */
import {
  PMD_SIZE,
  tableIndex,
  va,
  alignDown,
  PGDIR_SIZE,
  PUD_SIZE,
  type Va,
} from '../../../../machine/address.js';
import {
  __START_KERNEL_map,
  COMMAND_LINE_SIZE,
  EARLY_DYNAMIC_PAGE_TABLES,
  EARLY_IDT_HANDLER_SIZE,
  MAXMEM,
  NUM_EXCEPTION_VECTORS,
  PAGE_OFFSET,
  PTE_PFN_MASK,
  PTRS_PER_TABLE,
} from '../../../../kernel/constants.js';
import { BOOT_PARAMS } from '../../../../firmware/boot-params.js';
import { get_entry, set_entry, write_cr3, type Level } from '../../../../kernel/cpu-ops.js';
import { fn, inline, bodies, label } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    reset_early_page_tables(k: Kernel): void;
    /** Returns 0 once the address is mapped, −1 where it cannot be. */
    early_make_pgtable(k: Kernel, address: Va): number;
    /** The walk and the allocation of early_make_pgtable; stores `pmd` for the address. */
    'early_make_pgtable:install'(k: Kernel, address: Va, pmd: bigint): number;
    /** Value of CR3 while the early tables are in use. */
    'early_make_pgtable:cr3'(k: Kernel): bigint;
    clear_bss(k: Kernel): void;
    get_cmd_line_ptr(k: Kernel): number;
    copy_bootdata(k: Kernel, real_mode_data: Va): void;
    /** Copies `size` bytes of the loader's data for copy_bootdata(). */
    'copy_bootdata:copy'(k: Kernel, to: Va, from: Va, size: number): void;
    'x86_64_start_kernel:reset'(k: Kernel): void;
    /** After clear_page(init_level4_pgt). */
    'x86_64_start_kernel:after-clear_page'(k: Kernel): void;
    'x86_64_start_kernel:early-idt'(k: Kernel): void;
    'x86_64_start_kernel:init_level4_pgt'(k: Kernel): void;
  }
}

/** Address, in the kernel mapping, of the table that an entry of the early tables points to. */
export function earlyTable(k: Kernel, entry: bigint): Va {
  return va(Number(entry & PTE_PFN_MASK) + __START_KERNEL_map - k.phys_base());
}

export const head64 = bodies({
  reset_early_page_tables: fn((k: Kernel) => {
    k.memset(k.sym('early_level4_pgt'), 0, 8 * (PTRS_PER_TABLE - 1));
    k.writeU32(k.sym('next_early_pgt'), 0);
    write_cr3(k, k.fn['early_make_pgtable:cr3'](), 'early_level4_pgt');
  }),

  'early_make_pgtable:cr3': inline((k: Kernel) => k.fn.__pa_nodebug(k.sym('early_level4_pgt'))),

  early_make_pgtable: fn((k: Kernel, address: Va) => {
    const physaddr = BigInt(alignDown(address - PAGE_OFFSET, PMD_SIZE));
    const pmd = physaddr + k.readU64(k.sym('early_pmd_flags'));
    return k.fn['early_make_pgtable:install'](address, pmd);
  }),

  'early_make_pgtable:install': inline((k: Kernel, address: Va, pmd: bigint) => {
    const physaddr = address - PAGE_OFFSET;
    // An unsigned comparison in the kernel: addresses below the direct map are too large as well.
    if (physaddr < 0 || physaddr >= MAXMEM) return -1;
    if (k.cpu.cr3 !== k.fn['early_make_pgtable:cr3']()) return -1;
    for (;;) {
      const pgd = k.sym('early_level4_pgt');
      const pud = nextTable(k, 'pgd', pgd, tableIndex(address, 39), alignDown(address, PGDIR_SIZE));
      if (pud === undefined) continue;
      const table = nextTable(k, 'pud', pud, tableIndex(address, 30), alignDown(address, PUD_SIZE));
      if (table === undefined) continue;
      set_entry(k, 'pmd', table, tableIndex(address, 21), pmd, alignDown(address, PMD_SIZE));
      return 0;
    }
  }),

  clear_bss: fn((k: Kernel) => {
    const start = k.sym('__bss_start');
    const stop = k.sym('__bss_stop');
    const { start: from, end: to } = k.program.overlayRange;
    // The overlay has the variables that the image lacks (our choice): it is .data, and not cleared.
    const cut = from >= start && to <= stop;
    k.memset(start, 0, (cut ? from : stop) - start);
    if (cut && to < stop) k.memset(va(to), 0, stop - to);
  }),

  get_cmd_line_ptr: inline((k: Kernel) => {
    const bp = k.sym('boot_params');
    const low = k.readU32(va(bp + BOOT_PARAMS.cmd_line_ptr));
    return low + k.readU32(va(bp + BOOT_PARAMS.ext_cmd_line_ptr)) * 2 ** 32;
  }),

  copy_bootdata: fn((k: Kernel, real_mode_data: Va) => {
    const bp = k.sym('boot_params');
    k.fn['copy_bootdata:copy'](bp, real_mode_data, BOOT_PARAMS.size);
    k.trace.recorder.consumed('boot params', 'copy_bootdata', k.readBytes(bp, BOOT_PARAMS.size));
    k.fn.sanitize_boot_params();
    const cmd_line_ptr = k.fn.get_cmd_line_ptr();
    if (cmd_line_ptr === 0) return;
    const line = k.sym('boot_command_line');
    k.fn['copy_bootdata:copy'](line, k.__va(cmd_line_ptr), COMMAND_LINE_SIZE);
    k.trace.recorder.consumed(
      'command line',
      'copy_bootdata',
      k.readBytes(line, COMMAND_LINE_SIZE),
    );
  }),
  'copy_bootdata:copy': inline((k: Kernel, to: Va, from: Va, size: number) => {
    k.memcpy(to, from, size);
  }),

  'x86_64_start_kernel:reset': label((k: Kernel) => {
    k.fn.reset_early_page_tables();
    k.fn.clear_bss();
    k.memset(k.sym('init_level4_pgt'), 0, 4096);
    k.fn['x86_64_start_kernel:after-clear_page']();
    k.fn.kasan_early_init();
  }),
  'x86_64_start_kernel:after-clear_page': label(() => undefined),

  'x86_64_start_kernel:early-idt': label((k: Kernel) => {
    const stubs = k.sym('early_idt_handler_array');
    for (let vector = 0; vector < NUM_EXCEPTION_VECTORS; vector++) {
      k.fn.set_intr_gate(vector, va(stubs + vector * EARLY_IDT_HANDLER_SIZE));
    }
    k.cpu.lidt(k.sym('idt_table'), 256 * 16 - 1);
  }),

  'x86_64_start_kernel:init_level4_pgt': label((k: Kernel) => {
    const last = get_entry(k, k.sym('early_level4_pgt'), 511);
    set_entry(k, 'pgd', k.sym('init_level4_pgt'), 511, last, va(-PGDIR_SIZE));
  }),
});

/** The table that an entry points to, a new one where it is 0; undefined where none was left and all were reset. */
function nextTable(k: Kernel, level: Level, table: Va, index: number, mapped: Va): Va | undefined {
  const entry = get_entry(k, table, index);
  if (entry !== 0n) return earlyTable(k, entry);
  const next = k.readU32(k.sym('next_early_pgt'));
  if (next >= EARLY_DYNAMIC_PAGE_TABLES) {
    k.fn.reset_early_page_tables();
    return undefined;
  }
  const fresh = va(k.sym('early_dynamic_pgts') + next * 4096);
  k.writeU32(k.sym('next_early_pgt'), next + 1);
  k.memset(fresh, 0, 4096);
  const pointer = BigInt(fresh - __START_KERNEL_map + k.phys_base()) + k.fn._KERNPG_TABLE();
  set_entry(k, level, table, index, pointer, mapped);
  return fresh;
}
