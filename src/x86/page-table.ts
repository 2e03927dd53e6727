/**
 * Pages whose loads or stores need no walk and no search: direct-mapped by linear page, the tag of the page's lines and, for
 * each line, a slot. A slot's tag is compared at each access. An entry is valid while the TLB has the
 * translation from which it was made. Linear addresses are given as two halves, since arithmetic of 32 bits is the fastest.
 */
import { Arena } from '../base/arena.js';
import { PAGE_SIZE, translated, type Va } from '../machine/address.js';
import { DirectLines } from '../machine/cache/direct-lines.js';
import type { TlbEntry } from '../machine/cpu/tlb.js';

/** Our choice: pages of each table. */
export const ENTRIES = 1024;
const LINES = 64;
const LINE_SHIFT = 6;
const PAGE_SHIFT = 12;
const PAGE_MASK = -PAGE_SIZE;
const IN_PAGE = PAGE_SIZE - 1;
const IN_LINE = 63;
/** The low half of no page's address: an empty entry. */
const EMPTY = 1;
/** A result of `slot`: the bytes are not at hand. */
export const MISS = -1;
/** Bytes of an arena that a table needs. */
export const PAGE_TABLE_BYTES = Arena.sizeOf(8 * ENTRIES, 8 * ENTRIES, 4 * ENTRIES * LINES);

export class PageTable {
  /** The linear address of each page, low half first. */
  readonly pages: Int32Array;
  /** The tag of its first line, the same. */
  readonly tags: Int32Array;
  /** For each line the slot that held it last; where none is known, any. */
  readonly slots: Int32Array;

  constructor(
    private readonly lines: DirectLines,
    arena: Arena,
  ) {
    this.pages = arena.int32(2 * ENTRIES).fill(EMPTY);
    this.tags = arena.int32(2 * ENTRIES);
    this.slots = arena.int32(ENTRIES * LINES);
  }

  /** Whether an entry is that of the page of an address. */
  private has(index: number, low: number, high: number): boolean {
    const { pages } = this;
    return pages[2 * index] === (low & PAGE_MASK) && pages[2 * index + 1] === high;
  }

  /** The slot of the line of an address if the table and the cache have it, else MISS. */
  slot(low: number, high: number): number {
    const index = (low >>> PAGE_SHIFT) & (ENTRIES - 1);
    if (!this.has(index, low, high)) return MISS;
    const line = (low >>> LINE_SHIFT) & (LINES - 1);
    const slot = this.slots[index * LINES + line] ?? 0;
    const tag = ((this.tags[2 * index] ?? 0) + line) | 0;
    return this.lines.holds(slot, tag, this.tags[2 * index + 1] ?? 0) ? slot : MISS;
  }

  /** Remembers the slot of a line that an access has just used. */
  remember(at: Va, entry: TlbEntry): void {
    const low = at | 0;
    const high = highOf(at);
    const index = (low >>> PAGE_SHIFT) & (ENTRIES - 1);
    if (!this.has(index, low, high)) {
      const first = translated(entry, (at - (low & IN_PAGE)) as Va);
      const tag = DirectLines.tagOf(first, entry.key);
      this.pages[2 * index] = low & PAGE_MASK;
      this.pages[2 * index + 1] = high;
      this.tags[2 * index] = tag.low;
      this.tags[2 * index + 1] = tag.high;
    }
    const slot = this.lines.slotOf(translated(entry, at), entry.key);
    if (slot >= 0) this.slots[index * LINES + ((low >>> LINE_SHIFT) & (LINES - 1))] = slot;
  }

  /** Forgets the pages of a translation, or all. */
  forget(entry: TlbEntry | null): void {
    const { pages } = this;
    if (entry === null) pages.fill(EMPTY);
    else if (entry.size === PAGE_SIZE) {
      const index = (entry.va >>> PAGE_SHIFT) & (ENTRIES - 1);
      if (this.has(index, entry.va | 0, highOf(entry.va))) pages[2 * index] = EMPTY;
    } else {
      const end = entry.va + entry.size;
      for (let i = 0; i < pages.length; i += 2) {
        const page = (pages[i + 1] ?? 0) * 2 ** 32 + ((pages[i] ?? 0) >>> 0);
        if (page >= entry.va && page < end) pages[i] = EMPTY;
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
