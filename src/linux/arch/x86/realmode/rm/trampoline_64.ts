/**
 * arch/x86/realmode/rm/trampoline_64.S: from real mode to the kernel's 64-bit entry. Each part runs at the address
 * that follows from the SIPI's vector, in the mode that its own control-register writes set; its operands are fetched
 * from the relocated code.
 */
import { va, type Va } from '../../../../../machine/address.js';
import { MSR_EFER, X86_CR0_PE, X86_CR0_PG, X86_CR0_WP } from '../../../../../kernel/constants.js';
import { wbinvd, write_cr0, write_cr3, write_cr4, wrmsr } from '../../../../../kernel/cpu-ops.js';
import {
  __KERNEL32_CS,
  __KERNEL_CS,
  __KERNEL_DS,
  OPERANDS,
  RM,
  TRAMPOLINE_HEADER,
  type OperandName,
} from '../rmpiggy.js';
import { bodies, label } from '../../../../../kernel/table.js';
import { CpuLost } from '../../../../../kernel/ends.js';
import { RunLog } from '../../../../../kernel/access-log.js';
import type { Kernel } from '../../../../../kernel/kernel.js';
import { verify } from '../../kernel/verify_cpu.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** 16-bit code, entered at the STARTUP IPI's vector. */
    trampoline_start(k: Kernel): void;
    /** verify_cpu, included in 16-bit code. */
    'trampoline_start:verify_cpu'(k: Kernel): void;
    /** startup_32 of the trampoline: 32-bit code, later in compatibility mode. */
    pa_startup_32(k: Kernel): void;
    /** Before CR4, CR3, EFER and CR0 are written. */
    'pa_startup_32:unpaged'(k: Kernel): void;
    /** After CR0.PG has been set, before the jump to 64-bit code. */
    'pa_startup_32:paged'(k: Kernel): void;
    /** startup_64 of the trampoline. */
    pa_startup_64(k: Kernel): void;
  }
}

const TRAMPOLINE_STATUS = 0xa5a5_a5a5;
const WINDOW = 16;
const CALL_LENGTH = 3;
const WORD = 2;

/** Address of offset `symbol` in the blob, relative to the running code: its own address less its offset in the blob. */
function addressOf(k: Kernel, symbol: number): Va {
  const frame = k.current;
  const ownOffset =
    frame === undefined ? 0 : k.program.link(frame.name) - k.program.link('real_mode_blob');
  return va((frame?.at ?? 0) - ownOffset + symbol);
}

/** Value of an operand of the running code, read by an instruction fetch. */
export function operand(k: Kernel, name: OperandName): number {
  const { at, size } = OPERANDS[name];
  const bytes = new Uint8Array(4);
  k.retryUntilDelivered(() => k.cpu.fetch(addressOf(k, at), bytes, size));
  return new DataView(bytes.buffer).getUint32(0, true);
}

/** A pseudo-descriptor: a limit of 16 bits and a base of 32 (APM vol. 3, LGDT with a 32-bit operand). */
function pseudoDescriptor(k: Kernel, at: Va): [base: Va, limit: number] {
  return [va(k.readU32(va(at + WORD))), k.readU16(at)];
}

/** A far jump to the next part of the code. */
function ljmp(k: Kernel, name: string, selector: number, offset: number): void {
  k.retryUntilDelivered(() => k.cpu.farJump(selector, offset));
  k.arrive(name, k.cpu.codeAddress);
}

export const trampoline = bodies({
  trampoline_start: label((k: Kernel) => {
    const { cpu } = k;
    const start = cpu.codeAddress;
    const code = new Uint8Array(WINDOW);
    const log = new RunLog('fetch');
    k.machine.probes.accessed.during(log.listener, () => {
      k.retryUntilDelivered(() => cpu.fetch(start, code));
    });
    k.trace.recordRead(code, log.runs);
    const reader = `trampoline_start (CPU ${String(cpu.id)})`;
    k.trace.recorder.consumedPart('trampoline', reader, RM.trampoline_start - RM.text_start, code);
    k.arrive('trampoline_start', start);
    wbinvd(k);
    // LJMPW_RM: to the blob's segment, whose offsets are relative to the blob's start.
    const offset = operand(k, 'ljmpw:offset');
    const segment = operand(k, 'ljmpw:real_mode_seg');
    k.retryUntilDelivered(() => cpu.farJump(segment, offset));
    k.fetch();
    cpu.ss = cpu.cs;
    const data = (at: number): Va => va(cpu.csBase + at);
    k.writeU32(data(operand(k, 'trampoline_status')), TRAMPOLINE_STATUS);
    cpu.rsp = va(operand(k, 'rm_stack_end'));
    k.fn['trampoline_start:verify_cpu']();
    cpu.lidt(...pseudoDescriptor(k, data(operand(k, 'tr_idt'))));
    cpu.lgdt(...pseudoDescriptor(k, data(operand(k, 'tr_gdt'))));
    cpu.setGeneral('rdx', va(__KERNEL_DS));
    const startup_32 = operand(k, 'pa_startup_32');
    write_cr0(k, X86_CR0_PE);
    ljmp(k, 'pa_startup_32', __KERNEL32_CS, startup_32);
    k.fn.pa_startup_32();
  }),

  // 16-bit CALL and RET; our choice: the flags that verify_cpu saves on the stack are not written.
  'trampoline_start:verify_cpu': label((k: Kernel) => {
    const { cpu } = k;
    cpu.rsp = va(cpu.rsp - WORD);
    k.writeU16(va(cpu.csBase + cpu.rsp), cpu.rip + CALL_LENGTH);
    const eax = verify(k);
    cpu.rip = va(k.readU16(va(cpu.csBase + cpu.rsp)) - CALL_LENGTH);
    cpu.rsp = va(cpu.rsp + WORD);
    k.fetch();
    if (eax !== 0) throw new CpuLost(cpu.id, 'no_longmode', 'halts: no long mode');
  }),

  pa_startup_32: label((k: Kernel) => {
    const { cpu } = k;
    cpu.ss = Number(cpu.rdx);
    cpu.rsp = va(cpu.rsp + operand(k, 'pa_real_mode_base'));
    k.fn['pa_startup_32:unpaged']();
    write_cr4(k, k.readU32(va(operand(k, 'pa_tr_cr4'))));
    // A 32-bit move: bits 63:32 of CR3 are 0.
    write_cr3(k, BigInt(operand(k, 'pa_trampoline_pgd')), 'trampoline_pgd');
    wrmsr(k, MSR_EFER, k.readU64(va(operand(k, 'pa_tr_efer'))));
    write_cr0(k, X86_CR0_PG + X86_CR0_WP + X86_CR0_PE);
    k.fn['pa_startup_32:paged']();
    ljmp(k, 'pa_startup_64', __KERNEL_CS, operand(k, 'pa_startup_64'));
    k.fn.pa_startup_64();
  }),
  'pa_startup_32:unpaged': label(() => undefined),
  'pa_startup_32:paged': label(() => undefined),

  pa_startup_64: label((k: Kernel) => {
    // A jump through a RIP-relative pointer, to the kernel's virtual address.
    const pointer = addressOf(k, RM.trampoline_header + TRAMPOLINE_HEADER.start);
    const target = k.canonical(k.readU64(pointer));
    k.jump('secondary_startup_64', target);
    k.fn.secondary_startup_64();
  }),
});
