/** Text of faults, for the console and the trace. */
import { hex } from '../machine/address.js';
import { bitNumbers } from '../machine/cpu/mmu.js';
import { VECTOR, type EntryRead, type Fault } from '../machine/types.js';

/** A fault as `#PF(2) at 0x1000`: vector, error code of a page fault, address if it has one. */
export function describe(fault: Fault): string {
  const name = Object.entries(VECTOR).find(([, vector]) => vector === fault.vector)?.[0] ?? '?';
  const at = fault.address === undefined ? '' : ` at ${hex(fault.address)}`;
  return `#${name}${fault.vector === VECTOR.PF ? `(${String(fault.error)})` : ''}${at}`;
}

/** A page-table entry as the walker read it: its value and reserved bits, or that its address has no memory. */
export function valueText({ value, reserved, absent }: EntryRead): string {
  // An address without memory or device reads as all ones (our choice).
  if (absent) return 'nothing there, read as all ones';
  const bits = reserved === 0n ? '' : `, reserved bits ${bitNumbers(reserved)}`;
  return `${hex(value)}${bits}`;
}

/** The page-table entry that stopped a walk: `PUD entry 0x9c008 read with C=1: 0x0`. */
export function entryText(read: EntryRead): string {
  return `${read.level} entry ${hex(read.at)} read with C=${read.key === 0 ? '0' : '1'}: ${valueText(read)}`;
}
