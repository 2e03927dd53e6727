/**
 * The pages of DRAM, sparse and copy-on-write: a page is allocated at its first write, snapshots share pages until one
 * is written, and pages of a long fill share one page object. A page's number is its address divided by PAGE_SIZE.
 * The store does not use keys or the engine: `Dram` interprets the bytes.
 */
import { PAGE_SIZE, type KeyId } from '../address.js';
import {
  equal,
  isWhole,
  throughKey,
  UniformPages,
  wordsOf,
  type Lines,
  type Page,
} from './dram-page.js';
import { noise } from './noise.js';
import { PageMap, type PageBlocks } from './page-map.js';
import { PagePool } from './page-pool.js';
import { PageRuns, type PageRun } from './page-runs.js';

/** Frozen pages; each is shared until it is written. */
export interface PageStoreSnapshot {
  readonly pages: PageBlocks<Page>;
  /** Runs of equal pages from long fills; they apply where `pages` has no page. */
  readonly runs: readonly PageRun<Page>[];
}

export class PageStore {
  private pages = new PageMap<Page>();
  private runs = new PageRuns<Page>();
  private readonly uniform = new UniformPages();
  private readonly pool = new PagePool();
  /** Numbers of pages that no snapshot shares; the others are copied before they change. */
  private readonly own = new Set<number>();
  private lastNumber = -1;
  private lastPage: Page | undefined;
  /** The last page that was written whole. */
  private lastWhole: { number: number; page: Page } | null = null;
  private readonly noisePage = new Uint8Array(PAGE_SIZE);
  private readonly noiseWords = new Uint32Array(this.noisePage.buffer);
  /** Number of the page whose noise is in `noisePage`. */
  private noiseNumber = -1;

  /** @param seed the seed of the power-on noise. */
  constructor(private readonly seed: number) {}

  /** A touched page, not to be changed; undefined if untouched. */
  at(number: number): Page | undefined {
    return this.pages.get(number) ?? this.runs.get(number);
  }

  /** Whether a page is part of a run, whose pages share one page object. */
  inRun(number: number): boolean {
    return !this.pages.has(number) && this.runs.get(number) !== undefined;
  }

  /** Whether a page is changed without a copy: no snapshot and no other page shares it. */
  isOwn(number: number): boolean {
    return this.own.has(number);
  }

  /** The contents of an untouched page: power-on noise. Valid until the next call. */
  noiseOf(number: number): Uint8Array {
    if (this.noiseNumber !== number) {
      noise(this.seed, number, this.noiseWords);
      this.noiseNumber = number;
    }
    return this.noisePage;
  }

  /** Numbers of the pages that were touched, ascending. */
  touched(): number[] {
    const numbers: number[] = [];
    for (const block of this.pages.view().values()) numbers.push(...block.keys());
    for (const { first, last } of this.runs.all) {
      for (let number = first; number < last; number++) {
        if (!this.pages.has(number)) numbers.push(number);
      }
    }
    // A typed array is sorted as numbers.
    return [...Float64Array.from(numbers).sort()];
  }

  /** Whether any line was last written under a key other than KEY_PLAIN. */
  get encrypted(): boolean {
    for (const [, page] of this.pages.all()) if (throughKey(page)) return true;
    return this.runs.all.some(({ first, last, page }) => {
      if (!throughKey(page)) return false;
      for (let number = first; number < last; number++) if (!this.pages.has(number)) return true;
      return false;
    });
  }

  /**
   * The page for a write: filled with noise if untouched, copied if a snapshot shares it.
   *
   * @param whole all bytes are about to be written: they are neither filled nor copied.
   */
  writable(number: number, whole: boolean): Page {
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
      page = whole ? this.pool.blank() : this.pool.copyOf(page);
      this.add(number, page);
    }
    this.pool.own(page);
    this.lastNumber = number;
    this.lastPage = page;
    return page;
  }

  /** To be called after the write to a page of `writable`: shares the state of its lines if it is the same for all. */
  written(page: Page): void {
    this.pool.compact(page);
  }

  /**
   * Writes a whole page, all lines pending under the key. If it equals the last page written whole, both share one page
   * object until the next write, so that repeated contents take no memory.
   */
  put(number: number, data: Uint8Array, key: KeyId, origin: number): void {
    const lines = this.pool.sharedPage(key, key, origin);
    this.lastNumber = -1;
    const { lastWhole } = this;
    if (lastWhole !== null && isWhole(lastWhole.page, data, lines)) {
      const { number: previous, page } = lastWhole;
      if (this.pages.get(previous) === page) this.own.delete(previous);
      this.setShared(number, page);
      return;
    }
    const page = this.putBytes(number, data, lines);
    this.lastWhole = { number, page };
  }

  /** Writes a whole page of bytes that never change afterwards: they are not copied until the page is written. */
  putShared(number: number, bytes: Uint8Array, key: KeyId, origin: number): void {
    this.lastNumber = -1;
    this.setShared(number, {
      bytes,
      ...this.pool.sharedPage(key, key, origin),
      sameContents: true,
    });
  }

  /** The bytes of a page filled with one byte. Not to be changed. */
  uniformBytes(byte: number, key: KeyId, origin: number): Uint8Array {
    return this.uniform.of(byte, key, origin).bytes;
  }

  /** Fills the pages [first, last) with one byte, all lines pending under the key, as one shared page object. */
  fill(first: number, last: number, byte: number, key: KeyId, origin: number): void {
    for (let number = first; number < last; number++) {
      if (this.pages.delete(number)) this.own.delete(number);
    }
    this.runs = this.runs.with({ first, last, page: this.uniform.of(byte, key, origin) });
    this.lastNumber = -1;
  }

  /** The present pages without a copy: valid until the next write. */
  view(): PageStoreSnapshot {
    return { pages: this.pages.view(), runs: this.runs.all };
  }

  /** A snapshot of the present pages. */
  snapshot(): PageStoreSnapshot {
    this.share();
    return { pages: this.pages.freeze(), runs: this.runs.all };
  }

  /** Restores a snapshot of pages with the same noise; the snapshot does not change. */
  restore(snapshot: PageStoreSnapshot): void {
    this.share();
    this.pages = new PageMap(snapshot.pages);
    this.runs = new PageRuns(snapshot.runs);
  }

  /** Marks every page as shared with a snapshot. */
  private share(): void {
    this.own.clear();
    this.lastNumber = -1;
  }

  private add(number: number, page: Page): void {
    this.pages.set(number, page);
    this.own.add(number);
  }

  /** Sets a page whose bytes others have too. */
  private setShared(number: number, page: Page): void {
    this.pages.set(number, page);
    this.own.delete(number);
  }

  private putBytes(number: number, data: Uint8Array, lines: Lines): Page {
    const old = this.pages.get(number);
    if (old !== undefined && this.own.has(number)) {
      this.pool.share(old, lines);
      old.bytes.set(data);
      return old;
    }
    // As when pages are encrypted in place: only the state of the lines changes.
    if (old !== undefined && equal(old.bytes, data)) {
      const page = { bytes: old.bytes, ...lines, sameContents: true };
      this.setShared(number, page);
      return page;
    }
    const page = { bytes: this.pool.bytes(), ...lines, sameContents: true };
    this.add(number, page);
    page.bytes.set(data);
    return page;
  }
}
