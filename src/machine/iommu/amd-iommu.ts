/**
 * An AMD IOMMU (AMD I/O Virtualization Technology specification, pub. 48882) between devices and the host bridge: it
 * translates the addresses of their requests by tables in memory, fetches commands from one ring in memory and logs
 * events to another.
 *
 * Each structure is accessed at the address that software has set, unchanged: its C-bit means to the host bridge the
 * same as in a device's request. Interrupts are not remapped.
 */
import type { BusResult, Device, UpstreamPort } from '../bus.js';
import { PAGE_SIZE } from '../address.js';
import {
  COMMAND_SIZE,
  runCommand,
  invalidatedRange,
  type CommandResult,
  type CommandTarget,
} from './amd-iommu-commands.js';
import { encodeEvent, EVENT_FLAG, EVENT_SIZE, type IommuEvent } from './amd-iommu-events.js';
import {
  CAPABILITY,
  CAPABILITY_HEADER,
  CONTROL,
  DEVICE_TABLE,
  IOMMU_MMIO_SIZE,
  IommuRegisters,
  RING,
  STATUS,
  type IommuRegister,
} from './amd-iommu-registers.js';
import { decodeDte, DTE_SIZE, walkTables, type Dte, type Translation } from './amd-iommu-walk.js';
import type { Probes } from '../probes.js';
import { UnmodelledError } from '../unmodelled.js';

export interface AmdIommuConfig {
  /** Physical address of the registers. */
  readonly base: number;
  /** Its own requester id: bus, device and function as 16 bits. */
  readonly requester: number;
  /** The port for translated requests and for its own. */
  readonly upstream: UpstreamPort;
  /** The machine's probe points. */
  readonly probes?: Probes;
}

/** Offset of its capability block in configuration space (our choice). */
export const CAPABILITY_POINTER = 0x40;

/** The state of an IOMMU. */
interface AmdIommuState {
  readonly registers: readonly (readonly [string, bigint])[];
  readonly entries: readonly (readonly [number, Dte])[];
  readonly translations: readonly (readonly [
    number,
    readonly (readonly [bigint, Translation])[],
  ])[];
}

/** Addresses of interrupt messages (48882, "Special Address Controls"). */
const INTERRUPTS = { first: 0xfee0_0000n, last: 0xfeef_ffffn } as const;

export class AmdIommu implements Device, UpstreamPort, CommandTarget {
  readonly name = 'iommu';
  readonly mmio: readonly { base: number; size: number }[];
  readonly requester: number;
  readonly registers = new IommuRegisters();
  private readonly probes: Probes | undefined;
  private readonly upstream: UpstreamPort;
  private readonly base: number;
  /** Cached device table entries and translations; they stay until they are invalidated. */
  private readonly entries = new Map<number, Dte>();
  private readonly translations = new Map<number, Map<bigint, Translation>>();
  /** Commands that were fetched together, and whether one of them has stored to memory, possibly to the ring. */
  private readonly commands = new Uint8Array(PAGE_SIZE);
  private readonly commandView = new DataView(this.commands.buffer);
  private stored = false;
  private readonly word = new Uint8Array(8);
  private readonly wordView = new DataView(this.word.buffer);
  private readonly mask = new Uint8Array(8);
  private readonly maskView = new DataView(this.mask.buffer);

  constructor({ base, requester, upstream, probes }: AmdIommuConfig) {
    this.probes = probes;
    this.base = base;
    this.requester = requester;
    this.upstream = upstream;
    this.mmio = [{ base, size: IOMMU_MMIO_SIZE }];
  }

  // --- Requests of devices ---------------------------------------------------------------------------------------

  read(requester: number, bus: bigint, out: Uint8Array): BusResult {
    return this.forward(requester, bus, out, false);
  }

  write(requester: number, bus: bigint, data: Uint8Array): BusResult {
    return this.forward(requester, bus, data, true);
  }

  /** Whether it asserts its interrupt: an event was logged and its interrupt is enabled. */
  get interrupt(): boolean {
    const { registers } = this;
    return (
      registers.has('Status', STATUS.EventLogInt) && registers.has('Control', CONTROL.EventIntEn)
    );
  }

  /** Whether it translates requests. */
  get enabled(): boolean {
    return this.registers.has('Control', CONTROL.IommuEn);
  }

  private forward(requester: number, bus: bigint, bytes: Uint8Array, write: boolean): BusResult {
    for (let done = 0; done < bytes.length;) {
      const at = bus + BigInt(done);
      const run = Math.min(bytes.length - done, PAGE_SIZE - Number(at % BigInt(PAGE_SIZE)));
      const part = bytes.subarray(done, done + run);
      const target = this.translate(requester, at, write);
      // PCI: a read that is aborted returns all ones.
      if (target === undefined && !write) bytes.fill(0xff, done);
      if (target === undefined) return 'target-abort';
      const result = write
        ? this.upstream.write(requester, target, part)
        : this.upstream.read(requester, target, part);
      if (result !== 'ok') return result;
      done += run;
    }
    return 'ok';
  }

  /** The translated address of a request; undefined if it is refused, which is logged. */
  private translate(requester: number, bus: bigint, write: boolean): bigint | undefined {
    // IommuEn=0: nothing is translated.
    if (!this.enabled) return bus;
    if (bus >= INTERRUPTS.first && bus <= INTERRUPTS.last) {
      throw new UnmodelledError('interrupt remapping of the AMD IOMMU');
    }
    const rw = write ? EVENT_FLAG.RW : 0;
    const dte = this.entryOf(requester, bus, rw);
    if (dte === undefined) return undefined;
    if (!dte.valid) return bus;
    const pageFault = (flags: number): undefined => {
      if (dte.suppressAll) return undefined;
      const { domain } = dte;
      this.log({
        name: 'IO_PAGE_FAULT',
        device: requester,
        domain,
        flags: flags | rw,
        address: bus,
      });
      return undefined;
    };
    // V=1 and TV=0 end the walk; our reading: with a page fault.
    if (!dte.translationValid) return pageFault(0);
    const page = bus / BigInt(PAGE_SIZE);
    let translation = this.translations.get(dte.domain)?.get(page);
    if (translation === undefined) {
      const walk = walkTables(dte, bus, (at) => this.readQuad(at));
      if (walk.kind === 'fault') return pageFault(walk.flags);
      if (walk.kind === 'unreadable') {
        this.log({
          name: 'PAGE_TAB_HARDWARE_ERROR',
          device: requester,
          domain: dte.domain,
          flags: rw | EVENT_FLAG.TYPE_MASTER_ABORT,
          address: walk.at,
        });
        return undefined;
      }
      translation = walk.translation;
      // Mode 0 has no translation to cache.
      if (dte.mode !== 0) this.cacheTranslation(dte.domain, page, translation);
    }
    const allowed = write ? translation.write : translation.read;
    if (!allowed) return pageFault(EVENT_FLAG.PR | EVENT_FLAG.PE);
    return translation.address + (bus - translation.iova);
  }

  /** A device's table entry, cached or from memory; undefined if it is unreadable or illegal, which is logged. */
  private entryOf(requester: number, bus: bigint, rw: number): Dte | undefined {
    const cached = this.entries.get(requester);
    if (cached !== undefined) return cached;
    const base = this.registers.get('DeviceTableBase');
    const size = (Number(base & DEVICE_TABLE.Size) + 1) * PAGE_SIZE;
    const device = requester;
    if ((requester + 1) * DTE_SIZE > size) {
      // The device is beyond the end of the table.
      this.log({ name: 'IO_PAGE_FAULT', device, flags: rw, address: bus });
      return undefined;
    }
    const at = (base & DEVICE_TABLE.DevTabBase) + BigInt(requester * DTE_SIZE);
    const low = this.readQuad(at);
    const high = this.readQuad(at + 8n);
    if (low === undefined || high === undefined) {
      const flags = rw | EVENT_FLAG.TYPE_MASTER_ABORT;
      this.log({ name: 'DEV_TAB_HARDWARE_ERROR', device, flags, address: at });
      return undefined;
    }
    const dte = decodeDte(low, high);
    if (dte.illegal !== undefined) {
      const flags = rw | (dte.illegal === 'reserved' ? EVENT_FLAG.RZ : 0);
      this.log({ name: 'ILLEGAL_DEV_TABLE_ENTRY', device, flags, address: bus & ~3n });
      return undefined;
    }
    this.entries.set(requester, dte);
    return dte;
  }

  /** Our choice: translations are cached by pages of 4 KiB, pointers between tables are not. */
  private cacheTranslation(domain: number, page: bigint, translation: Translation): void {
    const pages = this.translations.get(domain) ?? new Map<bigint, Translation>();
    pages.set(page, translation);
    this.translations.set(domain, pages);
  }

  private readQuad(at: bigint): bigint | undefined {
    const result = this.upstream.read(this.requester, at, this.word);
    return result === 'ok' ? this.wordView.getBigUint64(0, true) : undefined;
  }

  // --- Commands --------------------------------------------------------------------------------------------------

  store(address: bigint, data: Uint8Array): boolean {
    this.stored = true;
    return this.upstream.write(this.requester, address, data) === 'ok';
  }
  completionInterrupt(): void {
    this.setStatus(STATUS.ComWaitInt);
  }
  invalidateDevice(device: number): void {
    this.entries.delete(device);
  }
  invalidatePages(domain: number, low: number, high: number): void {
    const pages = this.translations.get(domain);
    if (pages === undefined) return;
    const { address, size } = invalidatedRange(low, high);
    const first = address / BigInt(PAGE_SIZE);
    const end = (address + size) / BigInt(PAGE_SIZE);
    for (const page of [...pages.keys()]) if (page >= first && page < end) pages.delete(page);
    if (pages.size === 0) this.translations.delete(domain);
  }
  invalidateAll(): void {
    this.entries.clear();
    this.translations.clear();
  }

  /** Runs commands until the ring is empty or one fails. Our choice: at once, within the register write. */
  private runCommands(): void {
    const { registers } = this;
    const { base, size } = this.ring('CommandBufferBase');
    while (registers.has('Status', STATUS.CmdBufRun)) {
      const head = Number(registers.get('CommandBufferHead'));
      const tail = Number(registers.get('CommandBufferTail'));
      if (head === tail) return;
      const end = Math.min(tail > head ? tail : size, head + PAGE_SIZE);
      const length = this.fetchCommands(base + BigInt(head), end - head);
      let result: CommandResult = length === 0 ? 'failed' : 'done';
      let done = 0;
      this.stored = false;
      while (done < length && !this.stored) {
        result = runCommand(this.commandView, done, this);
        if (result !== 'done') break;
        done += COMMAND_SIZE;
      }
      registers.set('CommandBufferHead', BigInt((head + done) % size));
      if (result !== 'done') {
        // 48882, "ILLEGAL_COMMAND_ERROR Event": fetching stops. Our choice: the head stays at this command.
        registers.set('Status', registers.get('Status') & ~STATUS.CmdBufRun);
        const flags = result === 'failed' ? EVENT_FLAG.TYPE_MASTER_ABORT : 0;
        const name = result === 'failed' ? 'COMMAND_HARDWARE_ERROR' : 'ILLEGAL_COMMAND_ERROR';
        this.log({ name, flags, address: base + BigInt(head + done) });
        return;
      }
    }
  }

  /** Fetches `length` bytes of commands, or only the first command. Returns the number of bytes; 0 on failure. */
  private fetchCommands(address: bigint, length: number): number {
    for (const size of [length, COMMAND_SIZE]) {
      const bytes = this.commands.subarray(0, size);
      if (this.upstream.read(this.requester, address, bytes) === 'ok') return size;
    }
    return 0;
  }

  // --- The event log ---------------------------------------------------------------------------------------------

  private log(event: IommuEvent): void {
    const { registers } = this;
    if (!registers.has('Status', STATUS.EventLogRun)) return;
    const { base, size } = this.ring('EventLogBase');
    const tail = Number(registers.get('EventLogTail'));
    const next = (tail + EVENT_SIZE) % size;
    // 48882, "Event Log": an entry that would make the ring appear empty is lost, and logging stops.
    if (next === Number(registers.get('EventLogHead'))) {
      registers.set('Status', registers.get('Status') & ~STATUS.EventLogRun);
      this.setStatus(STATUS.EventOverflow);
      return;
    }
    const at = base + BigInt(tail);
    // Our choice: a failure of this write is not reported.
    this.upstream.write(this.requester, at, encodeEvent(event));
    registers.set('EventLogTail', BigInt(next));
    this.setStatus(STATUS.EventLogInt);
    if (this.probes?.iommuEvent.active === true) this.probes.iommuEvent.notify(event, at);
  }

  private ring(name: 'CommandBufferBase' | 'EventLogBase'): { base: bigint; size: number } {
    const value = this.registers.get(name);
    const entries = 2 ** Number((value & RING.Len) >> RING.LenShift);
    return { base: value & RING.Base, size: entries * COMMAND_SIZE };
  }

  private setStatus(mask: bigint): void {
    this.registers.set('Status', this.registers.get('Status') | mask);
  }

  // --- Registers -------------------------------------------------------------------------------------------------

  mmioRead(address: number, out: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < length;) {
      const at = address - this.base + i;
      this.wordView.setBigUint64(0, this.registers.read(at - (at % 8)), true);
      for (let byte = at % 8; byte < 8 && i < length; byte++, i++) {
        out[offset + i] = this.word[byte] ?? 0;
      }
    }
  }

  mmioWrite(address: number, data: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < length;) {
      const at = address - this.base + i;
      this.word.fill(0);
      this.mask.fill(0);
      for (let byte = at % 8; byte < 8 && i < length; byte++, i++) {
        this.word[byte] = data[offset + i] ?? 0;
        this.mask[byte] = 0xff;
      }
      const value = this.wordView.getBigUint64(0, true);
      const mask = this.maskView.getBigUint64(0, true);
      const control = this.registers.get('Control');
      const name = this.registers.write(at - (at % 8), value, mask);
      if (name !== undefined) this.written(name, control);
    }
  }

  /** The effects of software's write of a register. */
  private written(name: IommuRegister, controlBefore: bigint): void {
    if (name === 'Control') this.controlWritten(controlBefore);
    if (name === 'CommandBufferTail' || name === 'Control') this.runCommands();
  }

  /** 48882, "IOMMU Control Register": commands and log run while their bit and IommuEn are set; setting both restarts. */
  private controlWritten(before: bigint): void {
    const now = this.registers.get('Control');
    for (const [enable, run] of [
      [CONTROL.CmdBufEn, STATUS.CmdBufRun],
      [CONTROL.EventLogEn, STATUS.EventLogRun],
    ] as const) {
      const mask = enable | CONTROL.IommuEn;
      const status = this.registers.get('Status');
      if ((now & mask) !== mask) this.registers.set('Status', status & ~run);
      else if ((before & mask) !== mask) this.registers.set('Status', status | run);
    }
  }

  /** A 32-bit word of its configuration space; 0 outside its capability block. */
  configRead(offset: number): number {
    const { CapId, CapType, CapRev, EFRSup } = CAPABILITY_HEADER;
    const words: Readonly<Record<number, number>> = {
      [CAPABILITY.Header]: CapId | CapType | CapRev | EFRSup,
      // Bit 0: the registers are enabled.
      [CAPABILITY.BaseLow]: (this.base % 2 ** 32) + 1,
      [CAPABILITY.BaseHigh]: Math.floor(this.base / 2 ** 32),
      [CAPABILITY.Range]: 0,
      [CAPABILITY.Misc]: 0,
    };
    return words[offset - CAPABILITY_POINTER] ?? 0;
  }

  snapshot(): AmdIommuState {
    return {
      registers: this.registers.snapshot(),
      entries: [...this.entries],
      translations: [...this.translations].map(([id, pages]) => [id, [...pages]] as const),
    };
  }

  restore(state: unknown): void {
    const { registers, entries, translations } = state as AmdIommuState;
    this.registers.restore(registers);
    this.invalidateAll();
    for (const [device, dte] of entries) this.entries.set(device, dte);
    for (const [domain, list] of translations) {
      for (const [page, translation] of list) this.cacheTranslation(domain, page, translation);
    }
  }
}
