/**
 * Accesses of instructions to memory, all through the machine's CPU: its TLB, cache and engine. Addresses are linear.
 * A fault is thrown before anything is changed. An access to a line that is known to be in the cache goes to its bytes,
 * with the same effect, unless a probe point of accesses has listeners.
 */
import { Arena } from '../base/arena.js';
import { PAGE_SIZE, vaAdd, type Va } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import { TLB_KIND, type TlbEntry } from '../machine/cpu/tlb.js';
import type { Fault } from '../machine/types.js';
import { EXCEPTION, FaultSignal, raise } from './faults.js';
import {
  forgetPages,
  highOf,
  inOneLine,
  inSlot,
  MISS,
  PAGE_TABLE_BYTES,
  PageTable,
} from './page-table.js';

/** Pages whose last store met no code, direct-mapped (our choice). */
const ENTRIES = 4096;
/** Bytes of the widest vector. */
const WIDEST = 64;
/** Bytes of an arena that a memory needs. */
export const MEMORY_BYTES = WIDEST + 2 * PAGE_TABLE_BYTES;

/** Told of stores to pages that contain decoded code. */
export interface CodeWatch {
  /** Whether there is decoded code in a page. */
  hasCode(page: number): boolean;
  /** A store changed a page that has code. */
  changed(page: number): void;
  /** Translations may have changed. */
  forget(): void;
  /** A translation is no longer in the TLB; null: none is. */
  translationRemoved(entry: TlbEntry | null): void;
}

/** A linear address of two halves; non-canonical: #GP, for the stack #SS (APM vol. 2, 1.1.3, 8.2.13). */
export function linearOf(low: number, high: number, stack = false): Va {
  if ((high + 0x8000) >>> 0 >= 0x1_0000) {
    raise(stack ? EXCEPTION.SS : EXCEPTION.GP, 'address not canonical');
  }
  return (high * 2 ** 32 + (low >>> 0)) as Va;
}

export class LinearMemory {
  /** The high half of the last 64-bit load. */
  high = 0;
  /** The bytes of vector loads and stores. */
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  private readonly half: Uint16Array;
  private readonly noCode = new Float64Array(ENTRIES).fill(NaN);
  readonly reads: PageTable;
  readonly writes: PageTable;
  private readonly lines: Cpu['behind']['cache']['direct'];
  private readonly lineWords: Int32Array;
  private readonly lineBytes: Uint8Array;
  private readonly behind: Cpu['behind'];
  private readonly accessed: Cpu['behind']['probes']['accessed'];
  private readonly touched: Cpu['behind']['probes']['touched'];

  /** @param direct whether lines that are in the cache are accessed directly. */
  constructor(
    private readonly cpu: Cpu,
    private readonly code: CodeWatch,
    private readonly direct = true,
    arena = Arena.of(MEMORY_BYTES),
  ) {
    this.bytes = arena.uint8(WIDEST);
    this.view = new DataView(arena.buffer, this.bytes.byteOffset, WIDEST);
    this.words = new Int32Array(arena.buffer, this.bytes.byteOffset, WIDEST / 4);
    this.half = new Uint16Array(arena.buffer, this.bytes.byteOffset, WIDEST / 2);
    this.behind = cpu.behind;
    const { cache, probes } = this.behind;
    this.lines = cache.direct;
    this.lineWords = this.lines.words;
    this.lineBytes = this.lines.bytes;
    this.reads = new PageTable(this.lines, arena);
    this.writes = new PageTable(this.lines, arena);
    this.accessed = probes.accessed;
    this.touched = probes.touched;
    cpu.tlb.onRemove = (entry) => {
      this.drop(entry);
    };
  }

  /** Whether a probe point of accesses has listeners: no access is direct then. */
  get observed(): boolean {
    return this.accessed.active || this.touched.active;
  }

  /** Whether lines of the page of an address, from which a fetch has just been, may be read directly. */
  fetchesDirectly(at: Va): boolean {
    if (!this.direct || this.observed) return false;
    return this.cpu.cachedEntry(at, TLB_KIND.fetch) !== undefined;
  }

  /** A load by translated code that is not direct: the bytes are in `bytes`. */
  loadSlowly(low: number, high: number, size: number, stack: boolean): void {
    this.read(linearOf(low, high, stack), size);
  }
  /** A store by translated code that is not direct, of the bytes in `bytes`. */
  storeSlowly(low: number, high: number, size: number, stack: boolean): void {
    this.write(linearOf(low, high, stack), size);
  }

  /** The offset of an address in the cache's bytes for a load, or MISS. */
  private loadAt(low: number, high: number): number {
    if (this.observed) return MISS;
    const slot = this.reads.slot(low, high);
    if (slot === MISS) return MISS;
    this.lines.read(slot);
    return inSlot(slot, low);
  }

  /** The same for a store, which is then done. */
  private storeAt(low: number, high: number): number {
    if (this.observed) return MISS;
    const slot = this.writes.slot(low, high);
    if (slot === MISS) return MISS;
    this.lines.write(slot, this.cpu.id, this.behind.origin);
    return inSlot(slot, low);
  }

  private read(at: Va, size: number): void {
    const fault = this.cpu.read(at, this.bytes, 0, size);
    if (fault !== null) throw new FaultSignal(fault);
    if (!this.direct || !inOneLine(at, size)) return;
    const entry = this.cpu.cachedEntry(at, TLB_KIND.read);
    if (entry !== undefined) this.reads.remember(at, entry);
  }

  // Loads and stores of the bytes at a linear address of two halves. Non-canonical: #GP, in the stack segment #SS.

  get8(low: number, high: number, stack: boolean): number {
    const from = this.loadAt(low, high);
    if (from !== MISS) return this.lineBytes[from] ?? 0;
    this.read(linearOf(low, high, stack), 1);
    return this.bytes[0] ?? 0;
  }
  get16(low: number, high: number, stack: boolean): number {
    if ((low & 1) === 0) {
      const from = this.loadAt(low, high);
      if (from !== MISS) return this.lines.halves[from >> 1] ?? 0;
    }
    this.read(linearOf(low, high, stack), 2);
    return this.half[0] ?? 0;
  }
  get32(low: number, high: number, stack: boolean): number {
    if ((low & 3) === 0) {
      const from = this.loadAt(low, high);
      if (from !== MISS) return this.lineWords[from >> 2] ?? 0;
    }
    this.read(linearOf(low, high, stack), 4);
    return this.words[0] ?? 0;
  }
  /** The low half; `high` is the high one. */
  get64(low: number, high: number, stack: boolean): number {
    if ((low & 7) === 0) {
      const from = this.loadAt(low, high);
      if (from !== MISS) {
        this.high = this.lineWords[(from >> 2) + 1] ?? 0;
        return this.lineWords[from >> 2] ?? 0;
      }
    }
    this.read(linearOf(low, high, stack), 8);
    this.high = this.words[1] ?? 0;
    return this.words[0] ?? 0;
  }

  set8(low: number, high: number, value: number, stack: boolean): void {
    const to = this.storeAt(low, high);
    if (to !== MISS) {
      this.lineBytes[to] = value;
      return;
    }
    this.bytes[0] = value;
    this.write(linearOf(low, high, stack), 1);
  }
  set16(low: number, high: number, value: number, stack: boolean): void {
    if ((low & 1) === 0) {
      const to = this.storeAt(low, high);
      if (to !== MISS) {
        this.lines.halves[to >> 1] = value;
        return;
      }
    }
    this.half[0] = value;
    this.write(linearOf(low, high, stack), 2);
  }
  set32(low: number, high: number, value: number, stack: boolean): void {
    if ((low & 3) === 0) {
      const to = this.storeAt(low, high);
      if (to !== MISS) {
        this.lineWords[to >> 2] = value;
        return;
      }
    }
    this.words[0] = value;
    this.write(linearOf(low, high, stack), 4);
  }
  set64(low: number, high: number, value: number, valueHigh: number, stack: boolean): void {
    if ((low & 7) === 0) {
      const to = this.storeAt(low, high);
      if (to !== MISS) {
        this.lineWords[to >> 2] = value;
        this.lineWords[(to >> 2) + 1] = valueHigh;
        return;
      }
    }
    this.words[0] = value;
    this.words[1] = valueHigh;
    this.write(linearOf(low, high, stack), 8);
  }

  load8(at: Va): number {
    return this.get8(at | 0, highOf(at), false);
  }
  load16(at: Va): number {
    return this.get16(at | 0, highOf(at), false);
  }
  load32(at: Va): number {
    return this.get32(at | 0, highOf(at), false);
  }
  /** The low half; `high` is the high one. */
  load64(at: Va): number {
    return this.get64(at | 0, highOf(at), false);
  }
  /** Loads up to 64 bytes into `bytes`. */
  loadBytes(at: Va, size: number): void {
    this.read(at, size);
  }

  store8(at: Va, value: number): void {
    this.set8(at | 0, highOf(at), value, false);
  }
  store16(at: Va, value: number): void {
    this.set16(at | 0, highOf(at), value, false);
  }
  store32(at: Va, value: number): void {
    this.set32(at | 0, highOf(at), value, false);
  }
  store64(at: Va, low: number, high: number): void {
    this.set64(at | 0, highOf(at), low, high, false);
  }
  /** Stores the first bytes of `bytes`. */
  storeBytes(at: Va, size: number): void {
    this.write(at, size);
  }

  private write(at: Va, size: number): void {
    const offset = ((at % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE;
    const page = at - offset;
    if (offset + size > PAGE_SIZE) {
      // Neither page changes if one of them faults.
      const second = vaAdd(at, PAGE_SIZE - offset);
      this.check(this.cpu.checkWrite(at) ?? this.cpu.checkWrite(second));
      this.check(this.cpu.write(at, this.bytes, 0, size));
      this.wrote(at);
      this.wrote(second);
      return;
    }
    this.check(this.cpu.write(at, this.bytes, 0, size));
    if (this.noCode[(page / PAGE_SIZE) & (ENTRIES - 1)] !== page && this.wrote(at)) return;
    if (!this.direct || !inOneLine(at, size)) return;
    const entry = this.cpu.cachedEntry(at, TLB_KIND.write);
    // A store through a page that is not dirty walks, to set the bit (APM vol. 2, 5.4.2).
    if (entry?.dirty === true) this.writes.remember(at, entry);
  }

  private check(fault: Fault | null): void {
    if (fault !== null) throw new FaultSignal(fault);
  }

  /** A store has changed the page of an address. Returns whether it may contain decoded code. */
  wrote(at: Va): boolean {
    const entry = this.cpu.translate(at);
    if (!('pa' in entry)) return true;
    const physical = entry.pa - (entry.pa % PAGE_SIZE);
    if (this.code.hasCode(physical)) {
      this.code.changed(physical);
      return true;
    }
    const page = Math.floor(at / PAGE_SIZE) * PAGE_SIZE;
    this.noCode[(page / PAGE_SIZE) & (ENTRIES - 1)] = page;
    return false;
  }

  /** Stores of a long string operation have changed a range. */
  wroteRange(at: Va, length: number): void {
    for (let done = 0; done < length;) {
      const here = vaAdd(at, done);
      const page = Math.floor(here / PAGE_SIZE) * PAGE_SIZE;
      if (this.noCode[(page / PAGE_SIZE) & (ENTRIES - 1)] !== page) this.wrote(here);
      done += PAGE_SIZE - (here - page);
    }
  }

  /** Forgets what is known of pages: translations may have changed, or a page has got code. */
  forget(): void {
    this.drop(null);
  }

  /** A page has got code of another CPU: stores to it must be seen. */
  forgetStores(): void {
    this.writes.forget(null);
    this.noCode.fill(NaN);
  }

  /** A translation is no longer in the TLB; null: none is. */
  private drop(entry: TlbEntry | null): void {
    this.reads.forget(entry);
    this.writes.forget(entry);
    if (entry === null) this.noCode.fill(NaN);
    else forgetPages(this.noCode, entry);
    this.code.translationRemoved(entry);
  }
}
