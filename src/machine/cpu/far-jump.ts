/** JMP FAR and RETF, and the code-segment descriptors that they read (APM 4.7, 4.8.1; vol. 3, JMP Far, RET Far). */
import { va, vaAdd, vaOfU64, type Va } from '../address.js';
import { CODE_SEGMENT, type CpuMode } from './cpu-modes.js';
import { generalProtection, isFault } from './fault.js';
import type { Fault } from '../types.js';

/** Fields of a code-segment descriptor of 8 bytes (APM 4.7.2, 4.8.1), by bit. */
export const CODE_DESCRIPTOR = {
  BASE_LOW: { shift: 16n, mask: 0xff_ffffn },
  /** Descriptor type 11: a code segment. */
  CODE: { shift: 43n, mask: 0x3n },
  P: { shift: 47n, mask: 0x1n },
  L: { shift: 53n, mask: 0x1n },
  D: { shift: 54n, mask: 0x1n },
  BASE_HIGH: { shift: 56n, mask: 0xffn },
} as const;

const CODE_TYPE = 3n;
const DESCRIPTOR_SIZE = 8;
const BASE_HIGH_FROM = 24n;
/** RPL and TI of a selector; the rest is the descriptor's offset (APM 4.5.1). */
const SELECTOR_LOW = 7;
const TI = 4;
const NP = 11;
const IP_MASK = 0xffff;
const STACK_SLOT = 8;
const SELECTOR_MASK = 0xffffn;

/** The part of a CPU that a far jump uses. */
export interface FarJumper {
  cs: number;
  csBase: number;
  csLong: number;
  rip: Va;
  rsp: Va;
  readonly mode: CpuMode;
  readonly gdtr: { readonly base: Va; readonly limit: number };
  loadU64(address: Va): bigint | Fault;
}

/** Loads CS and RIP; on a fault nothing has changed. CPL stays 0: gates and rings are not modelled. */
export function farJump(cpu: FarJumper, selector: number, offset: number): Fault | null {
  if (cpu.mode === 'real') {
    // APM vol. 3, JMP Far: in real mode the base is the selector multiplied by 16.
    cpu.cs = selector;
    cpu.csBase = selector * CODE_SEGMENT.PARAGRAPH;
    cpu.rip = va(offset & IP_MASK);
    return null;
  }
  const index = selector - (selector & SELECTOR_LOW);
  const error = selector - (selector & 3);
  // APM vol. 3, JMP Far: a null selector, one beyond the table's limit or one of the LDT is a #GP.
  if (index === 0 || (selector & TI) !== 0 || index + DESCRIPTOR_SIZE - 1 > cpu.gdtr.limit) {
    return generalProtection('no such code segment', undefined, error);
  }
  const descriptor = cpu.loadU64(vaAdd(cpu.gdtr.base, index));
  if (isFault(descriptor)) return descriptor;
  const field = (name: keyof typeof CODE_DESCRIPTOR): bigint =>
    (descriptor >> CODE_DESCRIPTOR[name].shift) & CODE_DESCRIPTOR[name].mask;
  if (field('CODE') !== CODE_TYPE) return generalProtection('no code segment', undefined, error);
  if (field('P') === 0n) return { vector: NP, error, why: 'code segment not present' };
  const long = (cpu.mode === 'compatibility' || cpu.mode === '64-bit') && field('L') === 1n;
  // APM 4.8.1: L with D is reserved in long mode.
  if (long && field('D') === 1n) return generalProtection('CS.L with CS.D', undefined, error);
  cpu.cs = selector;
  // APM 4.5.3: the base of a 64-bit code segment is ignored.
  cpu.csBase = long ? 0 : Number(field('BASE_LOW') | (field('BASE_HIGH') << BASE_HIGH_FROM));
  cpu.csLong = long ? 1 : 0;
  cpu.rip = va(offset);
  return null;
}

/** RETF with a 64-bit operand: pops RIP and CS; on a fault nothing has changed (APM vol. 3, RET Far). */
export function farReturn(cpu: FarJumper): Fault | null {
  const rip = cpu.loadU64(cpu.rsp);
  if (isFault(rip)) return rip;
  const cs = cpu.loadU64(vaAdd(cpu.rsp, STACK_SLOT));
  if (isFault(cs)) return cs;
  const target = vaOfU64(rip);
  if (target === undefined) return generalProtection('return not canonical', rip);
  const fault = farJump(cpu, Number(cs & SELECTOR_MASK), target);
  if (fault === null) cpu.rsp = vaAdd(cpu.rsp, 2 * STACK_SLOT);
  return fault;
}
