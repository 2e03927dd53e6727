/** Pages by their numbers, in blocks of a few: what a snapshot took is shared block by block until one changes. */

/** Pages by their numbers, by the numbers of their blocks. */
export type PageBlocks<P> = ReadonlyMap<number, ReadonlyMap<number, P>>;

const BLOCK = 64;
const blockOf = (number: number): number => Math.floor(number / BLOCK);

/** A page among frozen ones. */
export function pageIn<P>(blocks: PageBlocks<P>, number: number): P | undefined {
  return blocks.get(blockOf(number))?.get(number);
}

/** Frozen pages with some more or others; blocks of which none is another are shared. */
export function withPages<P>(blocks: PageBlocks<P>, pages: ReadonlyMap<number, P>): PageBlocks<P> {
  const map = new PageMap(blocks);
  for (const [number, page] of pages) map.set(number, page);
  return map.freeze();
}

export class PageMap<P> {
  private blocks: Map<number, ReadonlyMap<number, P>>;
  /** Blocks that no snapshot has. */
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

  /** False where there was none. */
  delete(number: number): boolean {
    return this.has(number) && this.writable(number).delete(number);
  }

  /** All pages with their numbers, in no order. */
  *all(): Generator<readonly [number, P]> {
    for (const block of this.blocks.values()) yield* block;
  }

  /** The present pages, good until some change. */
  view(): PageBlocks<P> {
    return this.blocks;
  }

  /** The present pages; they do not change any more. */
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
