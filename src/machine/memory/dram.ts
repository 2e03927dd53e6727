/**
 * DRAM: the bytes that a logic analyzer on the bus would see, sparse and copy-on-write.
 *
 * A page is allocated at its first write; before that it reads as power-on noise. Lines may be *pending*: stored as
 * plaintext under the key that they were written with, and encrypted in batches when they are read under another key.
 * Eager DRAM encrypts at once; there is no other observable difference.
 */
import { InputError } from '../../base/errors.js';
import {
  BLOCK_SIZE,
  hex,
  LINE_SIZE,
  PAGE_SIZE,
  pa,
  KEY_PLAIN,
  paOfPage,
  type KeyId,
  type Pa,
} from '../address.js';
import { PageDecryption } from './page-decryption.js';
import type { MemoryEngine } from './engine.js';
import { eachPage, endOfRun, UNTOUCHED, type Page } from './dram-page.js';
import { Probes } from '../probes.js';
import { PageStore, type PageStoreSnapshot } from './page-store.js';

/** A range of physical addresses of DRAM: whole pages, in bytes. */
export interface DramRange {
  readonly base: number;
  readonly size: number;
}

export interface DramOptions {
  readonly ranges: readonly DramRange[];
  /** The seed of the power-on noise. */
  readonly noiseSeed: number;
  readonly engine: MemoryEngine;
  readonly lazy: boolean;
  /** The machine's probe points; default: some without listeners. */
  readonly probes?: Probes;
}

/** How many bytes of a range were last written without encryption, under a key, or never. */
export interface DramState {
  plain: number;
  encrypted: number;
  untouched: number;
}

/** The state of DRAM. */
export type DramSnapshot = PageStoreSnapshot;

/** Key (UNTOUCHED: none) and origin of the last write to each line of a page. Not to be changed; pages may share them. */
export interface LastWrites {
  readonly keys: Uint16Array;
  readonly origins: Uint16Array;
}

export class Dram {
  private readonly probes: Probes;
  private readonly pages: PageStore;
  private readonly decryption: PageDecryption;
  private readonly scratch = new Uint8Array(PAGE_SIZE);

  /** Throws E_DRAM_RANGE if a range is not whole pages: a page is either all DRAM or none. */
  constructor(private readonly options: DramOptions) {
    this.probes = options.probes ?? new Probes();
    this.pages = new PageStore(options.noiseSeed);
    this.decryption = new PageDecryption(options.engine);
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

  /** Size in bytes of the pages that were touched. */
  get touchedBytes(): number {
    return this.touched().length * PAGE_SIZE;
  }

  /** Numbers of the pages that were touched, ascending. */
  touched(): number[] {
    return this.pages.touched();
  }

  /** Reads bytes under a key, with any alignment. Outside DRAM: all ones (our choice). */
  read(address: Pa, key: KeyId, out: Uint8Array, offset: number, length: number): void {
    if (this.probes.touched.active) this.probes.touched.notify(address, length);
    eachPage(address, length, (number, inPage, run, done) => {
      const at = offset + done;
      if (!this.has(number * PAGE_SIZE)) {
        out.fill(0xff, at, at + run);
        return;
      }
      this.readPage(number, inPage, run, key, out, at);
    });
  }

  /** Writes bytes under a key, with any alignment. Outside DRAM they are dropped (our choice). */
  write(
    address: Pa,
    key: KeyId,
    data: Uint8Array,
    offset: number,
    length: number,
    origin = 0,
  ): void {
    if (this.probes.touched.active) this.probes.touched.notify(address, length);
    eachPage(address, length, (number, inPage, run, done) => {
      if (!this.has(number * PAGE_SIZE)) return;
      const from = offset + done;
      this.reportKeys(number, inPage, run, key, origin);
      if (run === PAGE_SIZE && this.options.lazy) {
        this.decryption.forget(number);
        this.pages.put(number, data.subarray(from, from + PAGE_SIZE), key, origin);
        return;
      }
      const page = this.writable(number, run === PAGE_SIZE);
      const [first, last] = [Math.floor(inPage / LINE_SIZE), Math.ceil((inPage + run) / LINE_SIZE)];
      page.owner.fill(key, first, last);
      page.writer.fill(origin, first, last);
      this.store(page, number, inPage, run, key, data, from);
      if (inPage + run === PAGE_SIZE) this.pages.written(page);
    });
  }

  /** As `write` without a key, of bytes that never change afterwards: whole pages have no copy of them until a write. */
  load(address: Pa, data: Uint8Array, origin = 0): void {
    eachPage(address, data.length, (number, inPage, run, done) => {
      if (run < PAGE_SIZE || !this.has(number * PAGE_SIZE)) {
        this.write(paOfPage(number, inPage), KEY_PLAIN, data, done, run, origin);
        return;
      }
      if (this.probes.touched.active) this.probes.touched.notify(number * PAGE_SIZE, PAGE_SIZE);
      this.reportKeys(number, 0, PAGE_SIZE, KEY_PLAIN, origin);
      this.decryption.forget(number);
      this.pages.putShared(number, data.subarray(done, done + PAGE_SIZE), KEY_PLAIN, origin);
    });
  }

  /** Whole lines: the same as `read`. One that is plaintext under the key is copied at once, since most are. */
  readLines(address: Pa, key: KeyId, out: Uint8Array, offset: number, length: number): void {
    if (length === LINE_SIZE && !this.probes.touched.active) {
      const inPage = address % PAGE_SIZE;
      const page = this.pages.at((address - inPage) / PAGE_SIZE);
      if (page !== undefined && page.pending[inPage / LINE_SIZE] === key) {
        for (let i = 0; i < LINE_SIZE; i++) out[offset + i] = page.bytes[inPage + i] ?? 0;
        return;
      }
    }
    this.read(address, key, out, offset, length);
  }

  /** Whole lines: the same as `write`. One that no listener hears of is stored at once. */
  writeLines(
    address: Pa,
    key: KeyId,
    data: Uint8Array,
    offset: number,
    length: number,
    origin = 0,
  ): void {
    const { touched, keyChanged } = this.probes;
    const heard = touched.active || keyChanged.active;
    if (length !== LINE_SIZE || heard || !this.options.lazy || !this.has(address)) {
      this.write(address, key, data, offset, length, origin);
      return;
    }
    const inPage = address % PAGE_SIZE;
    const line = inPage / LINE_SIZE;
    const page = this.writable((address - inPage) / PAGE_SIZE, false);
    page.owner[line] = key;
    page.writer[line] = origin;
    page.pending[line] = key;
    for (let i = 0; i < LINE_SIZE; i++) page.bytes[inPage + i] = data[offset + i] ?? 0;
    if (inPage + LINE_SIZE === PAGE_SIZE) this.pages.written(page);
  }

  /** Fills whole lines with one byte: the same as `write` of them. */
  fillLines(address: Pa, key: KeyId, byte: number, length: number, origin = 0): void {
    if (this.probes.touched.active) this.probes.touched.notify(address, length);
    const data = this.pages.uniformBytes(byte, key, origin);
    const whole = this.wholePages(address, length);
    // Equal pages share one page object, as pages of a snapshot do, until the next write to one of them.
    // A listener is told of a page at a time, before it is written and after the one before it.
    const shared = this.options.lazy && !this.probes.keyChanged.active;
    if (!shared || whole.first >= whole.last) {
      this.fillPages(address, key, data, length, origin);
      return;
    }
    const from = whole.first * PAGE_SIZE;
    const to = whole.last * PAGE_SIZE;
    this.fillPages(address, key, data, from - address, origin);
    this.pages.fill(whole.first, whole.last, byte, key, origin);
    this.decryption.forget('all');
    this.fillPages(pa(to), key, data, address + length - to, origin);
  }

  /** Fills a range page by page with the bytes of `data`, one page. */
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

  /** The pages that a range covers whole, [first, last), if all of the range is DRAM; else an empty range. */
  private wholePages(address: number, length: number): { first: number; last: number } {
    const { ranges } = this.options;
    const end = address + length;
    const inDram = ranges.some(({ base, size }) => address >= base && end <= base + size);
    const first = Math.ceil(address / PAGE_SIZE);
    return { first, last: inDram ? Math.floor(end / PAGE_SIZE) : first };
  }

  /** The bytes on the bus. */
  peek(address: Pa, length: number): Uint8Array {
    const out = new Uint8Array(length);
    this.read(address, 0 as KeyId, out, 0, length);
    return out;
  }

  /** The bytes that are on the bus now, in one page. They are computed when they are asked for. */
  peekLater(address: Pa, length: number): () => Uint8Array {
    const number = Math.floor(address / PAGE_SIZE);
    const inPage = address % PAGE_SIZE;
    const page = this.pages.at(number);
    if (page === undefined) return () => this.pages.noiseOf(number).slice(inPage, inPage + length);
    const first = Math.floor(inPage / LINE_SIZE);
    const last = Math.ceil((inPage + length) / LINE_SIZE);
    const bytes = page.bytes.slice(first * LINE_SIZE, last * LINE_SIZE);
    const pending = page.pending.slice(first, last);
    return () => {
      for (let line = 0; line < pending.length;) {
        const stop = endOfRun(pending, line, pending.length);
        const key = (pending[line] ?? 0) as KeyId;
        const at = line * LINE_SIZE;
        const from = paOfPage(number, first * LINE_SIZE + at);
        const size = (stop - line) * LINE_SIZE;
        if (key !== 0) this.options.engine.encrypt(key, from, bytes, at, size);
        line = stop;
      }
      pending.fill(0);
      const skip = inPage - first * LINE_SIZE;
      return bytes.subarray(skip, skip + length);
    };
  }

  /** Key and origin of the last write to the line of an address; undefined if there was none. */
  lastWrite(address: Pa): { key: KeyId; origin: number } | undefined {
    const page = this.pages.at(Math.floor(address / PAGE_SIZE));
    const line = Math.floor((address % PAGE_SIZE) / LINE_SIZE);
    if (page === undefined) return undefined;
    const [key = UNTOUCHED, origin = 0] = [page.owner[line], page.writer[line]];
    return key === UNTOUCHED ? undefined : { key: key as KeyId, origin };
  }

  /** The last write to each line of a page; undefined if untouched. */
  lastWrites(number: number): LastWrites | undefined {
    const page = this.pages.at(number);
    return page === undefined ? undefined : { keys: page.owner, origins: page.writer };
  }

  /** Whether any line was last written under a key other than KEY_PLAIN. */
  get encrypted(): boolean {
    return this.pages.encrypted;
  }

  /** The number of lines last written under each key, KEY_PLAIN included. */
  keys(): Map<KeyId, number> {
    const counts = new Map<KeyId, number>();
    for (const number of this.touched()) {
      for (const owner of this.pages.at(number)?.owner ?? []) {
        if (owner === UNTOUCHED) continue;
        counts.set(owner as KeyId, (counts.get(owner as KeyId) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** How the bytes of a range were last written. */
  stateOf(address: Pa, length: number): DramState {
    const state: DramState = { plain: 0, encrypted: 0, untouched: 0 };
    eachPage(address, length, (number, inPage, run) => {
      const page = this.pages.at(number);
      if (page === undefined) {
        state.untouched += run;
        return;
      }
      const end = inPage + run;
      const last = Math.ceil(end / LINE_SIZE);
      for (let line = Math.floor(inPage / LINE_SIZE); line < last;) {
        const stop = endOfRun(page.owner, line, last);
        const bytes = Math.min(stop * LINE_SIZE, end) - Math.max(line * LINE_SIZE, inPage);
        const owner = page.owner[line];
        if (owner === UNTOUCHED) state.untouched += bytes;
        else if (owner === 0) state.plain += bytes;
        else state.encrypted += bytes;
        line = stop;
      }
    });
    return state;
  }

  /** The present state without a copy: valid until the next write. */
  view(): DramSnapshot {
    return this.pages.view();
  }

  /** A snapshot of the present state. */
  snapshot(): DramSnapshot {
    return this.pages.snapshot();
  }

  /** Restores a snapshot of DRAM with the same engine and noise; the snapshot does not change. */
  restore(snapshot: DramSnapshot): void {
    this.decryption.forget('all');
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
      this.decryption.read(number, this.pages.noiseOf(number), inPage, length, key, out, at);
      return;
    }
    const last = Math.ceil((inPage + length) / LINE_SIZE);
    for (let from = inPage; from < inPage + length;) {
      const first = Math.floor(from / LINE_SIZE);
      const pending = page.pending[first] ?? 0;
      const line = endOfRun(page.pending, first, last);
      const stop = Math.min(line * LINE_SIZE, inPage + length);
      const to = at + from - inPage;
      if (pending === key) {
        out.set(page.bytes.subarray(from, stop), to);
      } else if (
        pending !== 0 &&
        key === KEY_PLAIN &&
        stop === line * LINE_SIZE &&
        this.isShared(number, from)
      ) {
        // Whole lines as they are on the bus, of a page that others share: a copy of it would take more than it saves.
        out.set(page.bytes.subarray(from, stop), to);
        this.options.engine.encrypt(pending as KeyId, paOfPage(number, from), out, to, stop - from);
      } else {
        // A read under another key: the bytes on the bus are computed now and stored.
        if (pending !== 0 && this.pages.inRun(number)) {
          // One page object represents many pages, with different bytes on the bus: they are not stored.
          const bytes = this.scratch;
          const [start, end] = [first * LINE_SIZE, line * LINE_SIZE];
          bytes.set(page.bytes.subarray(start, end), start);
          const at = paOfPage(number, start);
          this.options.engine.encrypt(pending as KeyId, at, bytes, start, end - start);
          this.decryption.forget(number);
          this.decryption.read(number, bytes, from, stop - from, key, out, to);
          this.decryption.forget(number);
          from = stop;
          continue;
        }
        if (pending !== 0) {
          page = this.writable(number, false);
          this.encryptPending(page, number, first, line);
          this.pages.written(page);
        }
        this.decryption.read(number, page.bytes, from, stop - from, key, out, to);
      }
      from = stop;
    }
  }

  /** Whether an offset in a page begins a line, and the page may not be changed without a copy. */
  private isShared(number: number, inPage: number): boolean {
    return inPage % LINE_SIZE === 0 && !this.pages.isOwn(number);
  }

  /** Encrypts the pending lines [first, last): they become the bytes on the bus. */
  private encryptPending(page: Page, number: number, first: number, last: number): void {
    for (let line = first; line < last;) {
      const key = (page.pending[line] ?? 0) as KeyId;
      const stop = endOfRun(page.pending, line, last);
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
    // From one line into the next, both are the boundary between them: no whole line. Within one line they are its ends.
    if (firstWhole > lastWhole) {
      part(inPage, inPage + length);
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

  /** A write within one line: if the line is stored under another key, its blocks are read, modified and written. */
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

  /** Reports a write that changes the key of lines. Before it changes anything: listeners may read memory. */
  private reportKeys(
    number: number,
    inPage: number,
    length: number,
    key: KeyId,
    origin: number,
  ): void {
    const { keyChanged } = this.probes;
    const page = keyChanged.active ? this.pages.at(number) : undefined;
    if (page === undefined) return;
    const last = Math.ceil((inPage + length) / LINE_SIZE);
    for (let line = Math.floor(inPage / LINE_SIZE); line < last;) {
      const owner = page.owner[line] ?? UNTOUCHED;
      const stop = endOfRun(page.owner, line, last);
      if (owner !== key && owner !== UNTOUCHED) {
        const address = paOfPage(number, line * LINE_SIZE);
        keyChanged.notify(address, (stop - line) * LINE_SIZE, owner as KeyId, key, origin);
      }
      line = stop;
    }
  }

  /** The page for a write; `whole`: all bytes are written. */
  private writable(number: number, whole: boolean): Page {
    this.decryption.forget(number);
    return this.pages.writable(number, whole);
  }
}
