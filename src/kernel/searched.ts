/** Records that the kernel searched memory for a table, for reports. */
import type { Va } from '../machine/address.js';
import { isFault } from '../machine/cpu/fault.js';
import type { Kernel } from './kernel.js';

/**
 * Records a search of `length` bytes from an address on, which is contiguous in physical memory. Called while the range
 * is mapped; a range that is not is not recorded.
 */
export function searched(
  k: Kernel,
  what: string,
  by: string,
  at: Va,
  length: number,
  found: boolean,
): void {
  const target = k.cpu.translate(at);
  if (isFault(target)) return;
  const range = { pa: target.pa, length, c: target.key === 0 ? 0 : 1 };
  k.trace.recorder.searched({ what, by, range, found });
}
