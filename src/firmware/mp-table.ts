/** The MP floating pointer and configuration table (Intel MultiProcessor Specification 1.4). */
import { concat } from '../base/bytes.js';
import { IO_APIC_ADDRESS, IO_APIC_ID, LOCAL_APIC_ADDRESS } from './acpi/madt.js';
import { Struct } from './struct.js';

/** MP Floating Pointer Structure (MP 4.1). */
export const MP_FLOATING = {
  Signature: 0,
  PhysicalAddressPointer: 4,
  Length: 8,
  SpecRev: 9,
  Checksum: 10,
  Feature1: 11,
  Feature2: 12,
  size: 16,
} as const;
/** MP Configuration Table Header (MP 4.2). */
export const MP_CONFIG = {
  Signature: 0,
  BaseTableLength: 4,
  SpecRev: 6,
  Checksum: 7,
  OEMID: 8,
  ProductID: 16,
  EntryCount: 34,
  LocalAPICAddress: 36,
  size: 44,
} as const;
/** Entries (MP 4.3). */
export const MP_PROCESSOR = {
  type: 0,
  LocalAPICID: 1,
  LocalAPICVersion: 2,
  CPUFlags: 3,
  CPUSignature: 4,
  FeatureFlags: 8,
  size: 20,
} as const;
export const MP_BUS = { type: 1, BusID: 1, BusType: 2, size: 8 } as const;
export const MP_IO_APIC = { type: 2, ID: 1, Version: 2, Flags: 3, Address: 4, size: 8 } as const;
export const MP_INTERRUPT = {
  io: 3,
  local: 4,
  InterruptType: 1,
  Flags: 2,
  SourceBusID: 4,
  SourceBusIRQ: 5,
  DestinationAPICID: 6,
  DestinationINTIN: 7,
  size: 8,
} as const;

const SPEC_REV_14 = 4;
const CPU_FLAGS = { EN: 1, BP: 2 } as const;
/** A local APIC that is integrated, and an I/O APIC with 24 inputs (MP tables 4-4, 4-9). */
const APIC_VERSION = 0x10;
const IO_APIC_VERSION = 0x21;
const ENABLED = 1;
/** FPU and APIC on the chip (MP table 4-6). */
const FEATURES = 0x201;
const INT = { INT: 0, NMI: 1, EXT_INT: 3 } as const;
const ALL_APICS = 0xff;
const ISA_BUS = 0;
const ISA_IRQS = 16;
const PIT = { irq: 0, input: 2 } as const;
const LINT = { ext: 0, nmi: 1 } as const;

/** @param signature CPUID Fn1 EAX without its reserved bits. */
export function mpConfig(cpus: number, signature: number): Uint8Array {
  const interrupt = (kind: 'io' | 'local', type: number, irq: number, to: number, pin: number) =>
    new Struct(MP_INTERRUPT.size)
      .u8(0, MP_INTERRUPT[kind])
      .u8(MP_INTERRUPT.InterruptType, type)
      .u8(MP_INTERRUPT.SourceBusID, ISA_BUS)
      .u8(MP_INTERRUPT.SourceBusIRQ, irq)
      .u8(MP_INTERRUPT.DestinationAPICID, to)
      .u8(MP_INTERRUPT.DestinationINTIN, pin);
  const entries = [
    ...Array.from({ length: cpus }, (_, id) =>
      new Struct(MP_PROCESSOR.size)
        .u8(0, MP_PROCESSOR.type)
        .u8(MP_PROCESSOR.LocalAPICID, id)
        .u8(MP_PROCESSOR.LocalAPICVersion, APIC_VERSION)
        .u8(MP_PROCESSOR.CPUFlags, CPU_FLAGS.EN | (id === 0 ? CPU_FLAGS.BP : 0))
        .u32(MP_PROCESSOR.CPUSignature, signature)
        .u32(MP_PROCESSOR.FeatureFlags, FEATURES),
    ),
    new Struct(MP_BUS.size)
      .u8(0, MP_BUS.type)
      .u8(MP_BUS.BusID, ISA_BUS)
      .ascii(MP_BUS.BusType, 'ISA   '),
    new Struct(MP_IO_APIC.size)
      .u8(0, MP_IO_APIC.type)
      .u8(MP_IO_APIC.ID, IO_APIC_ID)
      .u8(MP_IO_APIC.Version, IO_APIC_VERSION)
      .u8(MP_IO_APIC.Flags, ENABLED)
      .u32(MP_IO_APIC.Address, IO_APIC_ADDRESS),
    // IRQ 2 is the cascade of the 8259s: its input is the timer's.
    ...Array.from({ length: ISA_IRQS }, (_, irq) => irq)
      .filter((irq) => irq !== PIT.input)
      .map((irq) => interrupt('io', INT.INT, irq, IO_APIC_ID, irq === PIT.irq ? PIT.input : irq)),
    interrupt('local', INT.EXT_INT, 0, ALL_APICS, LINT.ext),
    interrupt('local', INT.NMI, 0, ALL_APICS, LINT.nmi),
  ];
  const body = concat(entries.map(({ bytes }) => bytes));
  const size = MP_CONFIG.size + body.length;
  return new Struct(size)
    .ascii(MP_CONFIG.Signature, 'PCMP')
    .u16(MP_CONFIG.BaseTableLength, size)
    .u8(MP_CONFIG.SpecRev, SPEC_REV_14)
    .ascii(MP_CONFIG.OEMID, 'SME-BOOT')
    .ascii(MP_CONFIG.ProductID, 'SIMULATED   ')
    .u16(MP_CONFIG.EntryCount, entries.length)
    .u32(MP_CONFIG.LocalAPICAddress, LOCAL_APIC_ADDRESS)
    .put(MP_CONFIG.size, body)
    .sum(MP_CONFIG.Checksum, 0, size).bytes;
}

/** The floating pointer, to be placed at a multiple of 16. */
export function mpFloating(configAt: number): Uint8Array {
  return new Struct(MP_FLOATING.size)
    .ascii(MP_FLOATING.Signature, '_MP_')
    .u32(MP_FLOATING.PhysicalAddressPointer, configAt)
    .u8(MP_FLOATING.Length, 1)
    .u8(MP_FLOATING.SpecRev, SPEC_REV_14)
    .sum(MP_FLOATING.Checksum, 0, MP_FLOATING.size).bytes;
}
