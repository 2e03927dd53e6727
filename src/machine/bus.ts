/**
 * The bus behind the cache: DRAM, and devices that answer at physical addresses; and the port through which devices
 * reach memory.
 */
import { InputError } from '../base/errors.js';
import { hex, KEY_PLAIN, PAGE_SIZE, paAdd, type KeyId, type Pa } from './address.js';
import type { LineStore } from './memory/line-store.js';
import type { PhysicalRange } from './cpu/mtrr.js';
import type { Requester } from './requester.js';
import type { Origin } from './types.js';

/** A range of I/O ports. */
export interface PortRange {
  readonly base: number;
  readonly size: number;
}

/** A device: its name, the addresses and ports that it answers at, and its state as plain data. */
export interface Device {
  readonly name: string;
  /** Its requester id, if it makes requests: bus, device and function as 16 bits. */
  readonly requester?: number;
  /** Physical ranges that it answers at, in whole pages. */
  readonly mmio?: readonly PhysicalRange[];
  /** Whether what an access finds or does depends on the instruction's exact time, or may raise an interrupt. */
  readonly timed?: boolean;
  /** Set by the bus: called when `mmio` has changed. */
  onMoved?: () => void;
  /** A read of its registers or memory; the range lies within one page. `requester` is the originator of the read. */
  mmioRead?(
    address: Pa,
    out: Uint8Array,
    offset: number,
    length: number,
    requester: Requester,
  ): void;
  mmioWrite?(
    address: Pa,
    data: Uint8Array,
    offset: number,
    length: number,
    requester: Requester,
  ): void;
  /** I/O ports that it answers at. */
  readonly ports?: readonly PortRange[];
  /** IN of `size` bytes (1 or 2). */
  portIn?(port: number, size: number): number;
  /** OUT of `size` bytes (1 or 2). */
  portOut?(port: number, value: number, size: number): void;
  /** Its whole state, structured-clonable. */
  snapshot(): unknown;
  restore(state: unknown): void;
}

/** How a request of a device ended: done, not claimed by any target, or refused (PCI: master abort, target abort). */
export type BusResult = 'ok' | 'master-abort' | 'target-abort';

/** Where a device's requests go: the host bridge, or an IOMMU in front of it. */
export interface UpstreamPort {
  /**
   * @param requester bus, device and function as 16 bits.
   * @param bus the address that the device sends, C-bit included.
   */
  read(requester: number, bus: bigint, out: Uint8Array): BusResult;
  write(requester: number, bus: bigint, data: Uint8Array): BusResult;
}

/** DRAM and memory-mapped devices on one bus. Without devices it is DRAM alone, at no extra cost. */
export class Bus implements LineStore {
  private readonly devices: Device[] = [];
  private windows: { base: number; end: number; device: Device }[] = [];

  constructor(private readonly dram: LineStore) {}

  get all(): readonly Device[] {
    return this.devices;
  }

  /** Puts a device on the bus. Throws E_MMIO_OVERLAP if its MMIO ranges overlap those of another device. */
  attach(device: Device): void {
    for (const { base, size } of device.mmio ?? []) {
      const other = this.windows.find((w) => base < w.end && w.base < base + size);
      if (other !== undefined) {
        throw new InputError({
          code: 'E_MMIO_OVERLAP',
          reason: `${device.name} and ${other.device.name} answer at the same addresses`,
          expected: 'an address where no other device answers',
          found: hex(base),
        });
      }
      this.windows.push({ base, end: base + size, device });
    }
    this.devices.push(device);
    device.onMoved = () => {
      this.updateWindows(device);
    };
  }

  /** Updates a device's MMIO ranges. At an overlap the device whose ranges changed last does not answer (our choice). */
  private updateWindows(device: Device): void {
    const own = (device.mmio ?? []).map(({ base, size }) => ({ base, end: base + size, device }));
    this.windows = [...this.windows.filter((window) => window.device !== device), ...own];
  }

  readLines(
    pa: Pa,
    key: KeyId,
    out: Uint8Array,
    offset: number,
    length: number,
    requester: Requester,
  ): void {
    if (this.at(pa) === undefined) this.dram.readLines(pa, key, out, offset, length, requester);
    else this.read(pa, key, out, offset, length, requester);
  }
  writeLines(
    pa: Pa,
    key: KeyId,
    data: Uint8Array,
    offset: number,
    length: number,
    origin: Origin,
    requester: Requester,
  ): void {
    if (this.at(pa) !== undefined) this.write(pa, key, data, offset, length, origin, requester);
    else this.dram.writeLines(pa, key, data, offset, length, origin, requester);
  }

  fillLines(
    pa: Pa,
    key: KeyId,
    byte: number,
    length: number,
    origin: Origin,
    requester: Requester,
  ): void {
    if (!this.windows.some(({ base, end }) => pa < end && base < pa + length)) {
      this.dram.fillLines(pa, key, byte, length, origin, requester);
      return;
    }
    const data = new Uint8Array(PAGE_SIZE).fill(byte);
    for (let done = 0; done < length;) {
      const at = paAdd(pa, done);
      const run = Math.min(PAGE_SIZE - (at % PAGE_SIZE), length - done);
      this.write(at, key, data, 0, run, origin, requester);
      done += run;
    }
  }

  read(
    pa: Pa,
    key: KeyId,
    out: Uint8Array,
    offset: number,
    length: number,
    requester: Requester,
  ): void {
    const device = this.at(pa);
    if (device === undefined) this.dram.read(pa, key, out, offset, length, requester);
    // APM 7.10.5: an access of memory-mapped I/O with the C-bit is ignored; our choice: a read gives all ones.
    else if (key !== KEY_PLAIN) out.fill(0xff, offset, offset + length);
    else if (device.mmioRead === undefined) out.fill(0xff, offset, offset + length);
    else device.mmioRead(pa, out, offset, length, requester);
  }

  write(
    pa: Pa,
    key: KeyId,
    data: Uint8Array,
    offset: number,
    length: number,
    origin: Origin,
    requester: Requester,
  ): void {
    const device = this.at(pa);
    if (device === undefined) this.dram.write(pa, key, data, offset, length, origin, requester);
    else if (key === KEY_PLAIN) device.mmioWrite?.(pa, data, offset, length, requester);
  }

  /** IN: I/O ports have no C-bit (APM 7.10: it is a bit of physical memory addresses). Without a device: all ones. */
  portIn(port: number, size: number): number {
    return this.atPort(port)?.portIn?.(port, size) ?? 2 ** (8 * size) - 1;
  }

  /** OUT; the value is lost where no device has the port. */
  portOut(port: number, value: number, size: number): void {
    this.atPort(port)?.portOut?.(port, value, size);
  }

  private atPort(port: number): Device | undefined {
    return this.devices.find((device) =>
      device.ports?.some(({ base, size }) => port >= base && port < base + size),
    );
  }

  /** The device that answers at an address, or undefined. */
  at(address: number): Device | undefined {
    for (const { base, end, device } of this.windows) {
      if (address >= base && address < end) return device;
    }
    return undefined;
  }
}
