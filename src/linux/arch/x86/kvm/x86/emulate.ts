/**
 * arch/x86/kvm/emulate.c and x86_emulate_instruction(): KVM emulates a guest instruction on guest memory as the VMM has
 * it mapped. Modelled are the real-mode instructions that the VMM's guest uses.
 */
import { own } from '../../../../../base/own.js';
import { OPCODE, VMMCALL_REST } from '../../../../../machine/svm/guest-instructions.js';
import { UnmodelledError } from '../../../../../machine/unmodelled.js';
import { noteGuestAccess } from '../../../../user/guest.js';
import type { VcpuRegs } from '../../../../include/linux/kvm_host.js';
import { vcpuOf } from '../mmu.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** `ud`: EMULTYPE_TRAP_UD; EMULATE_FAIL for any instruction that is not marked EmulateOnUD. */
    x86_emulate_instruction(k: Kernel, ud: boolean): EmulationResult;
    /** The byte at CS:`offset`, read through the VMM's mapping; undefined outside every memory slot. */
    kvm_fetch_guest_virt(k: Kernel, offset: bigint): number | undefined;
    emulator_fix_hypercall(k: Kernel): void;
  }
}

export type EmulationResult = 'EMULATE_DONE' | 'EMULATE_FAIL';

const BY = 'x86_emulate_instruction';
/** 16-bit registers, indexed by the register number in an opcode. */
const WORD_REGS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;
const MASK = 0xffffn;

const low = (regs: VcpuRegs, name: string): bigint => (own(regs, name) ?? 0n) & MASK;
function setLow(regs: VcpuRegs, name: string, value: bigint): void {
  regs[name] = ((own(regs, name) ?? 0n) & ~MASK) | (value & MASK);
}

interface Decoded {
  readonly length: number;
  /** EmulateOnUD: emulated also after a #UD. */
  readonly onUd?: true;
  /** Executes the instruction; returns false where RIP must not advance. */
  execute(k: Kernel, regs: VcpuRegs): boolean;
}

type Decoder = (byte: (at: number) => number, opcode: number) => Decoded | undefined;

const DECODERS: ReadonlyMap<number, Decoder> = new Map<number, Decoder>([
  ...Array.from({ length: 8 }, (_, r): [number, Decoder] => [
    OPCODE.MOV_AX + r,
    (byte) => ({
      length: 3,
      execute: (_k, regs) => {
        setLow(regs, WORD_REGS[r] ?? 'rax', BigInt(byte(1) + byte(2) * 256));
        return true;
      },
    }),
  ]),
  [OPCODE.REP, (byte) => (byte(1) === OPCODE.MOVSB ? { length: 2, execute: repMovsb } : undefined)],
  [
    OPCODE.JMP_SHORT,
    (byte) => ({
      length: 2,
      execute: (_k, regs) => {
        setLow(regs, 'rip', low(regs, 'rip') + BigInt((byte(1) << 24) >> 24));
        return true;
      },
    }),
  ],
  // em_hlt() sets vcpu->arch.halt_request, which only VMX reads: with SVM the guest continues after the HLT.
  [OPCODE.HLT, () => ({ length: 1, execute: () => true })],
  [
    OPCODE.TWO_BYTE,
    (byte) =>
      VMMCALL_REST.every((expected, i) => byte(i + 1) === expected)
        ? {
            length: 3,
            onUd: true,
            // em_hypercall(): the instruction's bytes are rewritten, and the guest executes it again.
            execute: (k) => {
              k.fn.emulator_fix_hypercall();
              return false;
            },
          }
        : undefined,
  ],
]);

/** REP MOVSB, byte by byte: the emulator restarts a string instruction until RCX is 0. */
function repMovsb(k: Kernel, regs: VcpuRegs): boolean {
  while (low(regs, 'rcx') !== 0n) {
    const from = Number(k.fn.svm_get_segment_base('DS') + low(regs, 'rsi'));
    const to = Number(k.fn.svm_get_segment_base('ES') + low(regs, 'rdi'));
    const bytes = k.fn.kvm_read_guest(from, 1);
    if (bytes === undefined || !k.fn.kvm_write_guest(to, bytes)) {
      throw new UnmodelledError('guest MMIO in an emulated instruction');
    }
    noteGuestAccess(k, BY, 'read', from, bytes);
    noteGuestAccess(k, BY, 'write', to, bytes);
    for (const [name, by] of [
      ['rsi', 1n],
      ['rdi', 1n],
      ['rcx', -1n],
    ] as const) {
      setLow(regs, name, low(regs, name) + by);
    }
  }
  return true;
}

export const kvmEmulate = bodies({
  kvm_fetch_guest_virt: inline((k: Kernel, offset: bigint) => {
    const linear = Number(k.fn.svm_get_segment_base('CS') + (offset & MASK));
    return k.fn.kvm_read_guest(linear, 1)?.[0];
  }),

  // svm_patch_hypercall() writes the bytes of VMMCALL.
  emulator_fix_hypercall: inline((k: Kernel) => {
    const at = Number(k.fn.svm_get_segment_base('CS') + low(vcpuOf(k).regs, 'rip'));
    k.fn.kvm_write_guest(at, Uint8Array.of(OPCODE.TWO_BYTE, ...VMMCALL_REST));
  }),

  x86_emulate_instruction: fn((k: Kernel, ud: boolean) => {
    const vcpu = vcpuOf(k);
    const { regs } = vcpu;
    vcpu.exception = null;
    const byte = (at: number): number =>
      k.fn.kvm_fetch_guest_virt(low(regs, 'rip') + BigInt(at)) ?? -1;
    const opcode = byte(0);
    const decoded = DECODERS.get(opcode)?.(byte, opcode);
    if (ud && decoded?.onUd !== true) return 'EMULATE_FAIL';
    if (decoded === undefined) {
      // reexecute_instruction(): with a direct map the guest retries the instruction where guest frame 0 has a slot.
      if (k.fn.gfn_to_hva(0) !== 0) return 'EMULATE_DONE';
      throw new UnmodelledError(`emulation of opcode 0x${opcode.toString(16)}`);
    }
    const fetched = Uint8Array.from({ length: decoded.length }, (_, at) => byte(at));
    const linear = Number(k.fn.svm_get_segment_base('CS') + low(regs, 'rip'));
    noteGuestAccess(k, BY, 'fetch', linear, fetched);
    if (decoded.execute(k, regs)) setLow(regs, 'rip', low(regs, 'rip') + BigInt(decoded.length));
    return 'EMULATE_DONE';
  }, true),
});
