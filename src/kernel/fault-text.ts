/** Faults in words, for the console and the trace. */
import { hex } from '../machine/address.js';
import { bitNumbers } from '../machine/cpu/mmu.js';
import { VECTOR, type EntryRead, type Fault } from '../machine/types.js';

/** A fault in a few words: vector, error code, address. */
export function describe(fault: Fault): string {
  const name = Object.entries(VECTOR).find(([, vector]) => vector === fault.vector)?.[0] ?? '?';
  const at = fault.address === undefined ? '' : ` at ${hex(fault.address)}`;
  return `#${name}${fault.vector === VECTOR.PF ? `(${String(fault.error)})` : ''}${at}`;
}

/** What the walker got for a table entry: its value and reserved bits, or that nothing is there to read. */
export function valueText({ value, reserved, absent }: EntryRead): string {
  // An address without memory or device reads as all ones (our choice).
  if (absent) return 'nothing there, read as all ones';
  const bits = reserved === 0n ? '' : `, reserved bits ${bitNumbers(reserved)}`;
  return `${hex(value)}${bits}`;
}

/** The table entry that a walk stopped at, in words: `PUD entry 0x9c008 read with C=1: 0x0`. */
export function entryText(read: EntryRead): string {
  return `${read.level} entry ${hex(read.at)} read with C=${read.key === 0 ? '0' : '1'}: ${valueText(read)}`;
}
