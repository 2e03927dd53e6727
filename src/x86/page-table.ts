/**
 * Pages whose loads or stores need no walk and no search: direct-mapped by linear page, the tag of the page's lines and, for
 * each line, the slot that held it last. A slot's tag is compared at each access. An entry is valid while the TLB has the
 * translation from which it was made.
 */
import { PAGE_SIZE, type Va } from '../machine/address.js';
import { DirectLines } from '../machine/cache/direct-lines.js';
import { translated } from '../machine/address.js';
import type { TlbEntry } from '../machine/cpu/tlb.js';

/** Our choice: pages of each table. */
const ENTRIES = 1024;
const LINES = 64;
const LINE_SHIFT = 6;
const IN_PAGE = PAGE_SIZE - 1;
const IN_LINE = 63;
/** A result of `hit`: the bytes are not at hand. */
export const MISS = -1;

export class PageTable {
  private readonly pages = new Float64Array(ENTRIES).fill(NaN);
  private readonly low = new Int32Array(ENTRIES);
  private readonly high = new Int32Array(ENTRIES);
  private readonly slots = new Int32Array(ENTRIES * LINES);

  constructor(private readonly lines: DirectLines) {}

  /** The slot of the line of an address if the table and the cache have it, else MISS. */
  slot(at: Va): number {
    const offset = at & IN_PAGE;
    const page = at - offset;
    const index = (page / PAGE_SIZE) & (ENTRIES - 1);
    if (this.pages[index] !== page) return MISS;
    const line = offset >> LINE_SHIFT;
    const slot = this.slots[index * LINES + line] ?? MISS;
    return this.lines.holds(slot, ((this.low[index] ?? 0) + line) | 0, this.high[index] ?? 0)
      ? slot
      : MISS;
  }

  /** Remembers the slot of a line that an access has just used. */
  remember(at: Va, entry: TlbEntry): void {
    const offset = at & IN_PAGE;
    const page = (at - offset) as Va;
    const index = (page / PAGE_SIZE) & (ENTRIES - 1);
    const pa = translated(entry, page);
    if (this.pages[index] !== page) {
      const { low, high } = DirectLines.tagOf(pa, entry.key);
      this.pages[index] = page;
      this.low[index] = low;
      this.high[index] = high;
      this.slots.fill(MISS, index * LINES, (index + 1) * LINES);
    }
    const slot = this.lines.slotOf(translated(entry, at), entry.key);
    this.slots[index * LINES + (offset >> LINE_SHIFT)] = slot;
  }

  /** Forgets the pages of a translation, or all. */
  forget(entry: TlbEntry | null): void {
    if (entry === null) this.pages.fill(NaN);
    else forgetPages(this.pages, entry);
  }
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

/** The offset of an address in the cache's bytes. */
export function inSlot(slot: number, at: Va): number {
  return (slot << LINE_SHIFT) + (at & IN_LINE);
}

/** Whether an access of `size` bytes stays in one line. */
export function inOneLine(at: Va, size: number): boolean {
  return (at & IN_LINE) + size <= IN_LINE + 1;
}
