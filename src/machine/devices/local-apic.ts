/**
 * Local APICs: the registers of every CPU at one page, and the messages between them (APM chapter 16). A machine whose CPUs
 * execute instructions connects them to its platform; without one, interrupts are not modelled: a command other than INIT and
 * STARTUP stops the simulator (E_UNMODELLED).
 */
import type { Pa } from '../address.js';
import type { Device } from '../bus.js';
import type { Clock } from '../platform.js';
import { requestingCpu, type Requester } from '../requester.js';
import { UnmodelledError } from '../unmodelled.js';
import {
  APIC_ERROR,
  APIC_REGISTER,
  APIC_VERSION,
  BROADCAST,
  FIRST_VECTOR,
  ICR_WRITABLE,
  icrField,
  ID_SHIFT,
  LOCAL_APIC_BASE,
  LOCAL_APIC_SIZE,
  LVT,
  MESSAGE_TYPE,
  SHORTHAND,
  SPURIOUS,
  UNMODELLED_APIC_REGISTERS,
  type ApicMessage,
} from './apic-registers.js';
import { LocalApicUnit, type UnitSnapshot } from './local-apic-unit.js';

const WORD = 4;
/** Registers are 16 bytes apart (APM table 16-2). */
const STEP = 16;

/** The part of a CPU that its APIC uses. */
export interface ApicTarget {
  readonly id: number;
  init(): void;
  startup(vector: number): void;
}

/** Where a message of an I/O APIC or an IPI goes. */
export interface Destination {
  readonly to: number;
  readonly logical: boolean;
}

/** What the local APICs of an executed boot are connected to. */
export interface ApicPlatform {
  readonly clock: Clock;
  /** The end of a level-triggered interrupt (APM 16.6.4). */
  ended(vector: number): void;
}

const UNMODELLED_BY_OFFSET = new Map<number, string>(
  Object.entries(UNMODELLED_APIC_REGISTERS).map(([name, offset]) => [offset, name]),
);

/** The local APICs of a machine; APIC ids are the CPUs' numbers (our choice). */
export class LocalApic implements Device {
  readonly name = 'local APIC';
  readonly timed = true;
  readonly mmio = [{ base: LOCAL_APIC_BASE, size: LOCAL_APIC_SIZE }];
  readonly units: readonly LocalApicUnit[];
  private platform: ApicPlatform | null = null;

  constructor(private readonly cpus: readonly ApicTarget[]) {
    this.units = cpus.map(() => new LocalApicUnit());
  }

  /**
   * Connects the APICs to devices and time. Firmware has left the boot processor in virtual wire mode (MultiProcessor
   * Specification 1.4, 3.6.2.2): LINT0 passes the 8259A's interrupts on, LINT1 is NMI.
   */
  connect(platform: ApicPlatform): void {
    this.platform = platform;
    const boot = this.of(0);
    boot.state.spurious = SPURIOUS.ENABLE | SPURIOUS.VECTOR;
    boot.lvt.LVT_LINT0 = MESSAGE_TYPE.EXTINT << LVT.MESSAGE_SHIFT;
    boot.lvt.LVT_LINT1 = MESSAGE_TYPE.NMI << LVT.MESSAGE_SHIFT;
  }

  /**
   * Each CPU accesses its own registers at the same address (APM 16.3.1); other requesters read ones and their writes
   * are ignored (our choice).
   */
  mmioRead(
    address: Pa,
    out: Uint8Array,
    offset: number,
    length: number,
    requester: Requester,
  ): void {
    const cpu = requestingCpu(requester);
    const at = registerAt(address, length);
    // APM 16.3.2: only aligned accesses of 32 bits are defined; our choice: others read ones, or are ignored.
    if (at === undefined || cpu === undefined) return void out.fill(0xff, offset, offset + length);
    const value = this.readRegister(cpu, at);
    new DataView(out.buffer, out.byteOffset + offset, WORD).setUint32(0, value, true);
  }

  mmioWrite(
    address: Pa,
    data: Uint8Array,
    offset: number,
    length: number,
    requester: Requester,
  ): void {
    const cpu = requestingCpu(requester);
    const at = registerAt(address, length);
    if (at === undefined || cpu === undefined) return;
    const value = new DataView(data.buffer, data.byteOffset + offset, WORD).getUint32(0, true);
    this.writeRegister(cpu, at, value);
  }

  /** Time, up to which the unit's timer has run. */
  private advanced(unit: LocalApicUnit): number {
    const now = this.platform?.clock.now ?? 0;
    unit.advance(now);
    return now;
  }

  private readRegister(cpu: number, at: number): number {
    const unit = this.of(cpu);
    if (at === APIC_REGISTER.ID) return cpu * 2 ** ID_SHIFT;
    if (at === APIC_REGISTER.VERSION) return APIC_VERSION;
    // EOI is write-only: our choice, it reads 0.
    if (at === APIC_REGISTER.EOI) return 0;
    const value = unit.read(at, this.advanced(unit));
    if (value === undefined) unit.failed(APIC_ERROR.REGISTER);
    return value ?? 0;
  }

  private writeRegister(cpu: number, at: number, value: number): void {
    const unit = this.of(cpu);
    if (at === APIC_REGISTER.ICR_LOW) {
      unit.state.icrLow = value & ICR_WRITABLE;
      this.send(cpu, value);
    } else if (at === APIC_REGISTER.EOI) {
      const vector = unit.endOfInterrupt();
      if (vector >= 0) this.platform?.ended(vector);
    } else if (!unit.write(at, value, this.advanced(unit)) && unit.read(at, 0) === undefined) {
      // Writes of read-only registers are ignored; one that is in no table is an error (APM 16.4.6).
      if (at !== APIC_REGISTER.ID && at !== APIC_REGISTER.VERSION) {
        unit.failed(APIC_ERROR.REGISTER);
      }
    }
  }

  snapshot(): readonly UnitSnapshot[] {
    return this.units.map((unit) => unit.snapshot());
  }
  restore(state: unknown): void {
    const snapshots = state as readonly UnitSnapshot[];
    for (const [index, unit] of this.units.entries()) {
      const snapshot = snapshots[index];
      if (snapshot !== undefined) unit.restore(snapshot);
    }
  }

  /** The APIC of a CPU. */
  of(cpu: number): LocalApicUnit {
    const unit = this.units[cpu];
    if (unit === undefined) throw new RangeError(`no CPU ${String(cpu)}`);
    return unit;
  }

  /** Sends the interrupt that a CPU has written to its ICR_LOW (APM 16.5). */
  private send(self: number, icr: number): void {
    const type = icrField(icr, 'MESSAGE_TYPE');
    const vector = icrField(icr, 'VECTOR');
    const targets = this.targets(self, icr);
    if (type === MESSAGE_TYPE.STARTUP) {
      for (const cpu of targets) cpu.startup(vector);
    } else if (type === MESSAGE_TYPE.INIT) {
      // APM 16.5: INIT level-triggered and deasserted has no effect on the processor.
      const deassert = icrField(icr, 'LEVEL_TRIGGERED') === 1 && icrField(icr, 'ASSERT') === 0;
      if (!deassert) for (const cpu of targets) this.init(cpu);
    } else {
      const known =
        type === MESSAGE_TYPE.FIXED || type === MESSAGE_TYPE.LOWEST || type === MESSAGE_TYPE.NMI;
      if (this.platform === null || !known) {
        throw new UnmodelledError(`an inter-processor interrupt of type ${String(type)}`);
      }
      const fails = type !== MESSAGE_TYPE.NMI && vector < FIRST_VECTOR;
      if (fails) return this.of(self).failed(APIC_ERROR.SENT_VECTOR);
      // IPIs are edge-triggered, whatever their trigger bit, except a deasserted INIT (APM 16.5).
      const accepted = this.deliver(targets, { type, vector, level: false });
      if (!accepted) this.of(self).failed(APIC_ERROR.SENT_ACCEPT);
    }
  }

  private init(cpu: ApicTarget): void {
    this.of(cpu.id).reset();
    cpu.init();
  }

  /** A message from outside the CPUs. Returns whether an APIC accepted it. */
  message(message: ApicMessage, destination: Destination): boolean {
    return this.deliver(this.matching(destination), message);
  }

  private deliver(targets: readonly ApicTarget[], message: ApicMessage): boolean {
    const units = targets.map(({ id }) => this.of(id));
    if (message.type !== MESSAGE_TYPE.LOWEST) {
      return units.map((unit) => unit.accept(message)).includes(true);
    }
    // APM 16.6.2: the one with the lowest priority; our choice among equals: the lowest number.
    const [lowest] = units
      .filter(({ enabled }) => enabled)
      .sort((a, b) => a.processorPriority - b.processorPriority);
    return lowest?.accept(message) ?? false;
  }

  private targets(self: number, icr: number): readonly ApicTarget[] {
    const shorthand = icrField(icr, 'SHORTHAND');
    if (shorthand === SHORTHAND.SELF) return this.cpus.filter(({ id }) => id === self);
    if (shorthand === SHORTHAND.ALL) return this.cpus;
    if (shorthand === SHORTHAND.ALL_BUT_SELF) return this.cpus.filter(({ id }) => id !== self);
    const logical = icrField(icr, 'LOGICAL') === 1;
    return this.matching({ to: this.of(self).state.icrHigh >>> ID_SHIFT, logical });
  }

  private matching({ to, logical }: Destination): readonly ApicTarget[] {
    if (!logical) return to === BROADCAST ? this.cpus : this.cpus.filter(({ id }) => id === to);
    return this.cpus.filter(({ id }) => {
      const { ldr, dfr } = this.of(id).state;
      const own = ldr >>> ID_SHIFT;
      // APM 16.6.1: the flat model compares bits, the cluster model a cluster's number and bits.
      if (dfr >>> 28 === 0xf) return (own & to) !== 0;
      if (to === BROADCAST) return true;
      return own >> 4 === to >> 4 && (own & to & 0xf) !== 0;
    });
  }
}

/** The offset of a register; undefined for an access that is not of 32 aligned bits. */
function registerAt(address: Pa, length: number): number | undefined {
  const at = address - LOCAL_APIC_BASE;
  if (length !== WORD || at % WORD !== 0) return undefined;
  const known = UNMODELLED_BY_OFFSET.get(at);
  if (known !== undefined) throw new UnmodelledError(`APIC ${known}`);
  // Only the first 4 of a register's 16 bytes are defined (APM table 16-2); our choice: the others read ones.
  return at % STEP === 0 ? at : undefined;
}
