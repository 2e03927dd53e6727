/** The cache's directory: which line is in which slot, whose it is, how long ago it was used. */
import { LINE_SIZE, type KeyId, type Pa } from './address.js';
import type { Origin } from './types.js';

/** Where no slot holds the line. */
export const NO_SLOT = -1;

/** Everything in the directory, to be put back. */
export interface LineTagsSnapshot {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly dirtyBits: Uint8Array;
  readonly owner: Uint16Array;
  readonly origin: Uint32Array;
  readonly used: Float64Array;
  readonly clock: number;
}

/**
 * A tag is two numbers: the low 32 bits of the line's number, and the 14 bits above them with the key id over them.
 * Two integers compare faster than one double, and a line number with its key would not fit a double.
 */
const INVALID = -1;
const HIGH_BYTES = 2 ** 32 * LINE_SIZE;
const KEY_SHIFT = 14;
const HIGH_MASK = 2 ** KEY_SHIFT - 1;

const low = (pa: number): number => (pa / LINE_SIZE) | 0;
const high = (pa: number, key: number): number =>
  (pa < HIGH_BYTES ? 0 : Math.floor(pa / HIGH_BYTES)) | (key << KEY_SHIFT);

export class LineTags {
  /** Slots that hold a line. */
  valid = 0;
  private readonly lowTag: Int32Array;
  private readonly highTag: Int32Array;
  private readonly dirtyBits: Uint8Array;
  private readonly owner: Uint16Array;
  private readonly origin: Uint32Array;
  /** When the slot was used last, as a count of uses. */
  private readonly used: Float64Array;
  private clock = 0;

  /** @param sets a power of two. */
  constructor(
    readonly sets: number,
    readonly ways: number,
  ) {
    const slots = sets * ways;
    this.lowTag = new Int32Array(slots);
    this.highTag = new Int32Array(slots).fill(INVALID);
    this.dirtyBits = new Uint8Array(slots);
    this.owner = new Uint16Array(slots);
    this.origin = new Uint32Array(slots);
    this.used = new Float64Array(slots);
  }

  /** The slot of the line that holds an address under a key, or NO_SLOT. */
  find(pa: Pa, key: KeyId): number {
    const l = low(pa);
    const h = high(pa, key);
    const first = (l & (this.sets - 1)) * this.ways;
    const end = first + this.ways;
    for (let slot = first; slot < end; slot++) {
      if (this.lowTag[slot] === l && this.highTag[slot] === h) return slot;
    }
    return NO_SLOT;
  }

  /** The slot that a new line of this address gets: an empty one, else the least recently used. */
  victim(pa: Pa): number {
    const first = (low(pa) & (this.sets - 1)) * this.ways;
    const end = first + this.ways;
    let oldest = first;
    let age = Infinity;
    for (let slot = first; slot < end; slot++) {
      if (this.highTag[slot] === INVALID) return slot;
      const used = this.used[slot] ?? 0;
      if (used < age) {
        age = used;
        oldest = slot;
      }
    }
    return oldest;
  }

  /** Puts a clean line in a slot. */
  take(slot: number, pa: Pa, key: KeyId, cpu: number, origin: Origin): void {
    if (this.highTag[slot] === INVALID) this.valid++;
    this.lowTag[slot] = low(pa);
    this.highTag[slot] = high(pa, key);
    this.dirtyBits[slot] = 0;
    this.owner[slot] = cpu;
    this.origin[slot] = origin;
    this.touch(slot);
  }

  touch(slot: number): void {
    this.used[slot] = ++this.clock;
  }

  /** A CPU wrote the line: it is that CPU's now. */
  dirty(slot: number, cpu: number, origin: Origin): void {
    this.dirtyBits[slot] = 1;
    this.owner[slot] = cpu;
    this.origin[slot] = origin;
    this.touch(slot);
  }

  /** A write went to the line and to memory. */
  wroteThrough(slot: number, origin: Origin): void {
    this.origin[slot] = origin;
  }

  isDirty(slot: number): boolean {
    return this.dirtyBits[slot] === 1 && this.highTag[slot] !== INVALID;
  }

  invalidate(slot: number): void {
    if (this.highTag[slot] === INVALID) return;
    this.highTag[slot] = INVALID;
    this.dirtyBits[slot] = 0;
    this.valid--;
  }

  /** Invalidates all lines of a CPU, or all. */
  invalidateOwned(cpu: number | 'all'): void {
    for (let slot = 0; slot < this.highTag.length; slot++) {
      if (cpu === 'all' || this.owner[slot] === cpu) this.invalidate(slot);
    }
  }

  addressOf(slot: number): Pa {
    const above = (this.highTag[slot] ?? 0) & HIGH_MASK;
    return (above * HIGH_BYTES + ((this.lowTag[slot] ?? 0) >>> 0) * LINE_SIZE) as Pa;
  }

  keyOf(slot: number): KeyId {
    return ((this.highTag[slot] ?? 0) >> KEY_SHIFT) as KeyId;
  }

  originOf(slot: number): Origin {
    return this.origin[slot] ?? 0;
  }

  countDirty(): number {
    return this.dirtyBits.reduce((sum, bit) => sum + bit, 0);
  }

  /** Slots that hold a physical line under a key other than `key`. */
  sameLineOtherKey(pa: Pa, key: KeyId): number[] {
    const h = high(pa, key);
    return this.slotsOfLine(pa).filter((slot) => this.highTag[slot] !== h);
  }

  /** All dirty slots, ascending by address; at one address the one that was used longest ago comes first. */
  dirtySlots(): Int32Array {
    const total = this.dirtyBits.length;
    const slots = new Int32Array(total);
    let count = 0;
    let first = Infinity;
    for (let slot = 0; slot < total; slot++) {
      if (!this.isDirty(slot)) continue;
      slots[count++] = slot;
      first = Math.min(first, this.addressOf(slot));
    }
    // One stretch of memory, each line once: every line has its place.
    const placed = new Int32Array(total).fill(NO_SLOT);
    let at = 0;
    for (; at < count; at++) {
      const slot = slots[at] ?? 0;
      const place = (this.addressOf(slot) - first) / LINE_SIZE;
      if (place >= total || placed[place] !== NO_SLOT) break;
      placed[place] = slot;
    }
    if (at === count) return placed.filter((slot) => slot !== NO_SLOT);
    return slots
      .subarray(0, count)
      .sort(
        (a, b) =>
          this.addressOf(a) - this.addressOf(b) || (this.used[a] ?? 0) - (this.used[b] ?? 0),
      );
  }

  /** Addresses of the dirty lines of a CPU, or of all, ascending, each once. */
  dirtyLines(cpu: number | 'all'): Float64Array {
    const found: number[] = [];
    for (let slot = 0; slot < this.dirtyBits.length; slot++) {
      if (this.isDirty(slot) && this.owned(slot, cpu)) found.push(this.addressOf(slot));
    }
    const sorted = Float64Array.from(found).sort();
    return sorted.filter((pa, index) => index === 0 || pa !== sorted[index - 1]);
  }

  /** Slots that hold a line dirty for a CPU, or for any, ascending by key. */
  dirtySlotsOf(pa: number, cpu: number | 'all'): number[] {
    return this.slotsOfLine(pa)
      .filter((slot) => this.isDirty(slot) && this.owned(slot, cpu))
      .sort((a, b) => this.keyOf(a) - this.keyOf(b));
  }

  snapshot(): LineTagsSnapshot {
    return {
      low: this.lowTag.slice(),
      high: this.highTag.slice(),
      dirtyBits: this.dirtyBits.slice(),
      owner: this.owner.slice(),
      origin: this.origin.slice(),
      used: this.used.slice(),
      clock: this.clock,
    };
  }

  restore(snapshot: LineTagsSnapshot): void {
    this.lowTag.set(snapshot.low);
    this.highTag.set(snapshot.high);
    this.dirtyBits.set(snapshot.dirtyBits);
    this.owner.set(snapshot.owner);
    this.origin.set(snapshot.origin);
    this.used.set(snapshot.used);
    this.clock = snapshot.clock;
    this.valid = this.highTag.reduce((sum, tag) => sum + (tag === INVALID ? 0 : 1), 0);
  }

  private owned(slot: number, cpu: number | 'all'): boolean {
    return cpu === 'all' || this.owner[slot] === cpu;
  }

  private slotsOfLine(pa: number): number[] {
    const l = low(pa);
    const above = high(pa, 0);
    const first = (l & (this.sets - 1)) * this.ways;
    const found: number[] = [];
    for (let slot = first; slot < first + this.ways; slot++) {
      const tag = this.highTag[slot] ?? INVALID;
      if (tag !== INVALID && this.lowTag[slot] === l && (tag & HIGH_MASK) === above)
        found.push(slot);
    }
    return found;
  }
}
