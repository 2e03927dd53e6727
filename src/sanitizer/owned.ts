/** Memory with an owner: which of its bytes were read since they were put there. */
import { GRANULE } from './shadow.js';
import type { OwnedRange } from './host.js';

/** The bytes of an owned range that were read: a bit for each granule, from bit 0 of byte 0. */
export type OwnedSnapshot = readonly Uint8Array[];

export class Owned {
  private readonly read: Uint8Array[];

  constructor(private readonly ranges: readonly OwnedRange[]) {
    this.read = ranges.map(({ size }) => new Uint8Array(Math.ceil(size / GRANULE / 8) + 1));
  }

  /** Calls `visit` with each owned range that overlaps, and the part of it in bytes. */
  overlaps(
    start: number,
    length: number,
    visit: (range: OwnedRange, start: number, length: number) => void,
  ): void {
    for (const range of this.ranges) {
      const from = Math.max(start, range.base);
      const to = Math.min(start + length, range.base + range.size);
      if (from < to) visit(range, from, to - from);
    }
  }

  /** Bytes were read. */
  wasRead(start: number, length: number): void {
    this.ranges.forEach(({ base, size }, i) => {
      const from = Math.max(start, base);
      const to = Math.min(start + length, base + size);
      if (from >= to) return;
      const bits = this.read[i];
      if (bits) setBits(bits, granule(from) - granule(base), granule(to - 1) - granule(base) + 1);
    });
  }

  /** Whether all bytes of a part of an owned range were read. */
  allRead(range: OwnedRange, start: number, length: number): boolean {
    const bits = this.read[this.ranges.indexOf(range)];
    if (bits === undefined) return false;
    const base = granule(range.base);
    for (let i = granule(start); i <= granule(start + length - 1); i++) {
      if (((bits[(i - base) >> 3] ?? 0) & (1 << ((i - base) & 7))) === 0) return false;
    }
    return true;
  }

  snapshot(): OwnedSnapshot {
    return this.read.map((bits) => bits.slice());
  }

  restore(snapshot: OwnedSnapshot): void {
    snapshot.forEach((bits, i) => this.read[i]?.set(bits));
  }
}

function granule(at: number): number {
  return Math.floor(at / GRANULE);
}

/** Sets the bits from `first` up to, not including, `end`. */
function setBits(bits: Uint8Array, first: number, end: number): void {
  for (let at = first; at < end;) {
    const whole = (end - at) >> 3;
    if ((at & 7) === 0 && whole > 0) {
      bits.fill(0xff, at >> 3, (at >> 3) + whole);
      at += whole * 8;
    } else {
      bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
      at++;
    }
  }
}
