/**
 * The shadow of physical memory: for each 8 bytes the number of their last writer, and whether their contents were
 * destroyed since. Sparse, copy-on-write: a page that one write filled is one number.
 */
import { PAGE_SIZE } from '../machine/address.js';
import { UNWRITTEN } from './writers.js';

/** Bytes that one element stands for: a page-table entry. */
export const GRANULE = 8;
const GRANULES = PAGE_SIZE / GRANULE;
/** Set in an element whose bytes were destroyed after the write: by a write-back of the line under another key. */
const DESTROYED = 0x8000_0000;

interface ShadowPage {
  /** The element of all granules, where `each` is null. */
  readonly all: number;
  readonly each: Uint32Array | null;
  /** The snapshots before which it may not change. */
  readonly epoch: number;
}

/** The state of the shadow. */
export type ShadowSnapshot = ReadonlyMap<number, ShadowPage>;

/** A run of granules with the same element: sizes in bytes. */
export type VisitRun = (start: number, length: number, writer: number, destroyed: boolean) => void;

export class Shadow {
  private pages = new Map<number, ShadowPage>();
  private epoch = 0;

  /** Visits the runs of equal granules of a range, ascending, clipped to the range. */
  runs(start: number, length: number, visit: VisitRun): void {
    const end = start + length;
    for (let at = start; at < end;) {
      const inPage = at % PAGE_SIZE;
      const stop = Math.min(end, at - inPage + PAGE_SIZE);
      const page = this.pages.get((at - inPage) / PAGE_SIZE);
      const each = page?.each ?? null;
      if (each === null) {
        this.report(at, stop - at, page?.all ?? UNWRITTEN, visit);
      } else {
        const base = at - inPage;
        for (let from = at; from < stop;) {
          let granule = Math.floor((from - base) / GRANULE);
          const element = each[granule] ?? UNWRITTEN;
          const last = Math.ceil((stop - base) / GRANULE);
          granule++;
          while (granule < last && each[granule] === element) granule++;
          const to = Math.min(stop, base + granule * GRANULE);
          this.report(from, to - from, element, visit);
          from = to;
        }
      }
      at = stop;
    }
  }

  private report(start: number, length: number, element: number, visit: VisitRun): void {
    visit(start, length, element & ~DESTROYED, (element & DESTROYED) !== 0);
  }

  /** Records a write: every granule that it touches gets this writer. */
  write(start: number, length: number, writer: number): void {
    this.set(start, length, () => writer, writer);
  }

  /** Marks the written granules of a range as destroyed. */
  destroy(start: number, length: number): void {
    this.set(start, length, (element) => (element === UNWRITTEN ? element : element | DESTROYED));
  }

  snapshot(): ShadowSnapshot {
    this.epoch++;
    return new Map(this.pages);
  }

  restore(snapshot: ShadowSnapshot): void {
    this.epoch++;
    this.pages = new Map(snapshot);
  }

  /** @param whole the element of a page that is set whole, if it does not depend on the one before. */
  private set(
    start: number,
    length: number,
    change: (element: number) => number,
    whole?: number,
  ): void {
    const end = start + length;
    for (let at = start; at < end;) {
      const inPage = at % PAGE_SIZE;
      const number = (at - inPage) / PAGE_SIZE;
      const stop = Math.min(end - number * PAGE_SIZE, PAGE_SIZE);
      if (whole !== undefined && inPage === 0 && stop === PAGE_SIZE) {
        this.pages.set(number, { all: whole >>> 0, each: null, epoch: this.epoch });
      } else {
        const each = this.writable(number, whole);
        if (each !== null) {
          const last = Math.ceil(stop / GRANULE);
          for (let i = Math.floor(inPage / GRANULE); i < last; i++) {
            each[i] = change(each[i] ?? UNWRITTEN);
          }
        }
      }
      at = (number + 1) * PAGE_SIZE;
    }
  }

  /** The elements of a page to change; null if all of them are `same` already. */
  private writable(number: number, same: number | undefined): Uint32Array | null {
    const page = this.pages.get(number);
    const before = page?.each ?? null;
    if (before !== null && page?.epoch === this.epoch) return before;
    const all = page?.all ?? UNWRITTEN;
    if (before === null && all === same) return null;
    const each = before?.slice() ?? new Uint32Array(GRANULES).fill(all);
    this.pages.set(number, { all: UNWRITTEN, each, epoch: this.epoch });
    return each;
  }
}
