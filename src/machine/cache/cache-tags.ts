/** The cache's directory: which line is in which slot, whose it is, and which one leaves next. */
import { LINE_SIZE, pa as toPa, type KeyId, type Pa } from '../address.js';
import { LRU } from './lru.js';
import type { Origin } from '../types.js';

/** The replacement policy in force. */
export const REPLACEMENT = LRU;
type Policy = ReturnType<typeof REPLACEMENT.create>;

/** Where no slot holds the line. */
export const NO_SLOT = -1;

/** Everything in the directory, to be put back. */
export interface LineTagsSnapshot {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly dirtyBits: Uint8Array;
  readonly owner: Uint16Array;
  readonly origin: Uint32Array;
  readonly replacement: ReturnType<Policy['view']>;
  /** By slot: when it was written last, as a count of writes. */
  readonly written: Float64Array;
  /** Writes so far. */
  readonly writes: number;
  /** Slots that hold a line. */
  readonly valid: number;
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

const addressIn = (lowTag: number, highTag: number): Pa =>
  toPa((highTag & HIGH_MASK) * HIGH_BYTES + (lowTag >>> 0) * LINE_SIZE);

/** The number of the line that a slot of a frozen directory holds; undefined where it is empty. */
export function lineOfSlot({ low, high }: LineTagsSnapshot, slot: number): number | undefined {
  const tag = high[slot] ?? INVALID;
  return tag === INVALID ? undefined : addressIn(low[slot] ?? 0, tag) / LINE_SIZE;
}

export class LineTags {
  /** Slots that hold a line. */
  valid = 0;
  /** Bits of a line's number that choose its set. */
  private readonly setBits: number;
  private readonly lowTag: Int32Array;
  private readonly highTag: Int32Array;
  private readonly dirtyBits: Uint8Array;
  private readonly owner: Uint16Array;
  private readonly origin: Uint32Array;
  private readonly replacement: Policy;
  /** When it was written last: a line that is only read does not become the newer one. */
  private readonly written: Float64Array;
  /** Counts writes of lines. */
  private writes = 0;
  /** The way that the last look-up found its line in: where the next one looks first. */
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
    const l = low(pa);
    const h = high(pa, key);
    const first = (l & (this.sets - 1)) * this.ways;
    // Lines that come one after the other are often in the same way of their sets.
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

  /** The slot that a new line of this address gets: an empty one, else the one that the policy gives up. */
  victim(pa: Pa): number {
    const { highTag } = this;
    const first = (low(pa) & (this.sets - 1)) * this.ways;
    const end = first + this.ways;
    if (this.valid !== highTag.length) {
      for (let slot = first; slot < end; slot++) if (highTag[slot] === INVALID) return slot;
    }
    return this.replacement.victim(first, end);
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
    this.replacement.use(slot);
  }

  /** A CPU wrote the line: it is that CPU's now. */
  dirty(slot: number, cpu: number, origin: Origin): void {
    this.dirtyBits[slot] = 1;
    this.owner[slot] = cpu;
    this.origin[slot] = origin;
    this.touch(slot);
    this.written[slot] = ++this.writes;
  }

  /** A write went to the line and to memory. */
  wroteThrough(slot: number, origin: Origin): void {
    this.origin[slot] = origin;
    this.written[slot] = ++this.writes;
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

  countDirty(): number {
    return this.dirtyBits.reduce((sum, bit) => sum + bit, 0);
  }

  /** Slots that hold a physical line under a key other than `key`. */
  sameLineOtherKey(pa: Pa, key: KeyId): number[] {
    const h = high(pa, key);
    return this.slotsOfLine(pa).filter((slot) => this.highTag[slot] !== h);
  }

  /** Slots whose lines lie in a range under a key, ascending by address. */
  slotsIn(start: number, end: number, key: KeyId): number[] {
    const found: number[] = [];
    for (let slot = 0; slot < this.highTag.length; slot++) {
      if (this.highTag[slot] === INVALID || this.keyOf(slot) !== key) continue;
      const at = this.addressOf(slot);
      if (at >= start && at < end) found.push(slot);
    }
    return found.sort((a, b) => this.addressOf(a) - this.addressOf(b));
  }

  /** Of the dirty lines at a physical address, whatever their keys, the one that was written last. */
  newestDirty(pa: Pa): number | undefined {
    const dirty = this.slotsOfLine(pa).filter((slot) => this.isDirty(slot));
    return dirty.sort((a, b) => (this.written[b] ?? 0) - (this.written[a] ?? 0))[0];
  }

  /** All dirty slots, ascending by address; at one address in the order that the policy gives them up. */
  dirtySlots(): Int32Array {
    return this.dirtyInOrder('all', (a, b) => this.replacement.leavesBefore(a, b));
  }

  /** Slots that hold a line dirty for a CPU, or for any, ascending by address; at one address ascending by key. */
  dirtySlotsOf(cpu: number | 'all'): Int32Array {
    return this.dirtyInOrder(cpu, (a, b) => this.keyOf(a) - this.keyOf(b));
  }

  /**
   * Takes `count` lines from an address on in an empty directory, each dirty at once, as `take` and `dirty` of one line
   * after the other would: line after line goes to the next set, and round after round to the next way.
   */
  takeRun(pa: Pa, key: KeyId, cpu: number, origin: Origin, count: number): void {
    const { ways, sets, lowTag, highTag, written, replacement } = this;
    for (let i = 0; i < count; i++) {
      const line = pa + i * LINE_SIZE;
      const l = low(line);
      const slot = (l & (sets - 1)) * ways + Math.floor(i / sets);
      lowTag[slot] = l;
      highTag[slot] = high(line, key);
      replacement.use(slot);
      written[slot] = ++this.writes;
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
   * Slots of a set stand together and sets are in the order of addresses within a stretch that fills every set once:
   * so the slots are sorted by their stretch, in two passes; `atOneAddress` puts those of one line in order.
   */
  private dirtyInOrder(
    cpu: number | 'all',
    atOneAddress: (a: number, b: number) => number,
  ): Int32Array {
    const { dirtyBits, lowTag, highTag, setBits, ways, owner } = this;
    const above = 2 ** (32 - setBits);
    // Stretches by their numbers, in the order that they were met, with how many lines each has.
    const known = new Map<number, number>();
    const counts: number[] = [];
    // What each way held in the set before: most often the same stretch.
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
        const stretch = h * above + l;
        const index = known.get(stretch) ?? known.size;
        known.set(stretch, index);
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
    for (const stretch of Float64Array.from(known.keys()).sort()) {
      const index = known.get(stretch) ?? 0;
      next[index] = start;
      start += counts[index] ?? 0;
    }
    const slots = new Int32Array(total);
    for (let i = 0; i < total; i++) {
      const index = indexes[i] ?? 0;
      const place = next[index] ?? 0;
      slots[place] = found[i] ?? 0;
      next[index] = place + 1;
    }
    this.orderLines(slots, atOneAddress);
    return slots;
  }

  /** Puts neighbours in order that hold one physical line under several keys. */
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

  /** As it stands, without a copy: good until it changes. */
  view(): LineTagsSnapshot {
    const { dirtyBits, owner, origin, written, writes, valid } = this;
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
    this.writes = snapshot.writes;
    this.valid = snapshot.valid;
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
