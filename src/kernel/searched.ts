/** Records that the kernel searches memory for a table, for reports. */
import type { Va } from '../machine/address.js';
import { isFault } from '../machine/cpu/fault.js';
import type { Kernel } from './kernel.js';

/** A search of `length` bytes for a table that begins with the characters of `signature` at a multiple of `step` bytes. */
export interface Search {
  readonly what: string;
  /** The function that searches. */
  readonly by: string;
  readonly at: Va;
  readonly length: number;
  readonly signature: string;
  readonly step: number;
}

/**
 * A search begins in a range that is contiguous in physical memory. Returns the function that records its end, which is
 * called while the range is mapped.
 */
export function search(k: Kernel, { at, length, ...rest }: Search): (found: boolean) => void {
  k.notes?.searching({ at, size: length });
  return (found) => {
    const { what, by, signature, step } = rest;
    const target = k.cpu.translate(at);
    if (isFault(target)) return;
    const { pa: start, key } = target;
    k.trace.recorder.searched({
      ...{ what, by, found },
      range: { pa: start, length, c: key === 0 ? 0 : 1 },
    });
    const bytes = Uint8Array.from(signature, (char) => char.charCodeAt(0));
    k.notes?.searched({ what, start, length, key, signature: bytes, step, found });
  };
}
