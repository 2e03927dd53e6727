/** The VMM's guest: its memory layout, code and data (our choice), and the integrity record of their use. */
import { OPCODE } from '../../machine/svm/guest-instructions.js';
import { va, type Va } from '../../machine/address.js';
import type { AccessKind } from '../../machine/probes.js';
import type { Kernel } from '../../kernel/kernel.js';

/** Guest-physical addresses, a page each. */
export const GUEST = { code: 0x1000, message: 0x2000, answer: 0x3000, end: 0x4000 } as const;
/** User address at which the VMM maps the guest's memory. */
export const GUEST_HVA: Va = va(0x7e00_0000_0000);
/** Size in bytes of the message and of the answer. */
export const MESSAGE_SIZE = 64;

const word = (value: number): number[] => [value & 0xff, value >> 8];

/** 16-bit code: copies the message to the answer's address, then halts in a loop. */
export const GUEST_CODE: Uint8Array = Uint8Array.of(
  ...[OPCODE.MOV_SI, ...word(GUEST.message)],
  ...[OPCODE.MOV_DI, ...word(GUEST.answer)],
  ...[OPCODE.MOV_CX, ...word(MESSAGE_SIZE)],
  ...[OPCODE.REP, OPCODE.MOVSB],
  OPCODE.HLT,
  ...[OPCODE.JMP_SHORT, 0xfd],
);

export const GUEST_MESSAGE: Uint8Array = Uint8Array.from({ length: MESSAGE_SIZE }, (_, i) =>
  'guest memory '.charCodeAt(i % 13),
);

/** Records an access to guest memory for the integrity check; `by` is the reader. */
export function noteGuestAccess(
  k: Kernel,
  by: string,
  what: AccessKind,
  gpa: number,
  bytes: Uint8Array,
): void {
  const { recorder } = k.trace;
  if (what === 'fetch') recorder.consumedPart('guest code', by, gpa - GUEST.code, bytes);
  else if (what === 'read') recorder.consumedPart('guest memory', by, gpa - GUEST.message, bytes);
  else if (k.state.kvm !== null) {
    k.state.kvm.answered.push(...bytes);
    recorder.produced('guest answer', Uint8Array.from(k.state.kvm.answered));
  }
}
