/** A run of adjacent lines that were written whole: reported as one fill with `overwritten` set. */
import { LINE_SIZE, pa, type KeyId, type Pa } from '../address.js';
import type { Probes } from '../probes.js';
import type { Origin } from '../types.js';

type Filled = Probes['filled'];

export class OverwrittenRun {
  private start = pa(0);
  private length = 0;

  add(line: Pa, key: KeyId, origin: Origin, filled: Filled): void {
    if (line !== this.start + this.length) this.report(key, origin, filled);
    if (this.length === 0) this.start = line;
    this.length += LINE_SIZE;
  }

  report(key: KeyId, origin: Origin, filled: Filled): void {
    const { length } = this;
    if (length === 0) return;
    this.length = 0;
    filled.notify(this.start, key, length, true, origin);
  }
}
