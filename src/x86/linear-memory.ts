/**
 * Accesses of instructions to memory, all through the machine's CPU: its TLB, cache and engine. Addresses are linear.
 * A fault is thrown before anything is changed.
 */
import { PAGE_SIZE, vaAdd, type Va } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { Fault } from '../machine/types.js';
import { FaultSignal } from './faults.js';

/** Pages whose last store met no code, direct-mapped (our choice). */
const ENTRIES = 4096;

/** Told of stores to pages that contain decoded code. */
export interface CodeWatch {
  /** Whether there is decoded code in a page. */
  hasCode(page: number): boolean;
  /** A store changed a page that has code. */
  changed(page: number): void;
  /** Translations may have changed. */
  forget(): void;
}

export class LinearMemory {
  /** The high half of the last 64-bit load. */
  high = 0;
  /** The bytes of vector loads and stores. */
  readonly words = new Int32Array(16);
  readonly bytes = new Uint8Array(this.words.buffer);
  private readonly half = new Uint16Array(this.words.buffer);
  private readonly noCode = new Float64Array(ENTRIES).fill(NaN);

  constructor(
    private readonly cpu: Cpu,
    private readonly code: CodeWatch,
  ) {}

  private read(at: Va, size: number): void {
    const fault = this.cpu.read(at, this.bytes, 0, size);
    if (fault !== null) throw new FaultSignal(fault);
  }

  load8(at: Va): number {
    this.read(at, 1);
    return this.bytes[0] ?? 0;
  }
  load16(at: Va): number {
    this.read(at, 2);
    return this.half[0] ?? 0;
  }
  load32(at: Va): number {
    this.read(at, 4);
    return this.words[0] ?? 0;
  }
  /** The low half; `high` is the high one. */
  load64(at: Va): number {
    this.read(at, 8);
    this.high = this.words[1] ?? 0;
    return this.words[0] ?? 0;
  }
  /** Loads up to 64 bytes into `bytes`. */
  loadBytes(at: Va, size: number): void {
    this.read(at, size);
  }

  store8(at: Va, value: number): void {
    this.bytes[0] = value;
    this.write(at, 1);
  }
  store16(at: Va, value: number): void {
    this.half[0] = value;
    this.write(at, 2);
  }
  store32(at: Va, value: number): void {
    this.words[0] = value;
    this.write(at, 4);
  }
  store64(at: Va, low: number, high: number): void {
    this.words[0] = low;
    this.words[1] = high;
    this.write(at, 8);
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
      this.check(this.cpu.checkWrite(at) ?? this.cpu.checkWrite(vaAdd(at, PAGE_SIZE - offset)));
      this.check(this.cpu.write(at, this.bytes, 0, size));
      this.wrote(at);
      this.wrote(vaAdd(at, size - 1));
      return;
    }
    this.check(this.cpu.write(at, this.bytes, 0, size));
    if (this.noCode[(page / PAGE_SIZE) & (ENTRIES - 1)] !== page) this.wrote(at);
  }

  private check(fault: Fault | null): void {
    if (fault !== null) throw new FaultSignal(fault);
  }

  /** A store has changed the page of an address. */
  wrote(at: Va): void {
    const entry = this.cpu.translate(at);
    if (!('pa' in entry)) return;
    const physical = entry.pa - (entry.pa % PAGE_SIZE);
    if (this.code.hasCode(physical)) this.code.changed(physical);
    else {
      const page = Math.floor(at / PAGE_SIZE) * PAGE_SIZE;
      this.noCode[(page / PAGE_SIZE) & (ENTRIES - 1)] = page;
    }
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
    this.noCode.fill(NaN);
  }
}
