/**
 * Local APICs: the registers of every CPU at one page, as far as starting other CPUs needs them (APM chapter 16).
 * Interrupts are not modelled; a command other than INIT and STARTUP stops the simulator (E_UNMODELLED).
 */
import type { Pa } from '../address.js';
import type { Device } from '../bus.js';
import { requestingCpu, type Requester } from '../requester.js';
import { UnmodelledError } from '../unmodelled.js';

/** Physical address of the registers after a reset (APM 16.3.1). */
export const LOCAL_APIC_BASE = 0xfee0_0000;
const LOCAL_APIC_SIZE = 0x1000;

/** Modelled registers by offset (APM table 16-2). */
export const APIC_REGISTER = {
  ID: 0x20,
  VERSION: 0x30,
  TPR: 0x80,
  EOI: 0xb0,
  LDR: 0xd0,
  DFR: 0xe0,
  SPURIOUS: 0xf0,
  ESR: 0x280,
  ICR_LOW: 0x300,
  ICR_HIGH: 0x310,
} as const;
type RegisterName = keyof typeof APIC_REGISTER;

/** Registers that a real part has and the machine does not: an access to one throws E_UNMODELLED. */
export const UNMODELLED_APIC_REGISTERS = {
  ARBITRATION_PRIORITY: 0x90,
  PROCESSOR_PRIORITY: 0xa0,
  REMOTE_READ: 0xc0,
  ISR: 0x100,
  TMR: 0x180,
  IRR: 0x200,
  LVT_TIMER: 0x320,
  LVT_THERMAL: 0x330,
  LVT_PERFORMANCE: 0x340,
  LVT_LINT0: 0x350,
  LVT_LINT1: 0x360,
  LVT_ERROR: 0x370,
  TIMER_INITIAL_COUNT: 0x380,
  TIMER_CURRENT_COUNT: 0x390,
  TIMER_DIVIDE: 0x3e0,
  EXTENDED_FEATURE: 0x400,
  EXTENDED_CONTROL: 0x410,
} as const;

/** Fields of ICR_LOW (APM 16.5). */
export const ICR = {
  VECTOR: { shift: 0, mask: 0xff },
  MESSAGE_TYPE: { shift: 8, mask: 7 },
  LOGICAL: { shift: 11, mask: 1 },
  ASSERT: { shift: 14, mask: 1 },
  LEVEL_TRIGGERED: { shift: 15, mask: 1 },
  SHORTHAND: { shift: 18, mask: 3 },
} as const;
/** Message types (APM 16.5, table 16-4). */
export const MESSAGE_TYPE = {
  FIXED: 0,
  LOWEST: 1,
  SMI: 2,
  REMOTE_READ: 3,
  NMI: 4,
  INIT: 5,
  STARTUP: 6,
} as const;
/** Destination shorthands (APM 16.5). */
export const SHORTHAND = { DESTINATION: 0, SELF: 1, ALL: 2, ALL_BUT_SELF: 3 } as const;
const ID_SHIFT = 24;
const BROADCAST = 0xff;
/** Version 10h with LVT entries 0–5 and the extended space (PPR Zen 1, APIC30). */
const VERSION = 0x8005_0010;
const SPURIOUS_RESET = 0xff;
const ALL_ONES = 0xffff_ffff;
const WORD = 4;

/** The part of a CPU that its APIC uses. */
export interface ApicTarget {
  readonly id: number;
  init(): void;
  startup(vector: number): void;
}

type Registers = Record<RegisterName, number>;

/** Registers that software may not change. */
const READ_ONLY: ReadonlySet<RegisterName> = new Set(['ID', 'VERSION']);
const BY_OFFSET = new Map<number, RegisterName>(
  Object.entries(APIC_REGISTER).map(([name, offset]) => [offset, name as RegisterName]),
);
const UNMODELLED_BY_OFFSET = new Map<number, string>(
  Object.entries(UNMODELLED_APIC_REGISTERS).map(([name, offset]) => [offset, name]),
);

function resetState(id: number): Registers {
  return {
    ID: id * 2 ** ID_SHIFT,
    VERSION,
    TPR: 0,
    EOI: 0,
    LDR: 0,
    DFR: ALL_ONES,
    SPURIOUS: SPURIOUS_RESET,
    ESR: 0,
    ICR_LOW: 0,
    ICR_HIGH: 0,
  };
}

/** A field of an ICR value. */
export function icrField(value: number, name: keyof typeof ICR): number {
  return (value >>> ICR[name].shift) & ICR[name].mask;
}

/** The local APICs of a machine; APIC ids are the CPUs' numbers (our choice). */
export class LocalApic implements Device {
  readonly name = 'local APIC';
  readonly mmio = [{ base: LOCAL_APIC_BASE, size: LOCAL_APIC_SIZE }];
  private registers: Registers[];

  constructor(private readonly cpus: readonly ApicTarget[]) {
    this.registers = cpus.map(({ id }) => resetState(id));
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
    const name = this.registerAt(address, length);
    // APM 16.3.2: only aligned accesses of 32 bits are defined; our choice: others read ones, or are ignored.
    if (name === undefined || cpu === undefined)
      return void out.fill(0xff, offset, offset + length);
    const value = this.of(cpu)[name];
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
    const name = this.registerAt(address, length);
    if (name === undefined || cpu === undefined || READ_ONLY.has(name)) return;
    const value = new DataView(data.buffer, data.byteOffset + offset, WORD).getUint32(0, true);
    // APM 16.4.6: a write of any value to the ESR latches the errors detected; there are none. EOI stores nothing.
    this.of(cpu)[name] = name === 'ESR' || name === 'EOI' ? 0 : value;
    if (name === 'ICR_LOW') this.send(cpu, value);
  }

  snapshot(): unknown {
    return this.registers.map((registers) => ({ ...registers }));
  }
  restore(state: unknown): void {
    this.registers = (state as Registers[]).map((registers) => ({ ...registers }));
  }

  private of(cpu: number): Registers {
    return (this.registers[cpu] ??= resetState(cpu));
  }

  private registerAt(address: Pa, length: number): RegisterName | undefined {
    const at = address - LOCAL_APIC_BASE;
    if (length !== WORD || at % WORD !== 0) return undefined;
    const name = BY_OFFSET.get(at);
    const known = UNMODELLED_BY_OFFSET.get(at);
    if (name === undefined && known !== undefined) throw new UnmodelledError(`APIC ${known}`);
    return name;
  }

  /** Sends the interrupt that a CPU has written to its ICR_LOW (APM 16.5). */
  private send(self: number, icr: number): void {
    const type = icrField(icr, 'MESSAGE_TYPE');
    const targets = this.targets(self, icr);
    if (type === MESSAGE_TYPE.STARTUP) {
      for (const cpu of targets) cpu.startup(icrField(icr, 'VECTOR'));
    } else if (type === MESSAGE_TYPE.INIT) {
      // APM 16.5: INIT level-triggered and deasserted has no effect on the processor.
      const deassert = icrField(icr, 'LEVEL_TRIGGERED') === 1 && icrField(icr, 'ASSERT') === 0;
      if (!deassert) for (const cpu of targets) cpu.init();
    } else {
      throw new UnmodelledError(`an inter-processor interrupt of type ${String(type)}`);
    }
  }

  private targets(self: number, icr: number): readonly ApicTarget[] {
    const shorthand = icrField(icr, 'SHORTHAND');
    if (shorthand === SHORTHAND.SELF) return this.cpus.filter(({ id }) => id === self);
    if (shorthand === SHORTHAND.ALL) return this.cpus;
    if (shorthand === SHORTHAND.ALL_BUT_SELF) return this.cpus.filter(({ id }) => id !== self);
    if (icrField(icr, 'LOGICAL') === 1) throw new UnmodelledError('logical APIC destinations');
    const to = this.of(self).ICR_HIGH >>> ID_SHIFT;
    return to === BROADCAST ? this.cpus : this.cpus.filter(({ id }) => id === to);
  }
}
