/** Memory with an owner: which of its bytes were read since they were put there, and which were converted in place. */
import { LINE_SIZE, type KeyId } from '../machine/address.js';
import { GRANULE } from './shadow.js';
import type { OwnedRange } from './host.js';

/** A bit for each granule of the owned ranges, from bit 0 of byte 0. */
type Bits = readonly Uint8Array[];

/** The bits of what was read in each range, then those of what was converted: a byte is of eight granules. */
export type OwnedSnapshot = Bits;

/** A read of whole lines of an owned range. */
interface LastRead {
  readonly length: number;
  readonly key: KeyId;
}

/** Reads that are remembered, the latest (our choice: as many as a conversion in place has between its read and write). */
const REMEMBERED = 1024;

export class Owned {
  private readonly read: Uint8Array[];
  private readonly inPlace: Uint8Array[];
  /** By first address. Not in a snapshot: a step that converts memory does it whole. */
  private readonly reads = new Map<number, LastRead>();

  constructor(private readonly ranges: readonly OwnedRange[]) {
    const bits = (): Uint8Array[] =>
      ranges.map(({ size }) => new Uint8Array(Math.ceil(size / GRANULE / 8) + 1));
    this.read = bits();
    this.inPlace = bits();
  }

  /** Calls `visit` with each owned range that overlaps, and the part of it in bytes. */
  overlaps(
    start: number,
    length: number,
    visit: (range: OwnedRange, start: number, length: number, index: number) => void,
  ): void {
    this.ranges.forEach((range, index) => {
      const from = Math.max(start, range.base);
      const to = Math.min(start + length, range.base + range.size);
      if (from < to) visit(range, from, to - from, index);
    });
  }

  /** Bytes were read, or given up by their owner (without a key). */
  wasRead(start: number, length: number, key?: KeyId): void {
    this.change(this.read, start, length, true);
    if (key === undefined || start % LINE_SIZE !== 0 || length < LINE_SIZE) return;
    this.overlaps(start, length, () => {
      this.reads.delete(start);
      this.reads.set(start, { length, key });
      const [oldest] = this.reads.keys();
      if (this.reads.size > REMEMBERED && oldest !== undefined) this.reads.delete(oldest);
    });
  }

  /** The read of what is written now under another key to the same place; undefined if there was none. */
  readBefore(start: number, length: number, key: KeyId): LastRead | undefined {
    const last = this.reads.get(start);
    if (last === undefined || last.key === key || length < LINE_SIZE) return undefined;
    this.reads.delete(start);
    return { ...last, length: Math.min(last.length, length) };
  }

  /** Bytes were written by others than their owner: what was put there is gone. */
  overwritten(start: number, length: number): void {
    this.change(this.inPlace, start, length, false);
  }

  /** Bytes were encrypted or decrypted in place: they are what was put there, and wait for their reader again. */
  converted(start: number, length: number): void {
    this.change(this.read, start, length, false);
    this.change(this.inPlace, start, length, true);
  }

  /** Whether all bytes of a part of an owned range were read. */
  allRead(range: OwnedRange, start: number, length: number): boolean {
    return this.all(this.read, range, start, length);
  }

  /** Whether all bytes of a part of an owned range are what was put there, after a conversion in place. */
  allConverted(range: OwnedRange, start: number, length: number): boolean {
    return this.all(this.inPlace, range, start, length);
  }

  private all(bits: Bits, range: OwnedRange, start: number, length: number): boolean {
    const own = bits[this.ranges.indexOf(range)];
    if (own === undefined) return false;
    const base = granule(range.base);
    for (let i = granule(start); i <= granule(start + length - 1); i++) {
      if (((own[(i - base) >> 3] ?? 0) & (1 << ((i - base) & 7))) === 0) return false;
    }
    return true;
  }

  private change(bits: Bits, start: number, length: number, on: boolean): void {
    this.overlaps(start, length, ({ base }, from, size, index) => {
      const own = bits[index];
      if (own)
        setBits(
          own,
          granule(from) - granule(base),
          granule(from + size - 1) - granule(base) + 1,
          on,
        );
    });
  }

  snapshot(): OwnedSnapshot {
    return [...this.read, ...this.inPlace].map((bits) => bits.slice());
  }

  restore(snapshot: OwnedSnapshot): void {
    [...this.read, ...this.inPlace].forEach((bits, i) => {
      bits.set(snapshot[i] ?? []);
    });
    this.reads.clear();
  }
}

function granule(at: number): number {
  return Math.floor(at / GRANULE);
}

/** Sets or clears the bits from `first` up to, not including, `end`. */
function setBits(bits: Uint8Array, first: number, end: number, on: boolean): void {
  for (let at = first; at < end;) {
    const whole = (end - at) >> 3;
    if ((at & 7) === 0 && whole > 0) {
      bits.fill(on ? 0xff : 0, at >> 3, (at >> 3) + whole);
      at += whole * 8;
    } else {
      const bit = 1 << (at & 7);
      const before = bits[at >> 3] ?? 0;
      bits[at >> 3] = on ? before | bit : before & ~bit;
      at++;
    }
  }
}
