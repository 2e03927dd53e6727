/** Physical memory as bytes: on the bus, or as an access would read it. Reads change nothing. */
import { KEY_HOST, KEY_PLAIN, pa } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import { readUnder } from '../machine/quiet.js';

/** A range of physical memory. */
export interface PhysicalRange {
  readonly base: number;
  readonly size: number;
}

/** How memory is read: its bytes on the bus, or decrypted by an access with C=0 (`c0`) or C=1 (`c1`). */
export type MemoryView = 'dram' | 'c0' | 'c1';
export const MEMORY_VIEWS: readonly MemoryView[] = ['dram', 'c0', 'c1'];

/** The bytes of physical ranges, one after the other. */
export function bytesOf(
  machine: Machine,
  ranges: readonly PhysicalRange[],
  view: MemoryView,
): Uint8Array {
  const out = new Uint8Array(ranges.reduce((sum, { size }) => sum + size, 0));
  let done = 0;
  for (const { base, size } of ranges) {
    const bytes =
      view === 'dram'
        ? machine.dram.peek(pa(base), size)
        : readUnder(machine, pa(base), size, view === 'c1' ? KEY_HOST : KEY_PLAIN);
    out.set(bytes, done);
    done += size;
  }
  return out;
}
