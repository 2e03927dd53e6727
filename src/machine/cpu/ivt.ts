/** Exceptions in real mode: the interrupt-vector table of far pointers (APM 8.6). */
import { va, vaAdd, type Va } from '../address.js';
import { CODE_SEGMENT } from './cpu-modes.js';
import type { Delivery } from './idt.js';
import { isFault } from './fault.js';
import { RFLAGS } from './registers.js';
import type { Fault } from '../types.js';

/** An entry: IP, then CS (APM 8.6). */
const ENTRY_SIZE = 4;
const CS_OFFSET = 2;
const WORD = 2;
const SEGMENT_SIZE = 0x1_0000;

/** The part of a CPU that delivery in real mode uses. */
export interface RealModeTarget {
  rip: Va;
  rsp: Va;
  rflags: number;
  cs: number;
  csBase: number;
  ss: number;
  readonly idtr: { readonly base: Va; readonly limit: number };
  loadU16(address: Va): number | Fault;
  storeU16(address: Va, value: number): Fault | null;
}

/** Pushes FLAGS, CS and IP, without an error code, and loads CS and IP from the table's entry (APM 8.6.1). */
export function deliverReal(cpu: RealModeTarget, fault: Fault): Delivery {
  const at = fault.vector * ENTRY_SIZE;
  // APM 8.2.9: an entry beyond the limit is a #DF; our choice: no delivery of the #DF is tried, the CPU shuts down.
  if (at + ENTRY_SIZE - 1 > cpu.idtr.limit) return { tripleFault: true, first: fault };
  const ip = cpu.loadU16(vaAdd(cpu.idtr.base, at));
  const cs = cpu.loadU16(vaAdd(cpu.idtr.base, at + CS_OFFSET));
  if (isFault(ip) || isFault(cs)) return { tripleFault: true, first: fault };
  const stack = cpu.ss * CODE_SEGMENT.PARAGRAPH;
  for (const value of [cpu.rflags, cpu.cs, cpu.rip]) {
    // SP wraps within its segment (APM vol. 3, PUSH).
    const sp = ((cpu.rsp % SEGMENT_SIZE) - WORD + SEGMENT_SIZE) % SEGMENT_SIZE;
    const refused = cpu.storeU16(va(stack + sp), value & (SEGMENT_SIZE - 1));
    if (refused !== null) return { tripleFault: true, first: fault, second: refused };
    cpu.rsp = va(cpu.rsp - (cpu.rsp % SEGMENT_SIZE) + sp);
  }
  cpu.rflags = (cpu.rflags & ~(RFLAGS.IF | RFLAGS.TF | RFLAGS.RF)) >>> 0;
  cpu.cs = cs;
  cpu.csBase = cs * CODE_SEGMENT.PARAGRAPH;
  cpu.rip = va(ip);
  return { handler: va(cpu.csBase + ip), fault };
}
