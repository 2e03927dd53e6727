/**
 * arch/x86/kernel/head_64.S: startup_64 and the early exception entry.
 *
 * Runs at physical addresses on the loader's identity map until it jumps to the high address. Split where the series
 * edits it; %rbp (the load offset) is stored in k.state between the parts.
 */
import {
  alignDown,
  PAGE_SIZE,
  PGDIR_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../machine/address.js';
import { RFLAGS } from '../../../../../machine/cpu/registers.js';
import type { Fault } from '../../../../../machine/types.js';
import { VECTOR } from '../../../../../machine/types.js';
import {
  __KERNEL_CS,
  __KERNPG_TABLE,
  __PAGE_KERNEL_LARGE_EXEC,
  __START_KERNEL_map,
  _PAGE_GLOBAL,
  _PAGE_NX,
  CR0_STATE,
  EFER_NX,
  EFER_SCE,
  MAX_PHYSMEM_BITS,
  MSR_EFER,
  MSR_GS_BASE,
  PTRS_PER_TABLE,
  X86_CR4_PAE,
  X86_CR4_PGE,
} from '../../../../../kernel/constants.js';
import {
  cpuid,
  rdmsr,
  set_entry,
  write_cr0,
  write_cr3,
  write_cr4,
  wrmsr,
  get_entry,
} from '../../../../../kernel/cpu-ops.js';
import { BootEnd, CpuLost } from '../../../../../kernel/ends.js';
import { GDT_DESCR } from './data.js';
import { stateSlice } from '../../../../../kernel/state.js';
import { inline, bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    startup_64(k: Kernel): void;
    /** After the checks, before the tables are fixed up. */
    'startup_64:after-checks'(k: Kernel): void;
    'startup_64:fixup'(k: Kernel): void;
    'startup_64:identity-map'(k: Kernel): void;
    /** %rdx, the first pointer of the identity map, before it is stored. */
    'startup_64:identity-pointer'(k: Kernel, rdx: bigint): bigint;
    /** %rax, the first 2 MiB entry of the identity map, before it is stored. */
    'startup_64:identity-leaf'(k: Kernel, rax: bigint): bigint;
    'startup_64:phys_base'(k: Kernel): void;
    /** Before the load offset is added to phys_base. */
    'startup_64:before-phys_base'(k: Kernel): void;
    /** After phys_base, before CR3 is loaded. */
    'startup_64:after-phys_base'(k: Kernel): void;
    'startup_64:switch'(k: Kernel): void;
    /** Entry of the other CPUs into the kernel. */
    secondary_startup_64(k: Kernel): void;
    /** From the write of EFER on: CR0, RSP from stack_start, the GDT, SS, GS base from initial_gs. */
    'secondary_startup_64:efer'(k: Kernel): void;
    /** Jumps to the address in initial_code, which is that of the function `name` where the bytes are intact. */
    'secondary_startup_64:initial_code'(k: Kernel, name: string): void;
    /** %rax at `1:` of secondary_startup_64, before phys_base is added. */
    'secondary_startup_64:cr3'(k: Kernel, rax: bigint): bigint;
    early_idt_handler_array(k: Kernel, fault: Fault): void;
  }
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    /** %rbp of startup_64: the load offset, plus the encryption mask where a hunk adds it. */
    rbp: bigint;
  }
}
export const head_64State = stateSlice(() => ({ rbp: 0n }));

/** Variables that the boot CPU sets and a starting CPU reads. */
export const SECONDARY_VARIABLES = ['initial_code', 'initial_gs', 'stack_start'] as const;

export const head_64 = bodies({
  startup_64: label((k: Kernel) => {
    k.cpu.rsp = va(k.sym('__end_init_task') - 8);
    k.fn.verify_cpu();
    const text = k.sym('_text');
    k.state.rbp = BigInt(text - (k.program.link('_text') - __START_KERNEL_map));
    // A load address that is not 2 MiB aligned, or too large, hangs at bad_address.
    if (text % PMD_SIZE !== 0) k.fn.halt('bad_address: the load address is not 2 MiB aligned');
    if (text >= 2 ** MAX_PHYSMEM_BITS) k.fn.halt('bad_address: the load address is too large');
  }),

  'startup_64:after-checks': label(() => undefined),

  'startup_64:fixup': label((k: Kernel) => {
    const fixup = (
      table: string,
      index: number,
      level: 'pgd' | 'pud' | 'pmd',
      mapped: Va,
    ): void => {
      const at = k.sym(table);
      set_entry(k, level, at, index, get_entry(k, at, index) + k.state.rbp, mapped);
    };
    fixup('early_level4_pgt', 511, 'pgd', va(-PGDIR_SIZE));
    fixup('level3_kernel_pgt', 510, 'pud', va(-2 * PUD_SIZE));
    fixup('level3_kernel_pgt', 511, 'pud', va(-PUD_SIZE));
    fixup('level2_fixmap_pgt', 506, 'pmd', va(-PUD_SIZE + 506 * PMD_SIZE));
  }),

  'startup_64:identity-map': label((k: Kernel) => {
    const text = k.sym('_text');
    const pgd = k.sym('early_level4_pgt');
    // The first two dynamic tables are the PUD and the PMD of the map.
    const pud = va(pgd + PAGE_SIZE);
    const pmd = va(pgd + 2 * PAGE_SIZE);
    let rdx = k.fn['startup_64:identity-pointer'](BigInt(pud) + __KERNPG_TABLE);
    const pgdAt = tableIndex(text, 39);
    set_entry(k, 'pgd', pgd, pgdAt, rdx, va(alignDown(text, PGDIR_SIZE)));
    set_entry(k, 'pgd', pgd, pgdAt + 1, rdx, va(alignDown(text, PGDIR_SIZE) + PGDIR_SIZE));
    rdx += BigInt(PAGE_SIZE);
    const pudAt = tableIndex(text, 30);
    set_entry(k, 'pud', pud, pudAt, rdx, va(alignDown(text, PUD_SIZE)));
    set_entry(k, 'pud', pud, (pudAt + 1) & 511, rdx, va(alignDown(text, PUD_SIZE) + PUD_SIZE));
    let rax = k.fn['startup_64:identity-leaf'](
      BigInt(text) + (__PAGE_KERNEL_LARGE_EXEC & ~_PAGE_GLOBAL),
    );
    const first = Math.floor(text / PMD_SIZE);
    const last = Math.floor((k.sym('_end') - 1) / PMD_SIZE);
    for (let i = first; i <= last; i++) {
      set_entry(k, 'pmd', pmd, i & 511, rax, va(i * PMD_SIZE));
      rax += BigInt(PMD_SIZE);
    }
    // Fix up the kernel text and data addresses: every present entry.
    const level2 = k.sym('level2_kernel_pgt');
    for (let i = 0; i < PTRS_PER_TABLE; i++) {
      const entry = get_entry(k, level2, i);
      if ((entry & 1n) === 0n) continue;
      set_entry(k, 'pmd', level2, i, entry + k.state.rbp, va(__START_KERNEL_map + i * PMD_SIZE));
    }
  }),

  'startup_64:identity-pointer': inline((_k: Kernel, rdx: bigint) => rdx),
  'startup_64:identity-leaf': inline((_k: Kernel, rax: bigint) => rax),

  'startup_64:phys_base': label((k: Kernel) => {
    k.fn['startup_64:before-phys_base']();
    k.addU64(k.sym('phys_base'), k.state.rbp);
    k.fn['startup_64:after-phys_base']();
  }),
  'startup_64:before-phys_base': label(() => undefined),
  'startup_64:after-phys_base': label(() => undefined),

  'startup_64:switch': label((k: Kernel) => {
    const rax = k.fn['secondary_startup_64:cr3'](
      BigInt(k.program.link('early_level4_pgt') - __START_KERNEL_map),
    );
    write_cr4(k, X86_CR4_PAE | X86_CR4_PGE);
    write_cr3(k, rax + k.readU64(k.sym('phys_base')), 'early_level4_pgt');
    // Jump to the address that the kernel was linked at.
    k.state.slide = 0;
    k.jump('startup_64');
    k.fn['secondary_startup_64:efer']();
    k.fn['secondary_startup_64:initial_code']('x86_64_start_kernel');
  }),

  // Other CPUs enter here from the trampoline, at the address that the kernel was linked at.
  secondary_startup_64: label((k: Kernel) => {
    k.fn.verify_cpu();
    const rax = k.fn['secondary_startup_64:cr3'](
      BigInt(k.program.link('init_level4_pgt') - __START_KERNEL_map),
    );
    write_cr4(k, X86_CR4_PAE | X86_CR4_PGE);
    write_cr3(k, rax + k.readU64(k.sym('phys_base')), 'init_level4_pgt');
    k.fn['secondary_startup_64:efer']();
    const { recorder } = k.trace;
    for (const [index, name] of SECONDARY_VARIABLES.entries()) {
      const bytes = k.readBytes(k.sym(name), 8);
      recorder.consumedPart(`AP ${String(k.cpu.id)}`, 'secondary_startup_64', index * 8, bytes);
    }
    k.fn['secondary_startup_64:initial_code']('start_secondary');
    k.fn.start_secondary();
  }),
  'secondary_startup_64:efer': inline((k: Kernel) => {
    const nx = (cpuid(k, 0x8000_0001).edx & (1 << 20)) !== 0;
    const efer = rdmsr(k, MSR_EFER) | EFER_SCE;
    if (nx) k.writeU64(k.sym('early_pmd_flags'), k.readU64(k.sym('early_pmd_flags')) | _PAGE_NX);
    wrmsr(k, MSR_EFER, nx ? efer | EFER_NX : efer);
    write_cr0(k, CR0_STATE);
    k.cpu.rsp = k.canonical(k.readU64(k.sym('stack_start')));
    k.push(0n);
    k.cpu.rflags = RFLAGS.ONE | Number(k.popU64());
    const gdt = k.sym('early_gdt_descr');
    k.cpu.lgdt(k.canonical(k.readU64(va(gdt + GDT_DESCR.base))), k.readU16(gdt));
    // A null selector in SS is allowed in 64-bit mode below CPL 3 (APM vol. 3, MOV). DS, ES, FS and GS are not modelled.
    k.cpu.ss = 0;
    wrmsr(k, MSR_GS_BASE, k.readU64(k.sym('initial_gs')));
    // RSI, the zero page, is the first argument of the next function.
    k.cpu.setGeneral('rdi', k.cpu.rsi);
  }),
  // lretq to the address read, with __KERNEL_CS; the 0 below them is a return address for the unwinder.
  'secondary_startup_64:initial_code': inline((k: Kernel, name: string) => {
    const target = k.readU64(k.sym('initial_code'));
    k.push(0n);
    k.push(BigInt(__KERNEL_CS));
    k.push(target);
    k.retryUntilDelivered(() => k.cpu.farReturn());
    k.arrive(name, k.cpu.rip);
  }),
  'secondary_startup_64:cr3': inline((_k: Kernel, rax: bigint) => rax),

  early_idt_handler_array: label((k: Kernel, fault: Fault) => {
    if (fault.vector === VECTOR.PF && typeof fault.address === 'number') {
      if (k.fn.early_make_pgtable(va(fault.address)) === 0) return;
    }
    // trap_init() replaces the gates. Here they stay but for the page fault's, and their effect is that of the final
    // handlers (our choice).
    if (k.state.traps.final) k.fn.die(fault);
    k.fn.early_fixup_exception(fault);
  }),

  halt: label((k: Kernel, why: string): never => {
    const where = k.current?.name ?? 'startup_64';
    // The others go on without an AP that halts, as they do where verify_cpu sends it to no_longmode.
    if (k.cpu.id !== k.machine.cpus[0].id) throw new CpuLost(k.cpu.id, where, why);
    throw new BootEnd('hung', where, why);
  }),
});
