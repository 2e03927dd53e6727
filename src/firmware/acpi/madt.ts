/** MADT: the local APIC of every CPU and the I/O APIC. */
import { concat } from '../../base/bytes.js';
import { Struct } from '../struct.js';
import { SCI_INT } from './fadt.js';
import {
  MADT,
  MADT_INTERRUPT_OVERRIDE,
  MADT_IO_APIC,
  MADT_LOCAL_APIC,
  MADT_LOCAL_APIC_NMI,
} from './layout.js';
import { sdt, summed } from './sdt.js';

export const LOCAL_APIC_ADDRESS = 0xfee0_0000;
export const IO_APIC_ADDRESS = 0xfec0_0000;
/** APIC id of the I/O APIC: above the CPUs' (our choice). */
export const IO_APIC_ID = 0x80;

const REVISION = 3;
/** The machine has 8259s as well. */
const PCAT_COMPAT = 1;
const ENABLED = 1;
const ALL_PROCESSORS = 0xff;
const LINT_NMI = 1;
const PIT_IRQ = 0;
const PIT_GSI = 2;
/** MPS INTI flags: conforming to the bus; active low and level (ACPI table 5-50). */
const CONFORMING = 0;
const LOW_LEVEL = 0xf;
const ACTIVE_HIGH_EDGE = 0x5;

interface Kind {
  readonly type: number;
  readonly size: number;
}
const entry = ({ type, size }: Kind): Struct => new Struct(size).u8(0, type).u8(1, size);

/** @param cpus number of CPUs; their APIC ids count from 0. */
export function madt(cpus: number): Uint8Array {
  const override = (source: number, gsi: number, flags: number): Struct =>
    entry(MADT_INTERRUPT_OVERRIDE)
      .u8(MADT_INTERRUPT_OVERRIDE.Source, source)
      .u32(MADT_INTERRUPT_OVERRIDE.GlobalSystemInterrupt, gsi)
      .u16(MADT_INTERRUPT_OVERRIDE.Flags, flags);
  const entries = concat(
    [
      ...Array.from({ length: cpus }, (_, id) =>
        entry(MADT_LOCAL_APIC)
          .u8(MADT_LOCAL_APIC.ACPIProcessorID, id)
          .u8(MADT_LOCAL_APIC.APICID, id)
          .u32(MADT_LOCAL_APIC.Flags, ENABLED),
      ),
      entry(MADT_IO_APIC)
        .u8(MADT_IO_APIC.IOAPICID, IO_APIC_ID)
        .u32(MADT_IO_APIC.IOAPICAddress, IO_APIC_ADDRESS),
      override(PIT_IRQ, PIT_GSI, CONFORMING),
      override(SCI_INT, SCI_INT, LOW_LEVEL),
      entry(MADT_LOCAL_APIC_NMI)
        .u8(MADT_LOCAL_APIC_NMI.ACPIProcessorID, ALL_PROCESSORS)
        .u16(MADT_LOCAL_APIC_NMI.Flags, ACTIVE_HIGH_EDGE)
        .u8(MADT_LOCAL_APIC_NMI.LINT, LINT_NMI),
    ].map((struct) => struct.bytes),
  );
  return summed(
    sdt('APIC', REVISION, MADT.size + entries.length)
      .u32(MADT.LocalAPICAddress, LOCAL_APIC_ADDRESS)
      .u32(MADT.Flags, PCAT_COMPAT)
      .put(MADT.size, entries),
  );
}
