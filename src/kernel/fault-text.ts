/** Faults in words, for the console and the trace. */
import { hex } from '../machine/address.js';
import { VECTOR, type Fault } from '../machine/types.js';

/** A fault in a few words: vector, error code, address. */
export function describe(fault: Fault): string {
  const name = Object.entries(VECTOR).find(([, vector]) => vector === fault.vector)?.[0] ?? '?';
  const at = fault.address === undefined ? '' : ` at ${hex(fault.address)}`;
  return `#${name}${fault.vector === VECTOR.PF ? `(${String(fault.error)})` : ''}${at}`;
}
