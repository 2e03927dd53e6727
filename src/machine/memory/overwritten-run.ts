/** A run of adjacent lines that were written whole: reported to the `fill` hook as one fill with `overwritten` set. */
import { LINE_SIZE, pa, type KeyId, type Pa } from '../address.js';
import type { Observer, Origin } from '../types.js';

export class OverwrittenRun {
  private start = pa(0);
  private length = 0;

  add(line: Pa, key: KeyId, origin: Origin, fill: Observer['fill']): void {
    if (line !== this.start + this.length) this.report(key, origin, fill);
    if (this.length === 0) this.start = line;
    this.length += LINE_SIZE;
  }

  report(key: KeyId, origin: Origin, fill: Observer['fill']): void {
    const { length } = this;
    if (length === 0) return;
    this.length = 0;
    fill?.(this.start, key, length, true, origin);
  }
}
