/**
 * A device that does DMA: it sends addresses of a limited width upstream, reads memory into its buffer, and writes a
 * pattern of its own to memory. A driver commands it by method calls (our choice: no command registers are mapped).
 */
import { InputError } from '../../base/errors.js';
import { hex, PAGE_SIZE, type Pa } from '../address.js';
import type { BusResult, Device, UpstreamPort } from '../bus.js';
import type { PhysicalRange } from '../cpu/mtrr.js';

/**
 * The width of the addresses that the device can send, 12 to 64 bits: 24 for an ISA bus master, 32 for a PCI one
 * without dual address cycles; other devices have other widths (graphics processors 40, sound chips 28 to 31).
 */
export type AddressBits = number;

export interface DmaDeviceConfig {
  readonly name: string;
  readonly addressBits: AddressBits;
  /** Requester id: bus[15:8], device[7:3], function[2:0] (PCI Express Base 2.2.6.2). */
  readonly requester: number;
  /** Physical address of its registers: the value of the BAR after firmware; absent: no registers are mapped. */
  readonly bar?: number;
  /** The port for its requests. */
  readonly upstream: UpstreamPort;
}

/** The state of a device. */
export interface DmaDeviceState {
  /** Number of transfers begun; each writes another pattern. */
  transfers: number;
  /** The data of its last transfer from memory. */
  buffer: Uint8Array;
  status: BusResult;
  /** The BAR; null if it has none. */
  bar: number | null;
}

/** Bytes of the device's buffer: the longest transfer (our choice). */
export const DMA_BUFFER_SIZE = 64 * 1024;
/** Bytes of the registers behind a BAR (our choice). */
export const BAR_SIZE = PAGE_SIZE;
/** Bytes of the device's identity, at the start of its registers. */
const IDENTITY_SIZE = 16;
/** A request must not cross a 4 KiB boundary (PCI Express Base 2.2.7). */
const REQUEST_BOUNDARY = PAGE_SIZE;

export class DmaDevice implements Device {
  readonly name: string;
  readonly addressBits: AddressBits;
  readonly requester: number;
  private readonly upstream: UpstreamPort;
  /** The contents of the first registers: the device's name (our choice); the others are zero. */
  readonly identity: Uint8Array;
  onMoved?: () => void;
  private state: DmaDeviceState;

  constructor({ name, addressBits, requester, upstream, bar }: DmaDeviceConfig) {
    this.name = name;
    this.addressBits = addressBits;
    this.requester = requester;
    this.upstream = upstream;
    this.identity = Uint8Array.from({ length: IDENTITY_SIZE }, (_, i) => name.charCodeAt(i) || 0);
    this.state = { transfers: 0, buffer: new Uint8Array(0), status: 'ok', bar: bar ?? null };
  }

  /** Physical address of the registers; null if none are mapped. */
  get bar(): number | null {
    return this.state.bar;
  }

  /** Writes the BAR: the registers are at `base` from now on. */
  setBar(base: number): void {
    this.state.bar = base;
    this.onMoved?.();
  }

  get mmio(): readonly PhysicalRange[] {
    return this.state.bar === null ? [] : [{ base: this.state.bar, size: BAR_SIZE }];
  }

  /** Registers are read-only (our choice): writes are ignored. */
  mmioRead(address: Pa, out: Uint8Array, offset: number, length: number): void {
    const from = address - (this.state.bar ?? 0);
    for (let i = 0; i < length; i++) out[offset + i] = this.identity[from + i] ?? 0;
  }

  /** The data of the last transfer from memory. */
  get received(): Uint8Array {
    return this.state.buffer.slice();
  }

  /** The result of the last transfer. */
  get status(): BusResult {
    return this.state.status;
  }

  /** A bus address as the device sends it: bits above its width are dropped (our choice). */
  truncate(bus: bigint): bigint {
    return BigInt.asUintN(this.addressBits, bus);
  }

  /** The bytes that the device's next transfer to memory writes. */
  pattern(length: number): Uint8Array {
    return patternOf(this.name, this.state.transfers, checked(length));
  }

  /** Reads memory at a bus address into the device's buffer, request by request. Throws E_DMA_LENGTH. */
  readMemory(bus: bigint, length: number): BusResult {
    const buffer = new Uint8Array(checked(length));
    this.state.buffer = buffer;
    return this.transfer(bus, length, (at, offset, run) =>
      this.upstream.read(this.requester, at, buffer.subarray(offset, offset + run)),
    );
  }

  /** Writes the device's pattern to memory at a bus address, request by request. Throws E_DMA_LENGTH. */
  writeMemory(bus: bigint, length: number): BusResult {
    const bytes = this.pattern(length);
    return this.transfer(bus, length, (at, offset, run) =>
      this.upstream.write(this.requester, at, bytes.subarray(offset, offset + run)),
    );
  }

  snapshot(): DmaDeviceState {
    return { ...this.state, buffer: this.state.buffer.slice() };
  }

  restore(state: unknown): void {
    this.state = structuredClone(state as DmaDeviceState);
    this.onMoved?.();
  }

  /** Makes the requests of a transfer; the first that fails ends it (our choice). */
  private transfer(
    bus: bigint,
    length: number,
    request: (at: bigint, offset: number, run: number) => BusResult,
  ): BusResult {
    this.state.transfers++;
    this.state.status = 'ok';
    for (let done = 0; done < length && this.state.status === 'ok';) {
      const at = this.truncate(bus + BigInt(done));
      const room = REQUEST_BOUNDARY - Number(at % BigInt(REQUEST_BOUNDARY));
      const run = Math.min(room, length - done);
      this.state.status = request(at, done, run);
      done += run;
    }
    return this.state.status;
  }
}

function checked(length: number): number {
  if (Number.isInteger(length) && length > 0 && length <= DMA_BUFFER_SIZE) return length;
  throw new InputError({
    code: 'E_DMA_LENGTH',
    expected: `1 to ${hex(DMA_BUFFER_SIZE)} bytes`,
    found: String(length),
  });
}

/** Deterministic bytes of a device's transfer: FNV-1a of its name and the transfer's number, then an LCG (our choice). */
function patternOf(name: string, transfer: number, length: number): Uint8Array {
  let state = 0x811c9dc5;
  const text = `${name}#${String(transfer)}`;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
