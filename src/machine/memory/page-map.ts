/** Pages by number, in blocks: snapshots share whole blocks until a page of one changes. */

/** Pages by number, in maps by block number. */
export type PageBlocks<P> = ReadonlyMap<number, ReadonlyMap<number, P>>;

const BLOCK = 64;
const blockOf = (number: number): number => Math.floor(number / BLOCK);

/** The page with a number in frozen blocks. */
export function pageIn<P>(blocks: PageBlocks<P>, number: number): P | undefined {
  return blocks.get(blockOf(number))?.get(number);
}

/** Frozen blocks with some pages added or replaced; blocks without a change are shared. */
export function withPages<P>(blocks: PageBlocks<P>, pages: ReadonlyMap<number, P>): PageBlocks<P> {
  const map = new PageMap(blocks);
  for (const [number, page] of pages) map.set(number, page);
  return map.freeze();
}

export class PageMap<P> {
  private blocks: Map<number, ReadonlyMap<number, P>>;
  /** Blocks that no snapshot shares. */
  private readonly own = new Map<number, Map<number, P>>();

  constructor(blocks: PageBlocks<P> = new Map()) {
    this.blocks = new Map(blocks);
  }

  get(number: number): P | undefined {
    return this.blocks.get(blockOf(number))?.get(number);
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  set(number: number, page: P): void {
    this.writable(number).set(number, page);
  }

  /** Removes a page; false if there was none. */
  delete(number: number): boolean {
    return this.has(number) && this.writable(number).delete(number);
  }

  /** All pages with their numbers, in no order. */
  *all(): Generator<readonly [number, P]> {
    for (const block of this.blocks.values()) yield* block;
  }

  /** The present pages: valid until the next change. */
  view(): PageBlocks<P> {
    return this.blocks;
  }

  /** The present pages, which later changes do not affect. */
  freeze(): PageBlocks<P> {
    this.own.clear();
    return new Map(this.blocks);
  }

  private writable(number: number): Map<number, P> {
    const index = blockOf(number);
    let block = this.own.get(index);
    if (block === undefined) {
      block = new Map(this.blocks.get(index));
      this.own.set(index, block);
      this.blocks.set(index, block);
    }
    return block;
  }
}
