/**
 * Dirty lines that leave the cache: adjacent ones of one key and origin are gathered, up to a page, and written to
 * memory at once.
 */
import { LINE_SIZE, PAGE_SIZE, pa as toPa, type KeyId, type Pa } from '../address.js';
import { copyLine } from './copy-line.js';
import type { LineStore } from '../memory/line-store.js';
import { REQUESTER_CACHE } from '../requester.js';
import type { Probes } from '../probes.js';
import type { Origin } from '../types.js';

export class WriteBackQueue {
  private readonly bytes = new Uint8Array(PAGE_SIZE);
  /** The same bytes, for copies of whole lines. */
  private readonly words = new Int32Array(this.bytes.buffer);
  /** Address, key and origin of the queued lines; `length` is their size in bytes. */
  private pa = toPa(0);
  private key = 0 as KeyId;
  private origin: Origin = 0;
  private length = 0;

  constructor(
    private readonly store: LineStore,
    private readonly probes: Probes,
  ) {}

  /** Queues the line at byte offset `from` of `source`. Flushes first if the line does not continue the queued ones. */
  add(source: Int32Array, from: number, pa: Pa, key: KeyId, origin: Origin): void {
    const continues =
      this.length > 0 &&
      pa === this.pa + this.length &&
      key === this.key &&
      origin === this.origin &&
      this.length < PAGE_SIZE;
    if (!continues) {
      this.flush();
      this.pa = pa;
      this.key = key;
      this.origin = origin;
    }
    copyLine(this.words, this.length, source, from);
    this.length += LINE_SIZE;
  }

  /** Writes the queued lines to memory. */
  flush(): void {
    const { pa, key, origin, length } = this;
    if (length === 0) return;
    this.length = 0;
    if (this.probes.writingBack.active) this.probes.writingBack.notify(pa, key, length);
    this.store.writeLines(pa, key, this.bytes, 0, length, origin, REQUESTER_CACHE);
    if (this.probes.writtenBack.active) this.probes.writtenBack.notify(pa, key, length, origin);
  }
}
