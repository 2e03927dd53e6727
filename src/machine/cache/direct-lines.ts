/**
 * Hits of the cache without a search: a caller that has the slot of a line compares its tag and accesses its bytes. The effect
 * on tags and on the replacement policy is that of the cache's own read or write of a line that it holds.
 */
import { LINE_SIZE, type KeyId, type Pa } from '../address.js';
import { tagHigh, tagLow, type LineTags, type TagPlaces } from './cache-tags.js';
import type { Origin } from '../types.js';

export class DirectLines {
  /** The bytes of the slots, LINE_SIZE each. */
  readonly words: Int32Array;
  readonly halves: Uint16Array;

  constructor(
    private readonly tags: LineTags,
    readonly bytes: Uint8Array,
  ) {
    const { buffer, byteOffset, length } = bytes;
    this.words = new Int32Array(buffer, byteOffset, length / 4);
    this.halves = new Uint16Array(buffer, byteOffset, length / 2);
  }

  /** Where the bytes and the directory begin in their arena: of a cache that was moved to one. */
  places(): TagPlaces & { readonly data: number } {
    return { data: this.bytes.byteOffset, ...this.tags.places() };
  }

  /** The slot of a line, or −1. */
  slotOf(pa: Pa, key: KeyId): number {
    return this.tags.find(pa, key);
  }

  /** The tag of a page's first line: the tag of its n-th line has n more in `low`. */
  static tagOf(pa: Pa, key: KeyId): { low: number; high: number } {
    return { low: tagLow(pa), high: tagHigh(pa, key) };
  }

  /** Whether a slot holds the line of a tag. */
  holds(slot: number, low: number, high: number): boolean {
    return this.tags.holds(slot, low, high);
  }

  /** Whether the line in a slot has the bytes at an offset of others. */
  equal(slot: number, others: Uint8Array, offset: number): boolean {
    const { bytes } = this;
    const from = slot * LINE_SIZE;
    for (let i = 0; i < LINE_SIZE; i++) if (bytes[from + i] !== others[offset + i]) return false;
    return true;
  }

  /** A read hit. */
  read(slot: number): void {
    this.tags.touch(slot);
  }

  /** A write hit of a CPU. */
  write(slot: number, cpu: number, origin: Origin): void {
    this.tags.dirty(slot, cpu, origin);
  }
}
