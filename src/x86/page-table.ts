/**
 * Pages whose loads or stores need no walk and no search: direct-mapped by linear page, the tag of the page's lines and, for
 * each line, the slot that held it last. A slot's tag is compared at each access. An entry is valid while the TLB has the
 * translation from which it was made. Linear addresses are given as two halves, since arithmetic of 32 bits is the fastest.
 */
import { PAGE_SIZE, translated, type Va } from '../machine/address.js';
import { DirectLines } from '../machine/cache/direct-lines.js';
import type { TlbEntry } from '../machine/cpu/tlb.js';

/** Our choice: pages of each table. */
const ENTRIES = 1024;
const LINES = 64;
const LINE_SHIFT = 6;
const PAGE_SHIFT = 12;
const PAGE_MASK = -PAGE_SIZE;
const IN_PAGE = PAGE_SIZE - 1;
const IN_LINE = 63;
/** The high half of no canonical address: an empty entry. */
const EMPTY = 0x7fff_ffff;
/** A result of `slot`: the bytes are not at hand. */
export const MISS = -1;

export class PageTable {
  /** The linear address of each page. */
  private readonly pageLow = new Int32Array(ENTRIES);
  private readonly pageHigh = new Int32Array(ENTRIES).fill(EMPTY);
  /** The tag of its first line. */
  private readonly tagLow = new Int32Array(ENTRIES);
  private readonly tagHigh = new Int32Array(ENTRIES);
  private readonly slots = new Int32Array(ENTRIES * LINES);

  constructor(private readonly lines: DirectLines) {}

  /** The slot of the line of an address if the table and the cache have it, else MISS. */
  slot(low: number, high: number): number {
    const index = (low >>> PAGE_SHIFT) & (ENTRIES - 1);
    if (this.pageLow[index] !== (low & PAGE_MASK) || this.pageHigh[index] !== high) return MISS;
    const line = (low >>> LINE_SHIFT) & (LINES - 1);
    const slot = this.slots[index * LINES + line] ?? MISS;
    const tag = ((this.tagLow[index] ?? 0) + line) | 0;
    return this.lines.holds(slot, tag, this.tagHigh[index] ?? 0) ? slot : MISS;
  }

  /** Remembers the slot of a line that an access has just used. */
  remember(at: Va, entry: TlbEntry): void {
    const low = at | 0;
    const high = highOf(at);
    const index = (low >>> PAGE_SHIFT) & (ENTRIES - 1);
    if (this.pageLow[index] !== (low & PAGE_MASK) || this.pageHigh[index] !== high) {
      const first = translated(entry, (at - (low & IN_PAGE)) as Va);
      const tag = DirectLines.tagOf(first, entry.key);
      this.pageLow[index] = low & PAGE_MASK;
      this.pageHigh[index] = high;
      this.tagLow[index] = tag.low;
      this.tagHigh[index] = tag.high;
      this.slots.fill(MISS, index * LINES, (index + 1) * LINES);
    }
    const slot = this.lines.slotOf(translated(entry, at), entry.key);
    this.slots[index * LINES + ((low >>> LINE_SHIFT) & (LINES - 1))] = slot;
  }

  /** Forgets the pages of a translation, or all. */
  forget(entry: TlbEntry | null): void {
    const { pageLow, pageHigh } = this;
    if (entry === null) pageHigh.fill(EMPTY);
    else if (entry.size === PAGE_SIZE) {
      const index = (entry.va >>> PAGE_SHIFT) & (ENTRIES - 1);
      if (pageLow[index] === (entry.va | 0) && pageHigh[index] === highOf(entry.va)) {
        pageHigh[index] = EMPTY;
      }
    } else {
      const end = entry.va + entry.size;
      for (const [index, high] of pageHigh.entries()) {
        const page = high * 2 ** 32 + ((pageLow[index] ?? 0) >>> 0);
        if (page >= entry.va && page < end) pageHigh[index] = EMPTY;
      }
    }
  }
}

/** The high half of a linear address. */
export function highOf(at: Va): number {
  return Math.floor(at / 2 ** 32) | 0;
}

/** Removes the pages of a translation from a direct-mapped table of linear pages, whose length is a power of two. */
export function forgetPages(pages: Float64Array, { va, size }: TlbEntry): void {
  if (size === PAGE_SIZE) {
    const index = (va / PAGE_SIZE) & (pages.length - 1);
    if (pages[index] === va) pages[index] = NaN;
    return;
  }
  const end = va + size;
  for (const [index, page] of pages.entries()) {
    if (page >= va && page < end) pages[index] = NaN;
  }
}

/** The offset of an address in the cache's bytes; `low` is its low half. */
export function inSlot(slot: number, low: number): number {
  return (slot << LINE_SHIFT) | (low & IN_LINE);
}

/** Whether an access of `size` bytes stays in one line. */
export function inOneLine(at: Va, size: number): boolean {
  return (at & IN_LINE) + size <= IN_LINE + 1;
}
