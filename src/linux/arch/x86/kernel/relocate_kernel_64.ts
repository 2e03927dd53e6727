/**
 * arch/x86/kernel/relocate_kernel_64.S: switches from this kernel's page tables to the identity map, copies all pages
 * to their destinations and jumps to the image. Entered at its linked address, where the kexec tables map its copy.
 */
import { PAGE_SIZE, va, type Va } from '../../../../machine/address.js';
import {
  X86_CR0_AM,
  X86_CR0_EM,
  X86_CR0_PE,
  X86_CR0_PG,
  X86_CR0_TS,
  X86_CR0_WP,
  X86_CR4_PAE,
} from '../../../../kernel/constants.js';
import { write_cr0, write_cr3, write_cr4 } from '../../../../kernel/cpu-ops.js';
import {
  IND_DESTINATION,
  IND_DONE,
  IND_INDIRECTION,
  IND_SOURCE,
  KEXEC_CONTROL_CODE_MAX_SIZE,
  PA_CONTROL_PAGE,
  PA_SWAP_PAGE,
  PA_TABLE_PAGE,
  VA_CONTROL_PAGE,
} from '../../../include/linux/kexec.js';
import { filler } from '../../../../kernel/program.js';
import { inline, bodies, label } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import type { Variable } from '../../../../kernel/variables.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** RDI: head of the page list; RSI: page_list; RDX: the image's entry point, at which all registers are zero. */
    relocate_kernel(k: Kernel, indirection: number, pageList: Va, start: number): void;
    identity_mapped(
      k: Kernel,
      indirection: number,
      table: bigint,
      swap: number,
      start: number,
    ): void;
    /** On the identity map, before the first page is copied. */
    'identity_mapped:before-swap_pages'(k: Kernel): void;
    swap_pages(k: Kernel, indirection: number, swap: number): void;
  }
}

const RELOCATE_KERNEL_S = 'arch/x86/kernel/relocate_kernel_64.S';
/** Count of pushed registers: RBX, RBP, R12 to R15 and RFLAGS. */
const SAVED_REGISTERS = 7;
/** Data after the code, by offset in the control page. */
const DATA = {
  RSP: KEXEC_CONTROL_CODE_MAX_SIZE,
  CR0: KEXEC_CONTROL_CODE_MAX_SIZE + 0x08,
  CR3: KEXEC_CONTROL_CODE_MAX_SIZE + 0x10,
  CR4: KEXEC_CONTROL_CODE_MAX_SIZE + 0x18,
  CP_PA_TABLE_PAGE: KEXEC_CONTROL_CODE_MAX_SIZE + 0x20,
  CP_PA_SWAP_PAGE: KEXEC_CONTROL_CODE_MAX_SIZE + 0x28,
  CP_PA_BACKUP_PAGES_MAP: KEXEC_CONTROL_CODE_MAX_SIZE + 0x30,
} as const;
/** Offset of the code after the jump to physical addresses (our choice). */
const IDENTITY_MAPPED = 0x80;
const ZEROED = [
  ...['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp'],
  ...['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'],
] as const;

export const relocateKernel = bodies({
  relocate_kernel: label((k: Kernel, indirection: number, pageList: Va, start: number) => {
    k.enter('relocate_kernel');
    for (let i = 0; i < SAVED_REGISTERS; i++) k.push(0n);
    const word = (index: number): bigint => k.readU64(va(pageList + index * 8));
    const control = k.canonical(word(VA_CONTROL_PAGE));
    const save = (name: keyof typeof DATA, value: bigint): void => {
      k.writeU64(va(control + DATA[name]), value);
    };
    save('RSP', BigInt(k.cpu.rsp));
    save('CR0', BigInt(k.cpu.cr0));
    save('CR3', k.cpu.cr3);
    save('CR4', BigInt(k.cpu.cr4));
    const physical = Number(word(PA_CONTROL_PAGE));
    const table = word(PA_TABLE_PAGE);
    const swap = Number(word(PA_SWAP_PAGE));
    save('CP_PA_TABLE_PAGE', table);
    save('CP_PA_SWAP_PAGE', BigInt(swap));
    save('CP_PA_BACKUP_PAGES_MAP', BigInt(indirection));
    write_cr3(k, table, 'kexec tables');
    k.cpu.rsp = va(physical + PAGE_SIZE);
    k.push(BigInt(physical + IDENTITY_MAPPED));
    k.cpu.rip = va(Number(k.popU64()));
    k.state.frames.push({ name: 'relocate_kernel', at: va(physical), returnsTo: va(0) });
    k.fetch();
    k.fn.identity_mapped(indirection, table, swap, start);
  }),

  identity_mapped: label(
    (k: Kernel, indirection: number, table: bigint, swap: number, start: number) => {
      k.push(0n);
      k.push(BigInt(start));
      const cleared = X86_CR0_AM + X86_CR0_WP + X86_CR0_TS + X86_CR0_EM;
      // As BigInt: `&` of Numbers would make CR0 negative where bit 31 is set.
      const masked = BigInt(k.cpu.cr0) & ~BigInt(cleared);
      write_cr0(k, Number(masked | BigInt(X86_CR0_PG + X86_CR0_PE)));
      write_cr4(k, X86_CR4_PAE);
      write_cr3(k, table, 'kexec tables');
      k.fn['identity_mapped:before-swap_pages']();
      k.fn.swap_pages(indirection, swap);
      write_cr3(k, k.cpu.cr3, 'kexec tables');
      for (const name of ZEROED) k.cpu.setGeneral(name, va(0));
      k.cpu.rip = va(Number(k.popU64()));
    },
  ),

  'identity_mapped:before-swap_pages': label(() => undefined),

  // Each destination page is exchanged with its source page through the swap page.
  swap_pages: inline((k: Kernel, indirection: number, swap: number) => {
    let entry = BigInt(indirection);
    let list = va(0);
    let destination = va(0);
    for (;;) {
      const has = (mark: number): boolean => (entry & BigInt(mark)) !== 0n;
      const page = (): Va => k.canonical(entry - (entry % BigInt(PAGE_SIZE)));
      if (has(IND_DESTINATION)) destination = page();
      else if (has(IND_INDIRECTION)) list = page();
      else if (has(IND_DONE)) return;
      else if (has(IND_SOURCE)) {
        move(k, swap, page());
        move(k, page(), destination);
        k.trace.copyingFromMany('its source page', destination, PAGE_SIZE, () => {
          move(k, destination, swap);
        });
        destination = va(destination + PAGE_SIZE);
      }
      entry = k.readU64(list);
      list = va(list + 8);
    }
  }),
});

/** Copies a page between physical addresses (REP MOVSQ). */
function move(k: Kernel, to: number, from: number): void {
  k.retryUntilDelivered(() => k.cpu.copy(va(to), va(from), PAGE_SIZE));
}

export const kexecVariables: readonly Variable[] = [
  {
    // Page-aligned, because it is mapped as a page. Our choice: it is in .rodata, and its bytes are generated.
    name: 'relocate_kernel',
    size: KEXEC_CONTROL_CODE_MAX_SIZE,
    align: PAGE_SIZE,
    section: '.rodata',
    file: RELOCATE_KERNEL_S,
    init: () => filler('relocate_kernel', KEXEC_CONTROL_CODE_MAX_SIZE),
  },
];
