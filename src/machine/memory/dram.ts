/**
 * DRAM: what a probe on the bus would see, sparse and copy-on-write.
 *
 * A page is made when it is first touched; before that it reads as power-on noise. Lines may be *pending*: kept as
 * plaintext under the key that they were written with, and encrypted in batches when somebody looks under another key.
 * Eager DRAM encrypts at once; nothing else tells the two apart.
 */
import { InputError } from '../../base/errors.js';
import {
  BLOCK_SIZE,
  hex,
  LINE_SIZE,
  PAGE_SIZE,
  pa,
  paOfPage,
  type KeyId,
  type Pa,
} from '../address.js';
import { PageDecryption } from './page-decryption.js';
import type { MemoryEngine } from './engine.js';
import { eachPage, LINES, UNTOUCHED, type Page } from './dram-page.js';
import type { LineSet } from './line-set.js';
import { PageStore, type PageStoreSnapshot } from './page-store.js';

/** Half-open stretch of physical addresses where DRAM answers: whole pages, in bytes. */
export interface DramRange {
  readonly base: number;
  readonly size: number;
}

export interface DramOptions {
  readonly ranges: readonly DramRange[];
  /** Of the power-on noise. */
  readonly noiseSeed: number;
  readonly engine: MemoryEngine;
  readonly lazy: boolean;
}

/** How many bytes of a stretch were last written plain, through a key, or never. */
export interface DramState {
  plain: number;
  encrypted: number;
  untouched: number;
}

/** A frozen picture of DRAM. */
export type DramSnapshot = PageStoreSnapshot;

export class Dram {
  /** Takes the lines that are read and written, if somebody wants to know. */
  watch: LineSet | null = null;
  /** Called for runs of bytes whose owner changed by a write. */
  onOwner?: (address: Pa, length: number, from: KeyId, to: KeyId, origin: number) => void;
  private readonly pages: PageStore;
  private readonly plain: PageDecryption;
  private readonly scratch = new Uint8Array(PAGE_SIZE);

  /** Refuses ranges that are not whole pages (E_DRAM_RANGE): here a page has DRAM or has none. */
  constructor(private readonly options: DramOptions) {
    this.pages = new PageStore(options.noiseSeed);
    this.plain = new PageDecryption(options.engine);
    for (const { base, size } of options.ranges) {
      if (base % PAGE_SIZE !== 0 || size % PAGE_SIZE !== 0) {
        throw new InputError({
          code: 'E_DRAM_RANGE',
          expected: `DRAM in whole pages of ${hex(PAGE_SIZE)} bytes`,
          found: `${hex(size)} bytes at ${hex(base)}`,
        });
      }
    }
  }

  /** Whether DRAM answers at an address. */
  has(address: number): boolean {
    for (const { base, size } of this.options.ranges) {
      if (address >= base && address < base + size) return true;
    }
    return false;
  }

  /** Bytes kept for pages that were touched. */
  get touchedBytes(): number {
    return this.touched().length * PAGE_SIZE;
  }

  /** Numbers of the pages that were touched, ascending. */
  touched(): number[] {
    return this.pages.touched();
  }

  /** Reads bytes under a key, of any alignment. Where nothing answers: all ones (our choice). */
  read(address: Pa, key: KeyId, out: Uint8Array, offset: number, length: number): void {
    this.watch?.add(address, length);
    eachPage(address, length, (number, inPage, run, done) => {
      const at = offset + done;
      if (!this.has(number * PAGE_SIZE)) {
        out.fill(0xff, at, at + run);
        return;
      }
      this.readPage(number, inPage, run, key, out, at);
    });
  }

  /** Writes bytes under a key, of any alignment. Where nothing answers they are dropped (our choice). */
  write(
    address: Pa,
    key: KeyId,
    data: Uint8Array,
    offset: number,
    length: number,
    origin = 0,
  ): void {
    this.watch?.add(address, length);
    eachPage(address, length, (number, inPage, run, done) => {
      if (!this.has(number * PAGE_SIZE)) return;
      const from = offset + done;
      if (run === PAGE_SIZE && this.options.lazy && this.onOwner === undefined) {
        this.plain.forget(number);
        this.pages.put(number, data.subarray(from, from + PAGE_SIZE), key, origin);
        return;
      }
      const page = this.writable(number, run === PAGE_SIZE);
      this.recordOwner(page, number, inPage, run, key, origin);
      this.store(page, number, inPage, run, key, data, from);
      if (inPage + run === PAGE_SIZE) this.pages.written(page);
    });
  }

  /** Whole lines: the same as `read`. */
  readLines(address: Pa, key: KeyId, out: Uint8Array, offset: number, length: number): void {
    this.read(address, key, out, offset, length);
  }

  /** Whole lines: the same as `write`. */
  writeLines(
    address: Pa,
    key: KeyId,
    data: Uint8Array,
    offset: number,
    length: number,
    origin = 0,
  ): void {
    this.write(address, key, data, offset, length, origin);
  }

  /** Whole lines of one byte: the same as `write` of them. */
  fillLines(address: Pa, key: KeyId, byte: number, length: number, origin = 0): void {
    this.watch?.add(address, length);
    const data = this.pages.uniformBytes(byte, key, origin);
    const whole = this.wholePages(address, length);
    // Pages that are alike are one page, as pages of a snapshot are, until somebody writes.
    const shared = this.options.lazy && this.onOwner === undefined;
    if (!shared || whole.first >= whole.last) {
      this.fillPages(address, key, data, length, origin);
      return;
    }
    const from = whole.first * PAGE_SIZE;
    const to = whole.last * PAGE_SIZE;
    this.fillPages(address, key, data, from - address, origin);
    this.pages.fill(whole.first, whole.last, byte, key, origin);
    this.plain.forget('all');
    this.fillPages(pa(to), key, data, address + length - to, origin);
  }

  /** Fills page after page with the bytes of one. */
  private fillPages(
    address: Pa,
    key: KeyId,
    data: Uint8Array,
    length: number,
    origin: number,
  ): void {
    eachPage(address, length, (number, inPage, run) => {
      this.write(paOfPage(number, inPage), key, data, 0, run, origin);
    });
  }

  /** The pages that a stretch covers whole, where DRAM answers for all of it; else none. */
  private wholePages(address: number, length: number): { first: number; last: number } {
    const { ranges } = this.options;
    const end = address + length;
    const there = ranges.some(({ base, size }) => address >= base && end <= base + size);
    const first = Math.ceil(address / PAGE_SIZE);
    return { first, last: there ? Math.floor(end / PAGE_SIZE) : first };
  }

  /** The bytes on the bus. */
  peek(address: Pa, length: number): Uint8Array {
    const out = new Uint8Array(length);
    this.read(address, 0 as KeyId, out, 0, length);
    return out;
  }

  /** The key and the origin that a byte's line was written with last; undefined where nobody wrote. */
  lastWrite(address: Pa): { key: KeyId; origin: number } | undefined {
    const page = this.pages.at(Math.floor(address / PAGE_SIZE));
    const line = Math.floor((address % PAGE_SIZE) / LINE_SIZE);
    const key = page?.owner[line] ?? UNTOUCHED;
    return key === UNTOUCHED ? undefined : { key: key as KeyId, origin: page?.writer[line] ?? 0 };
  }

  /** Whether any line was last written through a key. */
  get encrypted(): boolean {
    return this.pages.encrypted;
  }

  /** Who wrote a stretch last, in bytes. */
  stateOf(address: Pa, length: number): DramState {
    const state: DramState = { plain: 0, encrypted: 0, untouched: 0 };
    eachPage(address, length, (number, inPage, run) => {
      const page = this.pages.at(number);
      if (page === undefined) {
        state.untouched += run;
        return;
      }
      for (let at = inPage; at < inPage + run;) {
        const line = Math.floor(at / LINE_SIZE);
        const stop = Math.min((line + 1) * LINE_SIZE, inPage + run);
        const owner = page.owner[line];
        if (owner === UNTOUCHED) state.untouched += stop - at;
        else if (owner === 0) state.plain += stop - at;
        else state.encrypted += stop - at;
        at = stop;
      }
    });
    return state;
  }

  /** The present state without freezing it: good until something is written. */
  view(): DramSnapshot {
    return this.pages.view();
  }

  /** Freezes the present state. */
  snapshot(): DramSnapshot {
    this.plain.forget('all');
    return this.pages.snapshot();
  }

  /** Goes back to a snapshot of DRAM with the same engine and noise; the snapshot stays as it is. */
  restore(snapshot: DramSnapshot): void {
    this.plain.forget('all');
    this.pages.restore(snapshot);
  }

  private readPage(
    number: number,
    inPage: number,
    length: number,
    key: KeyId,
    out: Uint8Array,
    at: number,
  ): void {
    let page = this.pages.at(number);
    if (page === undefined) {
      this.plain.read(number, this.pages.noiseOf(number), inPage, length, key, out, at);
      return;
    }
    for (let from = inPage; from < inPage + length;) {
      const first = Math.floor(from / LINE_SIZE);
      const pending = page.pending[first] ?? 0;
      let line = first + 1;
      while (line < LINES && page.pending[line] === pending && line * LINE_SIZE < inPage + length) {
        line++;
      }
      const stop = Math.min(line * LINE_SIZE, inPage + length);
      const to = at + from - inPage;
      if (pending === key) {
        out.set(page.bytes.subarray(from, stop), to);
      } else {
        // Looking under another key: the bus bytes are made now and kept.
        if (pending !== 0 && this.pages.inRun(number)) {
          // One page serves many: what each of them is on the bus is not kept.
          const bytes = this.scratch;
          const [start, end] = [first * LINE_SIZE, line * LINE_SIZE];
          bytes.set(page.bytes.subarray(start, end), start);
          const at = paOfPage(number, start);
          this.options.engine.encrypt(pending as KeyId, at, bytes, start, end - start);
          this.plain.forget(number);
          this.plain.read(number, bytes, from, stop - from, key, out, to);
          this.plain.forget(number);
          from = stop;
          continue;
        }
        if (pending !== 0) {
          page = this.writable(number, false);
          this.encryptPending(page, number, first, line);
          this.pages.written(page);
        }
        this.plain.read(number, page.bytes, from, stop - from, key, out, to);
      }
      from = stop;
    }
  }

  /** Turns pending lines [first, last) into the bytes on the bus. */
  private encryptPending(page: Page, number: number, first: number, last: number): void {
    for (let line = first; line < last;) {
      const key = (page.pending[line] ?? 0) as KeyId;
      let stop = line + 1;
      while (stop < last && page.pending[stop] === key) stop++;
      if (key !== 0) {
        const at = line * LINE_SIZE;
        const address = paOfPage(number, at);
        this.options.engine.encrypt(key, address, page.bytes, at, (stop - line) * LINE_SIZE);
        page.pending.fill(0, line, stop);
      }
      line = stop;
    }
  }

  private store(
    page: Page,
    number: number,
    inPage: number,
    length: number,
    key: KeyId,
    data: Uint8Array,
    from: number,
  ): void {
    const firstWhole = Math.ceil(inPage / LINE_SIZE) * LINE_SIZE;
    const lastWhole = Math.floor((inPage + length) / LINE_SIZE) * LINE_SIZE;
    const part = (start: number, stop: number): void => {
      if (start < stop) {
        this.storePart(page, number, start, stop, key, data, from + start - inPage);
      }
    };
    if (firstWhole >= lastWhole) {
      // Less than a line, or two pieces of neighbours.
      const split = Math.min(Math.max(firstWhole, inPage), inPage + length);
      part(inPage, split);
      part(split, inPage + length);
      return;
    }
    part(inPage, firstWhole);
    page.bytes.set(
      data.subarray(from + firstWhole - inPage, from + lastWhole - inPage),
      firstWhole,
    );
    page.pending.fill(key, firstWhole / LINE_SIZE, lastWhole / LINE_SIZE);
    if (!this.options.lazy) {
      this.encryptPending(page, number, firstWhole / LINE_SIZE, lastWhole / LINE_SIZE);
    }
    part(lastWhole, inPage + length);
  }

  /** A write within one line: where the line is another key's, its blocks are read, changed and written back. */
  private storePart(
    page: Page,
    number: number,
    start: number,
    stop: number,
    key: KeyId,
    data: Uint8Array,
    from: number,
  ): void {
    const line = Math.floor(start / LINE_SIZE);
    if (page.pending[line] !== key) this.encryptPending(page, number, line, line + 1);
    if (page.pending[line] === key) {
      page.bytes.set(data.subarray(from, from + stop - start), start);
      return;
    }
    const first = Math.floor(start / BLOCK_SIZE) * BLOCK_SIZE;
    const last = Math.ceil(stop / BLOCK_SIZE) * BLOCK_SIZE;
    const address = paOfPage(number, first);
    this.options.engine.decrypt(key, address, page.bytes, first, last - first);
    page.bytes.set(data.subarray(from, from + stop - start), start);
    this.options.engine.encrypt(key, address, page.bytes, first, last - first);
  }

  /** Notes the new owner of the lines that a write touches. */
  private recordOwner(
    page: Page,
    number: number,
    inPage: number,
    length: number,
    key: KeyId,
    origin: number,
  ): void {
    const first = Math.floor(inPage / LINE_SIZE);
    const last = Math.ceil((inPage + length) / LINE_SIZE);
    if (this.onOwner !== undefined) {
      for (let line = first; line < last;) {
        const owner = page.owner[line] ?? UNTOUCHED;
        let stop = line + 1;
        while (stop < last && page.owner[stop] === owner) stop++;
        if (owner !== key && owner !== UNTOUCHED) {
          const address = paOfPage(number, line * LINE_SIZE);
          this.onOwner(address, (stop - line) * LINE_SIZE, owner as KeyId, key, origin);
        }
        line = stop;
      }
    }
    page.owner.fill(key, first, last);
    page.writer.fill(origin, first, last);
  }

  /** The page for writing; `whole`: all of it, so that nothing is read before but the owner, which a watcher is told. */
  private writable(number: number, whole: boolean): Page {
    this.plain.forget(number);
    return this.pages.writable(number, whole, this.onOwner !== undefined);
  }
}
