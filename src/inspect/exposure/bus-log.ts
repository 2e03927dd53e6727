/**
 * Records, line by line, who wrote memory without a key and who used it so since: the CPU's state and mapping at each
 * access, devices, page walks. Attached to a machine before a boot; it reads the machine and changes nothing.
 */
import { KEY_PLAIN, type KeyId, type Pa, type Va } from '../../machine/address.js';
import { CR0, has } from '../../machine/cpu/registers.js';
import type { Machine } from '../../machine/machine.js';
import { pciRequester, REQUESTER_PLATFORM, type Requester } from '../../machine/requester.js';
import type { AccessKind } from '../../machine/probes.js';
import type { Origin } from '../../machine/types.js';
import { LineUses, type LineUsesSnapshot } from './line-uses.js';
import { UnchangedBlocks, type UnchangedSnapshot } from './unchanged-blocks.js';

/** The code that runs: its function, and the hunk that its code comes from. */
export interface Code {
  readonly fn: string;
  readonly file?: string | undefined;
  readonly patch?: number | undefined;
  readonly hunk?: string | undefined;
}

/** An access without a key. */
export interface ClearAccess {
  /** The function that ran on the CPU, or the device's name. */
  readonly by: Code;
  readonly device: boolean;
  /** Of a CPU's access: its number, its state, and the kind of virtual address that it went through. */
  readonly cpu?: number;
  /** SYSCFG[23] of that CPU was set. */
  readonly encryption: boolean;
  /** CR0.PG of that CPU was set. */
  readonly paging: boolean;
  readonly through?: string;
  /** Index of the step in which it happened. */
  readonly step: number;
  readonly origin: Origin;
}

/** What is known about a line that is in plaintext. */
export interface LineHistory {
  /** The last write without a key. */
  readonly write?: ClearAccess;
  /** The last access without a key by a CPU that translates addresses, while encryption was on; a write is one at any time. */
  readonly use?: ClearAccess;
  /** The last access without a key by a device. */
  readonly device?: ClearAccess;
  /** The last access by a CPU with paging off, while encryption was on somewhere. */
  readonly unpaged?: ClearAccess;
  /** The last page walk that read a table entry without a key, while encryption was on somewhere. */
  readonly walk?: ClearAccess;
}

/** What the log asks the kernel model for: names only. */
export interface Names {
  /** The code that runs now. */
  code(): Code;
  /** The part of the address space that a mapping is in. */
  spaceOf(at: Va, address: Pa): string;
}

/** The state of a log, valid for the log that made it. */
export interface BusLogSnapshot {
  readonly step: number;
  readonly active: boolean;
  readonly uses: readonly LineUsesSnapshot[];
  readonly unchanged: readonly UnchangedSnapshot[];
}

/** Bytes of a page-table entry. */
const ENTRY = 8;

export class BusLog {
  /** Index of the step that runs; set by the caller. */
  step = 0;
  /** Whether a CPU with SYSCFG[23] set has accessed memory. */
  private active = false;
  /** By number, from 1 on. */
  private readonly accesses: ClearAccess[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly writes = new LineUses();
  private readonly uses = new LineUses();
  private readonly devices = new LineUses();
  private readonly unpaged = new LineUses();
  private readonly walks = new LineUses();
  private readonly all = [this.writes, this.uses, this.devices, this.unpaged, this.walks];
  /** Blocks of lines last written under a key whose bytes in DRAM are still those of the plaintext before it. */
  readonly stillPlain: UnchangedBlocks;
  /** Blocks of lines last written without a key whose bytes in DRAM are still those of the ciphertext before it. */
  readonly stillCiphertext: UnchangedBlocks;
  private readonly unchanged: readonly UnchangedBlocks[];
  private readonly ends: readonly (() => void)[];

  constructor(
    private readonly machine: Machine,
    private readonly names: Names,
  ) {
    this.stillPlain = new UnchangedBlocks(machine.dram, (key) => key !== KEY_PLAIN);
    this.stillCiphertext = new UnchangedBlocks(machine.dram, (key) => key === KEY_PLAIN);
    this.unchanged = [this.stillPlain, this.stillCiphertext];
    const { probes } = machine;
    this.ends = [
      probes.accessed.listen((kind, cpu, at, address, key, _type, length, origin) => {
        this.access(kind, cpu, at, address, key, length, origin);
      }),
      probes.dma.listen((kind, requester, address, key, length, origin) => {
        this.dma(kind, requester, address, key, length, origin);
      }),
      probes.keyChanged.listen((address, length, from, to) => {
        this.keyChanged(address, length, from, to);
      }),
      probes.walked.listen((cpu, _at, address, key, origin) => {
        this.walked(cpu, address, key, origin);
      }),
    ];
  }

  /** Ends the recording. */
  detach(): void {
    for (const end of this.ends) end();
  }

  /** What is recorded now. The machine must be restored to its state of now before the log is. */
  snapshot(): BusLogSnapshot {
    return {
      step: this.step,
      active: this.active,
      uses: this.all.map((each) => each.snapshot()),
      unchanged: this.unchanged.map((each) => each.snapshot()),
    };
  }

  restore({ step, active, uses, unchanged }: BusLogSnapshot): void {
    this.step = step;
    this.active = active;
    uses.forEach((each, i) => this.all[i]?.restore(each));
    unchanged.forEach((each, i) => this.unchanged[i]?.restore(each));
  }

  /** The steps and code of the accesses to a line. */
  historyOf(line: Pa): LineHistory {
    const of = (uses: LineUses): ClearAccess | undefined => this.accesses[uses.get(line) - 1];
    const [write, use, device, unpaged, walk] = [
      of(this.writes),
      of(this.uses),
      of(this.devices),
      of(this.unpaged),
      of(this.walks),
    ];
    return {
      ...(write !== undefined && { write }),
      ...(use !== undefined && { use }),
      ...(device !== undefined && { device }),
      ...(unpaged !== undefined && { unpaged }),
      ...(walk !== undefined && { walk }),
    };
  }

  /** A text that is equal for lines with equal histories. */
  keyOf(line: Pa): string {
    return this.all.map((each) => each.get(line)).join(' ');
  }

  /** Whether two lines have the same history. */
  same(line: Pa, other: Pa): boolean {
    return this.all.every((each) => each.get(line) === each.get(other));
  }

  private access(
    kind: AccessKind,
    cpu: number,
    at: Va,
    address: Pa,
    key: KeyId,
    length: number,
    origin: Origin,
  ): void {
    if (key !== KEY_PLAIN) return;
    const core = this.machine.cpus[cpu];
    const encryption = core?.encryption === true;
    this.active ||= encryption;
    const isWrite = kind === 'write';
    if (!isWrite && !this.active) return;
    const paging = core !== undefined && has(core.cr0, CR0.PG);
    const through = this.names.spaceOf(at, address);
    const by = this.names.code();
    const { step } = this;
    const access = { by, device: false, cpu, encryption, paging, through, step, origin };
    const number = this.numberOf(access);
    if (isWrite) this.writes.set(address, length, number);
    if (paging) this.uses.set(address, length, number);
    else if (this.active) this.unpaged.set(address, length, number);
  }

  private dma(
    kind: 'read' | 'write',
    requester: Requester,
    address: Pa,
    key: KeyId,
    length: number,
    origin: Origin,
  ): void {
    if (key !== KEY_PLAIN || requester === REQUESTER_PLATFORM) return;
    const { step } = this;
    const by = { fn: this.deviceOf(requester) };
    const access = { by, device: true, encryption: false, paging: false, step };
    const number = this.numberOf({ ...access, origin });
    this.devices.set(address, length, number);
    if (kind === 'write') this.writes.set(address, length, number);
  }

  private keyChanged(address: Pa, length: number, from: KeyId, to: KeyId): void {
    if (to === KEY_PLAIN) {
      this.stillCiphertext.replaced(address, length);
      return;
    }
    if (from !== KEY_PLAIN) return;
    this.stillPlain.replaced(address, length);
    // A write may still be in the cache: its record is compared with the line's origin when it is read.
    for (const uses of [this.uses, this.devices, this.unpaged, this.walks]) {
      uses.set(address, length, 0);
    }
  }

  private walked(cpu: number, address: Pa, key: KeyId, origin: Origin): void {
    if (!this.active || key !== KEY_PLAIN) return;
    const { step, machine } = this;
    const encryption = machine.cpus[cpu]?.encryption === true;
    const by = this.names.code();
    const access = { by, device: false, cpu, encryption, paging: true, through: 'page walk' };
    this.walks.set(address, ENTRY, this.numberOf({ ...access, step, origin }));
  }

  private deviceOf(requester: number): string {
    const device = this.machine.bus.all.find(
      (each) =>
        'requester' in each &&
        typeof each.requester === 'number' &&
        pciRequester(each.requester) === requester,
    );
    return device?.name ?? `PCI ${pciName(requester - pciRequester(0))}`;
  }

  private numberOf(access: ClearAccess): number {
    const { by, cpu, encryption, paging, through = '', step, origin } = access;
    const state = (encryption ? 2 : 0) + (paging ? 1 : 0);
    const text = `${origin} ${step} ${cpu ?? -1} ${state} ${by.hunk ?? ''} ${by.fn} ${through}`;
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.accesses.push(access);
      this.numbers.set(text, number);
    }
    return number;
  }
}

/** A requester id as `bus:device.function`. */
function pciName(id: number): string {
  const two = (value: number): string => value.toString(16).padStart(2, '0');
  return `${two(id >> 8)}:${two((id >> 3) & 0x1f)}.${String(id & 7)}`;
}
