/**
 * A small number for each line of memory. Fills of gigabytes are one access: blocks and pages whose lines all have one
 * number are that number.
 */
import { LINE_SIZE, PAGE_SIZE, type Pa } from '../../machine/address.js';

const LINES = PAGE_SIZE / LINE_SIZE;
/** Pages of a block (our choice). */
const PAGES = 512;
const BLOCK = PAGES * PAGE_SIZE;

/** The number of all lines, or one for each. */
type Page = number | Uint32Array;
/** The number of all lines, or the pages. */
type Block = number | readonly Page[];

/** The numbers by block, shared with the state that goes on. */
export type LineUsesSnapshot = ReadonlyMap<number, Block>;

export class LineUses {
  private blocks = new Map<number, Block>();
  /** What no snapshot shares. */
  private own = new WeakSet<Page[] | Uint32Array>();

  /** The number of the line of an address; 0 if it has none. */
  get(address: Pa): number {
    const block = this.blocks.get(Math.floor(address / BLOCK)) ?? 0;
    if (typeof block === 'number') return block;
    const page = block[Math.floor((address % BLOCK) / PAGE_SIZE)] ?? 0;
    if (typeof page === 'number') return page;
    return page[Math.floor((address % PAGE_SIZE) / LINE_SIZE)] ?? 0;
  }

  /** Sets the number of each line of a range. */
  set(address: Pa, length: number, value: number): void {
    const end = address + length;
    for (let at: number = address; at < end;) {
      const number = Math.floor(at / BLOCK);
      const stop = Math.min(end, (number + 1) * BLOCK);
      if (stop - at === BLOCK) this.blocks.set(number, value);
      else if (this.blocks.get(number) !== value) this.setInBlock(number, at, stop, value);
      at = stop;
    }
  }

  snapshot(): LineUsesSnapshot {
    this.own = new WeakSet();
    return new Map(this.blocks);
  }

  restore(snapshot: LineUsesSnapshot): void {
    this.own = new WeakSet();
    this.blocks = new Map(snapshot);
  }

  private setInBlock(number: number, from: number, end: number, value: number): void {
    const pages = this.pagesOf(number);
    for (let at = from; at < end;) {
      const index = Math.floor((at % BLOCK) / PAGE_SIZE);
      const base = number * BLOCK + index * PAGE_SIZE;
      const stop = Math.min(end, base + PAGE_SIZE);
      if (stop - at === PAGE_SIZE) pages[index] = value;
      else if (pages[index] !== value) {
        const lines = this.linesOf(pages, index);
        lines.fill(
          value,
          Math.floor((at - base) / LINE_SIZE),
          Math.ceil((stop - base) / LINE_SIZE),
        );
      }
      at = stop;
    }
  }

  /** The pages of a block, which may be changed. */
  private pagesOf(number: number): Page[] {
    const block = this.blocks.get(number) ?? 0;
    if (this.isOwn(block)) return block;
    const pages = typeof block === 'number' ? new Array<Page>(PAGES).fill(block) : block.slice();
    this.own.add(pages);
    this.blocks.set(number, pages);
    return pages;
  }

  /** The lines of a page, which may be changed. */
  private linesOf(pages: Page[], index: number): Uint32Array {
    const page = pages[index] ?? 0;
    if (typeof page !== 'number' && this.own.has(page)) return page;
    const lines = typeof page === 'number' ? new Uint32Array(LINES).fill(page) : page.slice();
    this.own.add(lines);
    pages[index] = lines;
    return lines;
  }

  private isOwn(block: Block): block is Page[] {
    return typeof block !== 'number' && this.own.has(block as Page[]);
  }
}
