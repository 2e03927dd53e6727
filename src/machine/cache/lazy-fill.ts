/**
 * A long fill that the cache does not have line by line yet: its last lines, as many as the cache holds, all of one byte,
 * dirty. Until something asks for one of them the directory is empty, and the next long fill writes them back as a run.
 */
import { LINE_SIZE, type KeyId, type Pa } from '../address.js';
import type { LineTags } from './cache-tags.js';
import type { LineStore } from '../memory/line-store.js';
import { REQUESTER_CACHE } from '../requester.js';
import type { Origin } from '../types.js';

export class LazyFill {
  /**
   * @param cpu the CPU that owns the lines. @param pa the first of them. @param size bytes of all of them: the cache's
   * size.
   */
  constructor(
    private readonly cpu: number,
    private readonly pa: Pa,
    private readonly key: KeyId,
    private readonly byte: number,
    private readonly origin: Origin,
    private readonly size: number,
  ) {}

  /** Whether some of `length` bytes from an address on are in its lines, whatever the key. */
  overlaps(pa: number, length: number): boolean {
    return pa < this.pa + this.size && this.pa < pa + length;
  }

  /** Puts the lines into an empty directory and the cache's bytes, as writes of one line after the other would. */
  materialize(tags: LineTags, data: Uint8Array): void {
    data.fill(this.byte, 0, this.size);
    tags.takeRun(this.pa, this.key, this.cpu, this.origin, this.size / LINE_SIZE);
  }

  /** Writes all lines back to memory. */
  writeBack(store: LineStore): void {
    store.fillLines(this.pa, this.key, this.byte, this.size, this.origin, REQUESTER_CACHE);
  }
}
