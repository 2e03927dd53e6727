/** A small number for each line of memory, in pages that are allocated when one of their lines gets one. */
import { LINE_SIZE, PAGE_SIZE, type Pa } from '../../machine/address.js';

const LINES = PAGE_SIZE / LINE_SIZE;

export class LineUses {
  private readonly pages = new Map<number, Uint32Array>();
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
      let page = this.page(number);
      if (page === undefined && value !== 0) {
        page = new Uint32Array(LINES);
        this.pages.set(number, page);
        this.lastPage = page;
      }
      const first = Math.floor((at - base) / LINE_SIZE);
      page?.fill(value, first, Math.ceil((stop - base) / LINE_SIZE));
      at = stop;
    }
  }

  private page(number: number): Uint32Array | undefined {
    if (number !== this.lastNumber) {
      this.lastNumber = number;
      this.lastPage = this.pages.get(number);
    }
    return this.lastPage;
  }
}
