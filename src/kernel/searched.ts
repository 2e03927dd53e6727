/** Records that the kernel searches memory for a table, for reports. */
import type { Va } from '../machine/address.js';
import { cBit, RangeLog } from './access-log.js';
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
 * A search of a range begins. Returns the function that records its end, with the physical memory that was read meanwhile;
 * a range of which nothing was read is not recorded.
 */
export function search(k: Kernel, { at, length, ...rest }: Search): (found: boolean) => void {
  k.notes?.searching({ at, size: length });
  const log = new RangeLog(k.cpu.id, 'read', { at, length });
  const end = k.machine.probes.accessed.listen(log.listener);
  return (found) => {
    end();
    const { what, by, signature, step } = rest;
    const bytes = Uint8Array.from(signature, (char) => char.charCodeAt(0));
    for (const run of log.within(at, length)) {
      const { pa: start, key } = run;
      k.trace.recorder.searched({
        ...{ what, by, found },
        range: { pa: start, length: run.length, c: cBit(run) },
      });
      k.notes?.searched({
        ...{ what, start, length: run.length, key, signature: bytes, step, found },
      });
    }
  };
}
