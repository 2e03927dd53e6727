/**
 * The instructions that a guest can execute, by opcode (APM vol. 3). Our choice: all other opcodes raise #UD, although
 * a processor has many more instructions.
 */
import { isFault } from '../cpu/fault.js';
import { Decoder, exit, invalidOpcode, type Instruction } from './guest-decoder.js';
import { IO_INSTRUCTIONS, msrAccess, TWO_BYTE } from './guest-protected.js';
import { Guest, type GuestStop } from './guest.js';
import { isVmexit, type Vmexit } from './nested-paging.js';
import { RFLAGS } from '../cpu/registers.js';
import { UnmodelledError } from '../unmodelled.js';
import { INTERCEPT, VMEXIT } from './vmcb.js';

/** General registers that string instructions use, by number. */
const RCX = 1;
const RSI = 6;
const RDI = 7;
/** The largest number of instructions before a #VMEXIT (our choice). */
const MAX_STEPS = 100_000;

/** MOV r, imm (B8+r): 16 or 32 bits. */
const movImmediate: Instruction = (guest, decoder, opcode) => {
  const value = decoder.immediate(guest.operandBytes);
  if (typeof value !== 'bigint') return value;
  guest.setGeneral(opcode & 7, guest.operandBytes, value);
  return null;
};

/** REP MOVSB (F3 A4): moves at most to the end of a page of either side at a time, so that it can be restarted. */
const repMovsb: Instruction = (guest, decoder, opcode) => {
  const next = decoder.byte();
  if (typeof next !== 'number') return next;
  if (next !== OPCODE.MOVSB) return invalidOpcode(opcode);
  if ((guest.get('RFLAGS') & BigInt(RFLAGS.DF)) !== 0n) throw new UnmodelledError('RFLAGS.DF');
  const bytes = guest.addressBytes;
  for (let count = guest.general(RCX, bytes); count > 0n; count = guest.general(RCX, bytes)) {
    const from = guest.linear('DS', guest.general(RSI, bytes));
    if (isFault(from)) return from;
    const to = guest.linear('ES', guest.general(RDI, bytes));
    if (isFault(to)) return to;
    const run = Math.min(Number(count), Guest.toPageEnd(from), Guest.toPageEnd(to));
    const data = new Uint8Array(run);
    const stop = guest.access('read', from, data) ?? guest.access('write', to, data);
    if (stop !== null) return stop;
    const moved = BigInt(run);
    guest.setGeneral(RSI, bytes, guest.general(RSI, bytes) + moved);
    guest.setGeneral(RDI, bytes, guest.general(RDI, bytes) + moved);
    guest.setGeneral(RCX, bytes, count - moved);
  }
  return null;
};

/** JMP rel8 (EB): relative to the next instruction. */
const jmpShort: Instruction = (guest, decoder) => {
  const byte = decoder.byte();
  if (typeof byte !== 'number') return byte;
  // RIP is as wide as an address (APM vol. 3, JMP).
  const target = guest.get('RIP') + BigInt.asIntN(8, BigInt(byte));
  guest.set('RIP', BigInt.asUintN(guest.addressBytes * 8, target));
  return null;
};

/** HLT (F4). */
const hlt: Instruction = (guest) => {
  if (guest.intercepted(INTERCEPT.HLT)) return exit(VMEXIT.HLT);
  throw new UnmodelledError('HLT of a guest without an intercept');
};

/** Instructions that begin with 0F: VMMCALL, RDMSR, WRMSR. */
const twoByte: Instruction = (guest, decoder, opcode) => {
  const [group, rest] = VMMCALL_REST;
  const second = decoder.byte();
  if (typeof second !== 'number') return second;
  if (second === TWO_BYTE.RDMSR || second === TWO_BYTE.WRMSR) {
    return msrAccess(guest, second === TWO_BYTE.WRMSR);
  }
  if (second !== group) return invalidOpcode(opcode);
  const third = decoder.byte();
  if (typeof third !== 'number') return third;
  if (third !== rest) return invalidOpcode(opcode);
  // VMMCALL (0F 01 D9): a #UD without an intercept (APM 15.12.7).
  return guest.intercepted(INTERCEPT.VMMCALL) ? exit(VMEXIT.VMMCALL) : invalidOpcode(opcode);
};

/** First bytes of the instructions. */
export const OPCODE = {
  TWO_BYTE: 0x0f,
  NOP: 0x90,
  MOVSB: 0xa4,
  MOV_AX: 0xb8,
  MOV_CX: 0xb9,
  MOV_SI: 0xbe,
  MOV_DI: 0xbf,
  JMP_SHORT: 0xeb,
  REP: 0xf3,
  HLT: 0xf4,
} as const;
/** The bytes of VMMCALL after 0F: VMMCALL is 0F 01 D9. */
export const VMMCALL_REST: readonly number[] = [0x01, 0xd9];

const INSTRUCTIONS: ReadonlyMap<number, Instruction> = new Map<number, Instruction>([
  [OPCODE.TWO_BYTE, twoByte],
  [OPCODE.NOP, () => null],
  ...Array.from({ length: 8 }, (_, r): [number, Instruction] => [OPCODE.MOV_AX + r, movImmediate]),
  [OPCODE.JMP_SHORT, jmpShort],
  [OPCODE.REP, repMovsb],
  ...IO_INSTRUCTIONS,
  [OPCODE.HLT, hlt],
]);

/** Runs a guest until a #VMEXIT. RIP still points to an instruction that was stopped. */
export function runGuest(guest: Guest): Vmexit {
  // APM 15.20: an injected event is delivered before the guest's first instruction; intercepts do not see it.
  const { injected } = guest;
  if (injected !== undefined) return guest.deliver(injected);
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const decoder = new Decoder(guest);
    const opcode = decoder.byte();
    if (typeof opcode !== 'number') return exitOf(guest, opcode);
    const execute = INSTRUCTIONS.get(opcode);
    const stop = execute === undefined ? invalidOpcode(opcode) : execute(guest, decoder, opcode);
    if (stop !== null) return exitOf(guest, stop);
    guest.set('RIP', guest.get('RIP') + BigInt(decoder.length));
  }
  throw new UnmodelledError('interrupts that would stop a guest');
}

function exitOf(guest: Guest, stop: GuestStop): Vmexit {
  return isVmexit(stop) ? stop : guest.raise(stop);
}
