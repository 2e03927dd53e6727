/** An I/O APIC with 24 inputs (Intel 82093AA data sheet, 290566-001). Messages arrive at once. */
import type { Pa } from '../address.js';
import type { Device } from '../bus.js';
import { MESSAGE_TYPE, type ApicMessage } from './apic-registers.js';
import type { Destination } from './local-apic.js';
import { UnmodelledError } from '../unmodelled.js';

const SIZE = 0x1000;
/** Offsets of IOREGSEL and IOWIN (data sheet, 3.1). */
const WINDOW = { SELECT: 0x00, DATA: 0x10 } as const;
/** Indices of registers (data sheet, table 3). */
const REGISTER = { ID: 0, VERSION: 1, ARBITRATION: 2, REDIRECTION: 0x10 } as const;
const INPUTS = 24;
/** Version 11h, with the number of the highest entry in bits 23:16 (data sheet, 3.2.2). */
const VERSION = ((INPUTS - 1) << 16) | 0x11;
const ID_SHIFT = 24;
const WORD = 4;

/** Bits of the low half of a redirection entry (data sheet, 3.2.4). */
const ENTRY = {
  VECTOR: 0xff,
  TYPE_SHIFT: 8,
  TYPE_MASK: 7,
  LOGICAL: 0x800,
  REMOTE_IRR: 0x4000,
  LEVEL: 0x8000,
  MASK: 0x1_0000,
  WRITABLE: 0x1_afff,
} as const;

export interface IoApicState {
  readonly select: number;
  readonly id: number;
  /** Low and high half of each entry, and the inputs that are active. */
  readonly entries: readonly number[];
  readonly lines: readonly boolean[];
}

export interface IoApicPlace {
  readonly base: number;
  readonly id: number;
}

export class IoApic implements Device {
  readonly name = 'I/O APIC';
  readonly timed = true;
  readonly mmio: readonly { readonly base: number; readonly size: number }[];
  private select = 0;
  // Our choice: firmware has written the number that the MADT has; the register has 8 bits, as later parts have.
  private id: number;
  private readonly entries = new Uint32Array(2 * INPUTS);
  /** Inputs that are active, whatever their polarity: devices say active and inactive (our choice). */
  private readonly lines: boolean[] = Array.from({ length: INPUTS }, () => false);

  constructor(
    private readonly place: IoApicPlace,
    private readonly send: (message: ApicMessage, destination: Destination) => boolean,
  ) {
    this.mmio = [{ base: place.base, size: SIZE }];
    this.id = place.id;
    // Data sheet, 3.2.4: after a reset all inputs are masked.
    for (let input = 0; input < INPUTS; input++) this.entries[2 * input] = ENTRY.MASK;
  }

  /** Whether an edge at an input sends a message. */
  passes(input: number): boolean {
    return (this.low(input) & ENTRY.MASK) === 0;
  }

  /** An input becomes active and inactive again: an edge. */
  pulse(input: number): void {
    this.setLine(input, true);
    this.setLine(input, false);
  }

  setLine(input: number, active: boolean): void {
    const was = this.lines[input];
    this.lines[input] = active;
    if (was === active) return;
    if ((this.low(input) & ENTRY.LEVEL) !== 0) this.level(input);
    // An edge at a masked input is lost (data sheet, 3.2.4, interrupt mask).
    else if (active && this.passes(input)) this.deliver(input);
  }

  /** A level-triggered interrupt has ended: remote IRR falls, and an input that is still active asks again. */
  ended(vector: number): void {
    for (let input = 0; input < INPUTS; input++) {
      const low = this.low(input);
      if ((low & ENTRY.REMOTE_IRR) === 0 || (low & ENTRY.VECTOR) !== vector) continue;
      this.entries[2 * input] = low & ~ENTRY.REMOTE_IRR;
      this.level(input);
    }
  }

  /** Data sheet, 3.2.4: a level is sent unless it is masked or was accepted already (remote IRR). */
  private level(input: number): void {
    const low = this.low(input);
    if (this.lines[input] !== true || (low & (ENTRY.MASK | ENTRY.REMOTE_IRR)) !== 0) return;
    if (this.deliver(input)) this.entries[2 * input] = low | ENTRY.REMOTE_IRR;
  }

  private deliver(input: number): boolean {
    const low = this.low(input);
    const type = (low >> ENTRY.TYPE_SHIFT) & ENTRY.TYPE_MASK;
    if (type !== MESSAGE_TYPE.FIXED && type !== MESSAGE_TYPE.LOWEST && type !== MESSAGE_TYPE.NMI) {
      throw new UnmodelledError(`an I/O APIC's interrupt of type ${String(type)}`);
    }
    const level = (low & ENTRY.LEVEL) !== 0;
    const to = (this.entries[2 * input + 1] ?? 0) >>> ID_SHIFT;
    const logical = (low & ENTRY.LOGICAL) !== 0;
    return this.send({ type, vector: low & ENTRY.VECTOR, level }, { to, logical });
  }

  private low(input: number): number {
    return this.entries[2 * input] ?? ENTRY.MASK;
  }

  // --- Registers -------------------------------------------------------------------------------------------------

  mmioRead(address: Pa, out: Uint8Array, offset: number, length: number): void {
    const at = address - this.place.base;
    // Data sheet, 3.1: accesses have 32 bits; our choice: others, and those beside the two registers, read ones.
    if (length !== WORD || (at !== WINDOW.SELECT && at !== WINDOW.DATA)) {
      out.fill(0xff, offset, offset + length);
      return;
    }
    const value = at === WINDOW.SELECT ? this.select : this.read(this.select);
    new DataView(out.buffer, out.byteOffset + offset, WORD).setUint32(0, value, true);
  }

  mmioWrite(address: Pa, data: Uint8Array, offset: number, length: number): void {
    if (length !== WORD) return;
    const at = address - this.place.base;
    const value = new DataView(data.buffer, data.byteOffset + offset, WORD).getUint32(0, true);
    if (at === WINDOW.SELECT) this.select = value & 0xff;
    else if (at === WINDOW.DATA) this.write(this.select, value);
  }

  private read(index: number): number {
    if (index === REGISTER.ID || index === REGISTER.ARBITRATION) return (this.id << ID_SHIFT) >>> 0;
    if (index === REGISTER.VERSION) return VERSION;
    const half = index - REGISTER.REDIRECTION;
    // Our choice: an index without a register reads ones.
    return half >= 0 ? (this.entries[half] ?? 0xffff_ffff) : 0xffff_ffff;
  }

  private write(index: number, value: number): void {
    if (index === REGISTER.ID) this.id = value >>> ID_SHIFT;
    const half = index - REGISTER.REDIRECTION;
    if (half < 0 || half >= 2 * INPUTS) return;
    if ((half & 1) !== 0) {
      this.entries[half] = (value & 0xff00_0000) >>> 0;
      return;
    }
    // Remote IRR is read-only; an entry that becomes edge-triggered has none (data sheet, 3.2.4: it has no meaning then).
    const kept = (value & ENTRY.LEVEL) === 0 ? 0 : (this.entries[half] ?? 0) & ENTRY.REMOTE_IRR;
    this.entries[half] = (value & ENTRY.WRITABLE) | kept;
    if ((value & ENTRY.LEVEL) !== 0) this.level(half >> 1);
  }

  snapshot(): IoApicState {
    const { select, id, entries, lines } = this;
    return { select, id, entries: [...entries], lines: [...lines] };
  }
  restore(state: unknown): void {
    const { select, id, entries, lines } = state as IoApicState;
    this.select = select;
    this.id = id;
    this.entries.set(entries);
    this.lines.splice(0, INPUTS, ...lines);
  }
}
