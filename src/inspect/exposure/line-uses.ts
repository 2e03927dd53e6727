/** A small number for each line of memory, in pages that are allocated when one of their lines gets one. */
import { LINE_SIZE, PAGE_SIZE, type Pa } from '../../machine/address.js';

const LINES = PAGE_SIZE / LINE_SIZE;

/** The numbers by page, shared with the state that goes on. */
export type LineUsesSnapshot = ReadonlyMap<number, Uint32Array>;

export class LineUses {
  private pages = new Map<number, Uint32Array>();
  /** Pages that no snapshot shares. */
  private own = new Set<number>();
  private lastNumber = -1;
  private lastPage: Uint32Array | undefined;

  /** The number of the line of an address; 0 if it has none. */
  get(address: Pa): number {
    const page = this.page(Math.floor(address / PAGE_SIZE));
    return page?.[Math.floor((address % PAGE_SIZE) / LINE_SIZE)] ?? 0;
  }

  /** Sets the number of each line of a range. */
  set(address: Pa, length: number, value: number): void {
    const end = address + length;
    for (let at: number = address; at < end;) {
      const number = Math.floor(at / PAGE_SIZE);
      const base = number * PAGE_SIZE;
      const stop = Math.min(end, base + PAGE_SIZE);
      const first = Math.floor((at - base) / LINE_SIZE);
      const last = Math.ceil((stop - base) / LINE_SIZE);
      this.pageFor(number, value)?.fill(value, first, last);
      at = stop;
    }
  }

  snapshot(): LineUsesSnapshot {
    this.own = new Set();
    return new Map(this.pages);
  }

  restore(snapshot: LineUsesSnapshot): void {
    this.own = new Set();
    this.pages = new Map(snapshot);
    this.lastNumber = -1;
    this.lastPage = undefined;
  }

  /** A page that may be changed; undefined: it has no numbers and gets none. */
  private pageFor(number: number, value: number): Uint32Array | undefined {
    const known = this.page(number);
    if (known === undefined ? value === 0 : this.own.has(number)) return known;
    const page = known?.slice() ?? new Uint32Array(LINES);
    this.own.add(number);
    this.pages.set(number, page);
    this.lastPage = page;
    return page;
  }

  private page(number: number): Uint32Array | undefined {
    if (number !== this.lastNumber) {
      this.lastNumber = number;
      this.lastPage = this.pages.get(number);
    }
    return this.lastPage;
  }
}
