/**
 * The pages of DRAM, sparse and copy-on-write: a page is made when it is first touched, snapshots share pages until one
 * is written, and pages that a long fill made alike are one. Pages are numbered: an address over the size of a page.
 * It knows no key and no engine: what a page's bytes mean is the concern of `Dram`.
 */
import { PAGE_SIZE, type KeyId } from '../address.js';
import { isWhole, throughKey, UniformPages, wordsOf, type Lines, type Page } from './dram-page.js';
import { noise } from './noise.js';
import { PageMap, type PageBlocks } from './page-map.js';
import { PagePool } from './page-pool.js';
import { PageRuns, type PageRun } from './page-runs.js';

/** Frozen pages; they are shared until somebody writes. */
export interface PageStoreSnapshot {
  readonly pages: PageBlocks<Page>;
  /** Pages that a long fill left alike, where `pages` has none. */
  readonly runs: readonly PageRun<Page>[];
}

export class PageStore {
  private pages = new PageMap<Page>();
  private runs = new PageRuns<Page>();
  private readonly uniform = new UniformPages();
  private readonly pool = new PagePool();
  /** Pages that no snapshot shares; the others are copied before they change. */
  private readonly own = new Set<number>();
  private lastNumber = -1;
  private lastPage: Page | undefined;
  /** The page that was written whole last. */
  private lastWhole: { number: number; page: Page } | null = null;
  private readonly noisePage = new Uint8Array(PAGE_SIZE);
  private readonly noiseWords = new Uint32Array(this.noisePage.buffer);
  /** The page whose noise `noisePage` holds. */
  private noiseNumber = -1;

  /** @param seed of the power-on noise. */
  constructor(private readonly seed: number) {}

  /** A page that was touched. Not to be changed. */
  at(number: number): Page | undefined {
    return this.pages.get(number) ?? this.runs.get(number);
  }

  /** Whether a page that was touched is one of a run, whose one page of the model serves all of them. */
  inRun(number: number): boolean {
    return !this.pages.has(number) && this.runs.get(number) !== undefined;
  }

  /** What an untouched page holds: power-on noise. Good until the next call. */
  noiseOf(number: number): Uint8Array {
    if (this.noiseNumber !== number) {
      noise(this.seed, number, this.noiseWords);
      this.noiseNumber = number;
    }
    return this.noisePage;
  }

  /** Numbers of the pages that were touched, ascending. */
  touched(): number[] {
    const numbers = new Set<number>();
    for (const [number] of this.pages.all()) numbers.add(number);
    for (const { first, last } of this.runs.all) {
      for (let number = first; number < last; number++) numbers.add(number);
    }
    return [...numbers].sort((a, b) => a - b);
  }

  /** Whether any line was last written through a key. */
  get encrypted(): boolean {
    for (const [, page] of this.pages.all()) if (throughKey(page)) return true;
    return this.runs.all.some(({ first, last, page }) => {
      if (!throughKey(page)) return false;
      for (let number = first; number < last; number++) if (!this.pages.has(number)) return true;
      return false;
    });
  }

  /**
   * The page for writing: made of noise if untouched, copied if a snapshot shares it.
   *
   * @param whole all bytes are about to be written: none are made or copied.
   * @param keepLines what is known of its lines is copied even so.
   */
  writable(number: number, whole: boolean, keepLines: boolean): Page {
    if (number === this.lastNumber && this.lastPage !== undefined) {
      this.pool.own(this.lastPage);
      return this.lastPage;
    }
    let page = this.at(number);
    if (page === undefined) {
      page = this.pool.blank();
      if (!whole) noise(this.seed, number, wordsOf(page));
      this.add(number, page);
    } else if (!this.own.has(number)) {
      page = whole && !keepLines ? this.pool.blank() : this.pool.copyOf(page);
      this.add(number, page);
    }
    this.pool.own(page);
    this.lastNumber = number;
    this.lastPage = page;
    return page;
  }

  /** A page that `writable` gave has been written: lines of it that are alike by now take no room. */
  written(page: Page): void {
    this.pool.compact(page);
  }

  /**
   * A whole page is written, each line alike, pending under its key. One that is like the page before is one with it
   * until a write: what is long and repeats itself takes no room.
   */
  put(number: number, data: Uint8Array, key: KeyId, origin: number): void {
    const lines = this.pool.sharedPage(key, key, origin);
    this.lastNumber = -1;
    const { lastWhole } = this;
    if (lastWhole !== null && isWhole(lastWhole.page, data, lines)) {
      const { number: before, page } = lastWhole;
      if (this.pages.get(before) === page) this.own.delete(before);
      this.pages.set(number, page);
      this.own.delete(number);
      return;
    }
    const page = this.putBytes(number, data, lines);
    this.lastWhole = { number, page };
  }

  /** The bytes of a page that is all one byte. Not to be changed. */
  uniformBytes(byte: number, key: KeyId, origin: number): Uint8Array {
    return this.uniform.of(byte, key, origin).bytes;
  }

  /** Whole pages [first, last) become one byte, each line pending under the key: one page of the model for all. */
  fill(first: number, last: number, byte: number, key: KeyId, origin: number): void {
    for (let number = first; number < last; number++) {
      if (this.pages.delete(number)) this.own.delete(number);
    }
    this.runs = this.runs.with({ first, last, page: this.uniform.of(byte, key, origin) });
    this.lastNumber = -1;
  }

  /** The present pages without freezing them: good until something is written. */
  view(): PageStoreSnapshot {
    return { pages: this.pages.view(), runs: this.runs.all };
  }

  /** Freezes the present pages. */
  snapshot(): PageStoreSnapshot {
    this.share();
    return { pages: this.pages.freeze(), runs: this.runs.all };
  }

  /** Goes back to a snapshot of pages with the same noise; the snapshot stays as it is. */
  restore(snapshot: PageStoreSnapshot): void {
    this.share();
    this.pages = new PageMap(snapshot.pages);
    this.runs = new PageRuns(snapshot.runs);
  }

  /** From now on every page belongs to a snapshot too. */
  private share(): void {
    this.own.clear();
    this.lastNumber = -1;
  }

  private add(number: number, page: Page): void {
    this.pages.set(number, page);
    this.own.add(number);
  }

  private putBytes(number: number, data: Uint8Array, lines: Lines): Page {
    let page = this.own.has(number) ? this.pages.get(number) : undefined;
    if (page === undefined) {
      page = { bytes: this.pool.bytes(), ...lines, sameContents: true };
      this.add(number, page);
    } else this.pool.share(page, lines);
    page.bytes.set(data);
    return page;
  }
}
