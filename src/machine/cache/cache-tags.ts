/** The cache's directory: the line in each slot, its owner, and the next victim. */
import { LINE_SIZE, pa as toPa, paAdd, type KeyId, type Pa } from '../address.js';
import type { Arena } from '../../base/arena.js';
import { LRU } from './lru.js';
import type { Origin } from '../types.js';

/** The replacement policy in force. */
export const REPLACEMENT = LRU;
type Policy = ReturnType<typeof REPLACEMENT.create>;

/** Result of a lookup that finds no slot. */
export const NO_SLOT = -1;

/** The state of the directory; arrays are indexed by slot. */
export interface LineTagsSnapshot {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly dirtyBits: Uint8Array;
  readonly owner: Uint16Array;
  readonly origin: Uint32Array;
  readonly replacement: ReturnType<Policy['view']>;
  /** The number of the last write to each slot, counted over all writes. */
  readonly written: Float64Array;
  /** Writes so far. */
  readonly writes: number;
  /** Slots that hold a line. */
  readonly valid: number;
}

/**
 * A tag is two numbers: the low 32 bits of the line's number, and the next 14 bits with the key id above them.
 * Two integers compare faster than one double, and a line number with its key would not fit a double.
 */
const INVALID = -1;
const HIGH_BYTES = 2 ** 32 * LINE_SIZE;
const KEY_SHIFT = 14;
const HIGH_MASK = 2 ** KEY_SHIFT - 1;

/** The two parts of the tag of an address under a key. */
export const tagLow = (pa: number): number => (pa / LINE_SIZE) | 0;
export const tagHigh = (pa: number, key: number): number =>
  (pa < HIGH_BYTES ? 0 : Math.floor(pa / HIGH_BYTES)) | (key << KEY_SHIFT);

const addressIn = (lowTag: number, highTag: number): Pa =>
  toPa((highTag & HIGH_MASK) * HIGH_BYTES + (lowTag >>> 0) * LINE_SIZE);

/** The number of the line that a slot of a frozen directory holds; undefined where it is empty. */
export function lineOfSlot({ low, high }: LineTagsSnapshot, slot: number): number | undefined {
  const tag = high[slot] ?? INVALID;
  return tag === INVALID ? undefined : addressIn(low[slot] ?? 0, tag) / LINE_SIZE;
}

/** Offsets in bytes of the directory's arrays: as a snapshot has them, `used` and `clock` those of the LRU policy. */
export type TagPlaces = Readonly<
  Record<
    ('low' | 'high' | 'dirtyBits' | 'owner' | 'origin') | ('written' | 'writes' | 'used' | 'clock'),
    number
  >
>;

/** Bytes of an arena for each slot of a directory, at most. */
export const TAG_BYTES = 4 + 4 + 1 + 2 + 4 + 8 + 8;

/** What the directory has of a cached line. */
export interface TaggedLine {
  readonly pa: Pa;
  readonly key: KeyId;
  /** The CPU that filled it or wrote it last. */
  readonly cpu: number;
  /** The code that wrote it last; of a clean line, the code that filled it or wrote through it. */
  readonly origin: Origin;
  /** Of a dirty line, the number of its last write, counted over all writes of lines. */
  readonly dirty?: number;
}

/** A line in the cache. */
export interface CachedLine extends TaggedLine {
  /** Its plaintext: valid until the next access to the cache. */
  readonly bytes: Uint8Array;
}

export class LineTags {
  /** Slots that hold a line. */
  valid = 0;
  /** Bits of a line's number that choose its set. */
  private readonly setBits: number;
  private lowTag: Int32Array;
  private highTag: Int32Array;
  private dirtyBits: Uint8Array;
  private owner: Uint16Array;
  private origin: Uint32Array;
  private readonly replacement: Policy;
  /** The number of the last write to each slot: reads do not make a line newer. */
  private written: Float64Array;
  /** Its element counts writes of lines. */
  private writes: Float64Array = new Float64Array(1);
  /** The way that the last lookup hit: the next lookup tries it first. */
  private way = 0;

  /** @param sets a power of two. */
  constructor(
    readonly sets: number,
    readonly ways: number,
  ) {
    const slots = sets * ways;
    this.setBits = sets === 0 ? 0 : Math.log2(sets);
    this.lowTag = new Int32Array(slots);
    this.highTag = new Int32Array(slots).fill(INVALID);
    this.dirtyBits = new Uint8Array(slots);
    this.owner = new Uint16Array(slots);
    this.origin = new Uint32Array(slots);
    this.replacement = REPLACEMENT.create(slots);
    this.written = new Float64Array(slots);
  }

  /** The slot of the line that holds an address under a key, or NO_SLOT. */
  find(pa: Pa, key: KeyId): number {
    const { lowTag, highTag } = this;
    const l = tagLow(pa);
    const h = tagHigh(pa, key);
    const first = (l & (this.sets - 1)) * this.ways;
    // Adjacent lines are often in the same way of their sets.
    const likely = first + this.way;
    if (lowTag[likely] === l && highTag[likely] === h) return likely;
    const end = first + this.ways;
    for (let slot = first; slot < end; slot++) {
      if (lowTag[slot] === l && highTag[slot] === h) {
        this.way = slot - first;
        return slot;
      }
    }
    return NO_SLOT;
  }

  /** The slot for a new line of this address: an empty one of its set, else the policy's victim. */
  victim(pa: Pa): number {
    const { highTag } = this;
    const first = (tagLow(pa) & (this.sets - 1)) * this.ways;
    const end = first + this.ways;
    if (this.valid !== highTag.length) {
      for (let slot = first; slot < end; slot++) if (highTag[slot] === INVALID) return slot;
    }
    return this.replacement.victim(first, end);
  }

  /** Puts a clean line in a slot. */
  take(slot: number, pa: Pa, key: KeyId, cpu: number, origin: Origin): void {
    if (this.highTag[slot] === INVALID) this.valid++;
    this.lowTag[slot] = tagLow(pa);
    this.highTag[slot] = tagHigh(pa, key);
    this.dirtyBits[slot] = 0;
    this.owner[slot] = cpu;
    this.origin[slot] = origin;
    this.replacement.fill(slot);
  }

  /** Whether a slot holds the line of a tag. */
  holds(slot: number, low: number, high: number): boolean {
    return this.lowTag[slot] === low && this.highTag[slot] === high;
  }

  touch(slot: number): void {
    this.replacement.use(slot);
  }

  /** Marks a line as written by a CPU, which becomes its owner. */
  dirty(slot: number, cpu: number, origin: Origin): void {
    this.dirtyBits[slot] = 1;
    this.owner[slot] = cpu;
    this.origin[slot] = origin;
    this.touch(slot);
    this.countWrite(slot);
  }

  private countWrite(slot: number): void {
    const now = (this.writes[0] ?? 0) + 1;
    this.writes[0] = now;
    this.written[slot] = now;
  }

  /** Records a write-through: to the line and to memory. */
  wroteThrough(slot: number, origin: Origin): void {
    this.origin[slot] = origin;
    this.countWrite(slot);
  }

  isDirty(slot: number): boolean {
    return this.dirtyBits[slot] === 1;
  }

  invalidate(slot: number): void {
    if (this.highTag[slot] === INVALID) return;
    this.highTag[slot] = INVALID;
    this.dirtyBits[slot] = 0;
    this.valid--;
  }

  /** Invalidates all lines of a CPU, or all. */
  invalidateOwned(cpu: number | 'all'): void {
    if (cpu === 'all') {
      this.highTag.fill(INVALID);
      this.dirtyBits.fill(0);
      this.valid = 0;
      return;
    }
    for (let slot = 0; slot < this.highTag.length; slot++) {
      if (this.owner[slot] === cpu) this.invalidate(slot);
    }
  }

  addressOf(slot: number): Pa {
    return addressIn(this.lowTag[slot] ?? 0, this.highTag[slot] ?? 0);
  }

  keyOf(slot: number): KeyId {
    return ((this.highTag[slot] ?? 0) >> KEY_SHIFT) as KeyId;
  }

  originOf(slot: number): Origin {
    return this.origin[slot] ?? 0;
  }

  /** The number of lines of each key. */
  keys(): Map<KeyId, number> {
    const counts = new Map<KeyId, number>();
    for (let slot = 0; slot < this.highTag.length; slot++) {
      if (this.highTag[slot] === INVALID) continue;
      const key = this.keyOf(slot);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  countDirty(): number {
    return this.dirtyBits.reduce((sum, bit) => sum + bit, 0);
  }

  /** Slots that hold a physical line under a key other than `key`. */
  sameLineOtherKey(pa: Pa, key: KeyId): number[] {
    const h = tagHigh(pa, key);
    return this.slotsOfLine(pa).filter((slot) => this.highTag[slot] !== h);
  }

  /** Slots whose lines lie in a range under a key, ascending by address. */
  slotsIn(start: number, end: number, key: KeyId): number[] {
    const { lowTag, highTag } = this;
    const found: number[] = [];
    for (let slot = 0; slot < highTag.length; slot++) {
      const high = highTag[slot] ?? 0;
      // An empty slot has no key.
      if (high >> KEY_SHIFT !== key) continue;
      const at = addressIn(lowTag[slot] ?? 0, high);
      if (at >= start && at < end) found.push(slot);
    }
    return found.sort((a, b) => this.addressOf(a) - this.addressOf(b));
  }

  /** Slots that hold lines of [start, end) under any key, ascending by address, at one address by key. */
  slotsOf(start: Pa, end: number): number[] {
    const found: number[] = [];
    // For a range longer than the directory, walk the slots instead of the range.
    if (Math.ceil((end - start) / LINE_SIZE) * this.ways > this.highTag.length) {
      for (let slot = 0; slot < this.highTag.length; slot++) {
        if (this.highTag[slot] === INVALID) continue;
        const at = this.addressOf(slot);
        if (at >= start && at < end) found.push(slot);
      }
    } else {
      for (let at = start; at < end; at = paAdd(at, LINE_SIZE)) {
        found.push(...this.slotsOfLine(at));
      }
    }
    return found.sort(
      (a, b) => this.addressOf(a) - this.addressOf(b) || this.keyOf(a) - this.keyOf(b),
    );
  }

  ownerOf(slot: number): number {
    return this.owner[slot] ?? 0;
  }

  /** The number of the last write to a dirty slot, counted over all writes. */
  writeOf(slot: number): number {
    return this.written[slot] ?? 0;
  }

  /** The line in a slot, without its bytes. */
  lineIn(slot: number): TaggedLine {
    return {
      pa: this.addressOf(slot),
      key: this.keyOf(slot),
      cpu: this.ownerOf(slot),
      origin: this.originOf(slot),
      ...(this.isDirty(slot) && { dirty: this.writeOf(slot) }),
    };
  }

  /** The slot of the dirty line at a physical address, under any key, that was written last. */
  newestDirty(pa: Pa): number | undefined {
    const dirty = this.slotsOfLine(pa).filter((slot) => this.isDirty(slot));
    return dirty.sort((a, b) => (this.written[b] ?? 0) - (this.written[a] ?? 0))[0];
  }

  /** All dirty slots, ascending by address; at one address in the order of eviction. */
  dirtySlots(): Int32Array {
    return this.dirtyInOrder('all', (a, b) => this.replacement.leavesBefore(a, b));
  }

  /** Slots that hold a line dirty for a CPU, or for any, ascending by address; at one address ascending by key. */
  dirtySlotsOf(cpu: number | 'all'): Int32Array {
    return this.dirtyInOrder(cpu, (a, b) => this.keyOf(a) - this.keyOf(b));
  }

  /**
   * Puts `count` adjacent dirty lines from an address on into an empty directory, as `take` and `dirty` of each in turn
   * would: adjacent lines go to adjacent sets, and each round through the sets to the next way.
   */
  takeRun(pa: Pa, key: KeyId, cpu: number, origin: Origin, count: number): void {
    const { ways, sets, lowTag, highTag, replacement } = this;
    for (let i = 0; i < count; i++) {
      const line = pa + i * LINE_SIZE;
      const l = tagLow(line);
      const slot = (l & (sets - 1)) * ways + Math.floor(i / sets);
      lowTag[slot] = l;
      highTag[slot] = tagHigh(line, key);
      replacement.fill(slot);
      this.countWrite(slot);
    }
    if (count === highTag.length) {
      this.dirtyBits.fill(1);
      this.owner.fill(cpu);
      this.origin.fill(origin);
    } else {
      for (let slot = 0; slot < highTag.length; slot++) {
        if (highTag[slot] === INVALID) continue;
        this.dirtyBits[slot] = 1;
        this.owner[slot] = cpu;
        this.origin[slot] = origin;
      }
    }
    this.valid = count;
  }

  /**
   * Slots of a set are adjacent, and sets are in the order of addresses within a range that fills every set once (a
   * counting sort by that range gives the order, in two passes). `atOneAddress` orders the slots of one physical line.
   */
  private dirtyInOrder(
    cpu: number | 'all',
    atOneAddress: (a: number, b: number) => number,
  ): Int32Array {
    const { dirtyBits, lowTag, highTag, setBits, ways, owner } = this;
    const above = 2 ** (32 - setBits);
    // Index of each range by its number, in order of first occurrence, and the number of lines in each.
    const indexOf = new Map<number, number>();
    const counts: number[] = [];
    // The range of each way's line in the previous set: most often the same range.
    const lastLow = new Int32Array(ways).fill(INVALID);
    const lastHigh = new Int32Array(ways).fill(INVALID);
    const lastIndex = new Int32Array(ways);
    const found = new Int32Array(dirtyBits.length);
    const indexes = new Int32Array(dirtyBits.length);
    let total = 0;
    let way = -1;
    for (let slot = 0; slot < dirtyBits.length; slot++) {
      way = way + 1 === ways ? 0 : way + 1;
      if (dirtyBits[slot] === 0 || (cpu !== 'all' && owner[slot] !== cpu)) continue;
      const l = (lowTag[slot] ?? 0) >>> setBits;
      const h = (highTag[slot] ?? 0) & HIGH_MASK;
      if (lastLow[way] !== l || lastHigh[way] !== h) {
        const range = h * above + l;
        const index = indexOf.get(range) ?? indexOf.size;
        indexOf.set(range, index);
        lastLow[way] = l;
        lastHigh[way] = h;
        lastIndex[way] = index;
      }
      const index = lastIndex[way] ?? 0;
      counts[index] = (counts[index] ?? 0) + 1;
      found[total] = slot;
      indexes[total] = index;
      total++;
    }
    const next = new Int32Array(counts.length);
    let start = 0;
    for (const range of Float64Array.from(indexOf.keys()).sort()) {
      const index = indexOf.get(range) ?? 0;
      next[index] = start;
      start += counts[index] ?? 0;
    }
    const slots = new Int32Array(total);
    for (let i = 0; i < total; i++) {
      const index = indexes[i] ?? 0;
      const position = next[index] ?? 0;
      slots[position] = found[i] ?? 0;
      next[index] = position + 1;
    }
    this.orderLines(slots, atOneAddress);
    return slots;
  }

  /** Orders adjacent slots that hold one physical line under several keys. */
  private orderLines(slots: Int32Array, atOneAddress: (a: number, b: number) => number): void {
    const sameLine = (a: number, b: number): boolean =>
      this.lowTag[a] === this.lowTag[b] &&
      (((this.highTag[a] ?? 0) ^ (this.highTag[b] ?? 0)) & HIGH_MASK) === 0;
    for (let first = 0; first + 1 < slots.length; first++) {
      let end = first + 1;
      while (end < slots.length && sameLine(slots[first] ?? 0, slots[end] ?? 0)) end++;
      if (end - first > 1) slots.subarray(first, end).sort(atOneAddress);
      first = end - 1;
    }
  }

  /** Moves the directory into an arena. */
  moveTo(arena: Arena): void {
    const slots = this.lowTag.length;
    const before = this.view();
    this.lowTag = arena.int32(slots);
    this.highTag = arena.int32(slots);
    this.dirtyBits = arena.uint8(slots);
    this.owner = arena.uint16(slots);
    this.origin = arena.uint32(slots);
    this.written = arena.float64(slots);
    this.writes = arena.float64(1);
    this.replacement.moveTo(arena);
    this.restore(before);
  }

  /** Where the arrays begin in their arena. */
  places(): TagPlaces {
    const { lowTag, highTag, dirtyBits, owner, origin, written, writes, replacement } = this;
    return {
      low: lowTag.byteOffset,
      high: highTag.byteOffset,
      dirtyBits: dirtyBits.byteOffset,
      owner: owner.byteOffset,
      origin: origin.byteOffset,
      written: written.byteOffset,
      writes: writes.byteOffset,
      used: replacement.used.byteOffset,
      clock: replacement.clock.byteOffset,
    };
  }

  /** The present state without a copy: valid until the next change. */
  view(): LineTagsSnapshot {
    const { dirtyBits, owner, origin, written, valid } = this;
    const writes = this.writes[0] ?? 0;
    const [low, high, replacement] = [this.lowTag, this.highTag, this.replacement.view()];
    return { low, high, dirtyBits, owner, origin, replacement, written, writes, valid };
  }

  snapshot(): LineTagsSnapshot {
    const { low, high, dirtyBits, owner, origin, written, writes, valid } = this.view();
    return {
      low: low.slice(),
      high: high.slice(),
      dirtyBits: dirtyBits.slice(),
      owner: owner.slice(),
      origin: origin.slice(),
      replacement: this.replacement.snapshot(),
      written: written.slice(),
      writes,
      valid,
    };
  }

  restore(snapshot: LineTagsSnapshot): void {
    this.lowTag.set(snapshot.low);
    this.highTag.set(snapshot.high);
    this.dirtyBits.set(snapshot.dirtyBits);
    this.owner.set(snapshot.owner);
    this.origin.set(snapshot.origin);
    this.replacement.restore(snapshot.replacement);
    this.written.set(snapshot.written);
    this.writes[0] = snapshot.writes;
    this.valid = snapshot.valid;
  }

  private slotsOfLine(pa: number): number[] {
    const l = tagLow(pa);
    const above = tagHigh(pa, 0);
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
