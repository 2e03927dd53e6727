/** arch/x86/realmode/init.c: the trampoline that starts the other CPUs. */
import { alignUp, hex, PAGE_SIZE, tableIndex, va, type Va } from '../../../../machine/address.js';
import { EFER } from '../../../../machine/cpu/registers.js';
import { ISA_END_ADDRESS, MSR_EFER, PAGE_OFFSET } from '../../../../kernel/constants.js';
import { get_entry, rdmsr, set_entry } from '../../../../kernel/cpu-ops.js';
import { REAL_MODE_HEADER, RM, TRAMPOLINE_HEADER } from './rmpiggy.js';
import { fn, bodies, label } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    reserve_real_mode(k: Kernel): void;
    setup_real_mode(k: Kernel): void;
    /** After the header's cr4, before the trampoline's PGD is filled. */
    'setup_real_mode:flags'(k: Kernel, trampolineHeader: Va): void;
    set_real_mode_permissions(k: Kernel): void;
    /** Before the permissions are set; `base` and `size` are the whole trampoline. */
    'set_real_mode_permissions:decrypt'(k: Kernel, base: Va, size: number): void;
  }
}

const PARAGRAPH_SHIFT = 4;
const U32 = 4;
const LAST_ENTRY = 511;

/** PAGE_ALIGN(real_mode_blob_end - real_mode_blob). */
function blobSize(k: Kernel): number {
  return alignUp(k.sym('real_mode_blob_end') - k.sym('real_mode_blob'), PAGE_SIZE);
}

/** Value of the pointer variable real_mode_header. */
function base(k: Kernel): Va {
  return k.canonical(k.readU64(k.sym('real_mode_header')));
}

/** A field of struct real_mode_header: a physical address. */
export function realModeField(k: Kernel, name: keyof typeof REAL_MODE_HEADER): number {
  return k.readU32(va(base(k) + REAL_MODE_HEADER[name].offset));
}

/** Applies one list of relocations; returns the address of the next list. */
function relocate(k: Kernel, list: Va, apply: (site: number) => void): Va {
  const count = k.readU32(list);
  for (let i = 1; i <= count; i++) apply(k.readU32(va(list + i * U32)));
  return va(list + (count + 1) * U32);
}

export const realmodeInit = bodies({
  reserve_real_mode: fn((k: Kernel) => {
    const size = blobSize(k);
    const mem = k.fn.memblock_find_in_range(0, ISA_END_ADDRESS, size, PAGE_SIZE);
    if (mem === 0) k.fn.panic('Cannot allocate trampoline');
    k.fn.memblock_reserve(mem, size);
    k.writeU64(k.sym('real_mode_header'), BigInt(k.__va(mem)));
    k.fn.printk(`Base memory trampoline at [${hex(k.__va(mem))}] ${hex(mem)} size ${String(size)}`);
  }),

  setup_real_mode: fn((k: Kernel) => {
    const at = base(k);
    k.memcpy(at, k.sym('real_mode_blob'), blobSize(k));
    const physical = k.__pa(at);
    const linear = relocate(k, k.sym('real_mode_relocs'), (site) => {
      k.writeU16(va(at + site), physical >> PARAGRAPH_SHIFT);
    });
    relocate(k, linear, (site) => {
      const where = va(at + site);
      k.writeU32(where, (k.readU32(where) + physical) >>> 0);
    });
    const { text_start: from, ro_end: end } = RM;
    k.trace.recorder.produced('trampoline', k.readBytes(va(at + from), end - from));

    // The header may be used only after relocation.
    const header = k.__va(realModeField(k, 'trampoline_header'));
    const efer = rdmsr(k, MSR_EFER);
    k.writeU64(va(header + TRAMPOLINE_HEADER.efer), efer & ~BigInt(EFER.LMA));
    k.writeU64(va(header + TRAMPOLINE_HEADER.start), BigInt(k.sym('secondary_startup_64')));
    k.writeU32(va(header + TRAMPOLINE_HEADER.cr4), k.cpu.cr4);
    k.fn['setup_real_mode:flags'](header);
    const pgd = k.__va(realModeField(k, 'trampoline_pgd'));
    const kernel = k.sym('init_level4_pgt');
    set_entry(k, 'pgd', pgd, 0, get_entry(k, kernel, tableIndex(PAGE_OFFSET, 39)), va(0));
    const last = get_entry(k, kernel, LAST_ENTRY);
    set_entry(k, 'pgd', pgd, LAST_ENTRY, last, va(-(2 ** 39)));
  }),
  'setup_real_mode:flags': label(() => undefined),

  // An early initcall: page permissions cannot be changed earlier, and the other CPUs start soon after.
  set_real_mode_permissions: fn((k: Kernel) => {
    const at = base(k);
    const size = blobSize(k);
    // Read before anything changes: C evaluates the initialisers of the function's variables first.
    const roEnd = alignUp(realModeField(k, 'ro_end'), PAGE_SIZE);
    const text = realModeField(k, 'text_start');
    const textStart = k.__va(text);
    k.fn['set_real_mode_permissions:decrypt'](at, size);
    k.fn.set_memory_nx(at, size / PAGE_SIZE);
    k.fn.set_memory_ro(at, (roEnd - k.__pa(at)) / PAGE_SIZE);
    k.fn.set_memory_x(textStart, (roEnd - text) / PAGE_SIZE);
  }),
  'set_real_mode_permissions:decrypt': label(() => undefined),
});
