/**
 * The lines that a long fill leaves in the cache, not yet in the directory: the last ones of the fill, as many as the
 * cache has, dirty, filled with one byte. The directory stays empty until one of them is accessed; another long fill
 * writes them back as one run.
 */
import { LINE_SIZE, type KeyId, type Pa } from '../address.js';
import type { LineTags } from './cache-tags.js';
import type { LineStore } from '../memory/line-store.js';
import { REQUESTER_CACHE } from '../requester.js';
import type { Probes } from '../probes.js';
import type { Origin } from '../types.js';

export class LazyFill {
  /**
   * @param cpu the CPU that owns the lines. @param pa address of the first line. @param size bytes of all lines: the
   * cache's size.
   */
  constructor(
    private readonly cpu: number,
    private readonly pa: Pa,
    private readonly key: KeyId,
    private readonly byte: number,
    private readonly origin: Origin,
    private readonly size: number,
  ) {}

  /** Whether its lines, under any key, overlap `length` bytes from an address on. */
  overlaps(pa: number, length: number): boolean {
    return pa < this.pa + this.size && this.pa < pa + length;
  }

  /** Puts the lines into an empty directory and their bytes into `data`, as a write of each line in turn would. */
  materialize(tags: LineTags, data: Uint8Array): void {
    data.fill(this.byte, 0, this.size);
    tags.takeRun(this.pa, this.key, this.cpu, this.origin, this.size / LINE_SIZE);
  }

  /** Writes all lines back to memory. */
  writeBack(store: LineStore, { writingBack, writtenBack }: Probes): void {
    const { pa, key, size, origin } = this;
    if (writingBack.active) writingBack.notify(pa, key, size);
    store.fillLines(pa, key, this.byte, size, origin, REQUESTER_CACHE);
    if (writtenBack.active) writtenBack.notify(pa, key, size, origin);
  }
}
