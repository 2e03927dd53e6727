/**
 * The shadow of physical memory: for each byte the number of its last writer, and whether its contents were destroyed
 * since. Sparse, copy-on-write: a page that one write filled is one number, and 8 bytes are one element as long as they
 * have the same writer.
 */
import { PAGE_SIZE } from '../machine/address.js';
import { UNWRITTEN } from './writers.js';

/** Bytes of one element: a page-table entry. */
export const GRANULE = 8;
const GRANULES = PAGE_SIZE / GRANULE;
/** Set in an element whose bytes were destroyed after the write: by a write-back of the line under another key. */
const DESTROYED = 0x8000_0000;
/** Set in an element whose bytes have several writers: the rest is the number of their list. */
const SPLIT = 0x4000_0000;

interface ShadowPage {
  /** The element of all granules, where `each` is null. */
  readonly all: number;
  readonly each: Uint32Array | null;
  /** The snapshots before which it may not change. */
  readonly epoch: number;
}

/** The state of the shadow. */
export interface ShadowSnapshot {
  readonly pages: ReadonlyMap<number, ShadowPage>;
  readonly splits: readonly (readonly number[])[];
}

/** A run of granules with the same element: sizes in bytes. */
export type VisitRun = (start: number, length: number, writer: number, destroyed: boolean) => void;

export class Shadow {
  private pages = new Map<number, ShadowPage>();
  private epoch = 0;
  private last: ShadowPage | undefined;
  /** The elements of each byte, for granules with several writers, and the number of each list. */
  private splits: (readonly number[])[] = [];
  private readonly splitNumbers = new Map<string, number>();

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
          if ((element & SPLIT) === 0) this.report(from, to - from, element, visit);
          else for (; from < to; from++) this.report(from, 1, this.elementOf(element, from), visit);
          from = to;
        }
      }
      at = stop;
    }
  }

  /** The writer of all bytes of the page of an address; undefined: there are several, or some bytes were destroyed. */
  pageWriter(at: number): number | undefined {
    const page = this.pages.get(Math.floor(at / PAGE_SIZE));
    if (page === undefined) return UNWRITTEN;
    return page.each === null && (page.all & DESTROYED) === 0 ? page.all : undefined;
  }

  private report(start: number, length: number, element: number, visit: VisitRun): void {
    visit(start, length, element & ~DESTROYED, (element & DESTROYED) !== 0);
  }

  /** Records a write. */
  write(start: number, length: number, writer: number): void {
    this.set(start, length, () => writer, writer);
  }

  /** The element of a byte of a granule. */
  private elementOf(element: number, at: number): number {
    if ((element & SPLIT) === 0) return element;
    return this.splits[element & ~SPLIT]?.[at % GRANULE] ?? UNWRITTEN;
  }

  /** A granule's element after bytes `from` to `to` of it were changed. */
  private changed(
    element: number,
    from: number,
    to: number,
    change: (element: number) => number,
  ): number {
    if ((element & SPLIT) === 0) {
      const next = change(element) >>> 0;
      if (next === element || (from === 0 && to === GRANULE)) return next;
    }
    const bytes = Array.from({ length: GRANULE }, (_, i) => {
      const before = this.elementOf(element, i);
      return i >= from && i < to ? change(before) >>> 0 : before >>> 0;
    });
    const [first = UNWRITTEN] = bytes;
    if (bytes.every((each) => each === first)) return first;
    const id = bytes.join(' ');
    const known = this.splitNumbers.get(id);
    if (known !== undefined) return (known | SPLIT) >>> 0;
    const number = this.splits.push(bytes) - 1;
    this.splitNumbers.set(id, number);
    return (number | SPLIT) >>> 0;
  }

  /** Marks the written granules of a range as destroyed. */
  destroy(start: number, length: number): void {
    this.set(start, length, (element) => (element === UNWRITTEN ? element : element | DESTROYED));
  }

  snapshot(): ShadowSnapshot {
    this.epoch++;
    return { pages: new Map(this.pages), splits: [...this.splits] };
  }

  restore({ pages, splits }: ShadowSnapshot): void {
    this.epoch++;
    this.pages = new Map(pages);
    this.splits = [...splits];
    this.splitNumbers.clear();
    splits.forEach((bytes, number) => this.splitNumbers.set(bytes.join(' '), number));
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
        this.pages.set(number, this.pageOf(whole >>> 0));
      } else {
        const each = this.writable(number, whole);
        if (each !== null) {
          const last = Math.ceil(stop / GRANULE);
          for (let i = Math.floor(inPage / GRANULE); i < last; i++) {
            const from = Math.max(inPage - i * GRANULE, 0);
            const to = Math.min(stop - i * GRANULE, GRANULE);
            each[i] = this.changed(each[i] ?? UNWRITTEN, from, to, change);
          }
        }
      }
      at = (number + 1) * PAGE_SIZE;
    }
  }

  /** A page of one element: pages in a row are the same object. */
  private pageOf(all: number): ShadowPage {
    const { last, epoch } = this;
    if (last?.all === all && last.epoch === epoch) return last;
    return (this.last = { all, each: null, epoch });
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
