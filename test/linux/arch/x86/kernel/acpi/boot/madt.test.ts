/** ACPI at boot: the RSDP from EFI or from a scan, the tables that it points to, the CPUs of the MADT. */
import { describe, expect, test } from '@jest/globals';
import { MADT, MADT_LOCAL_APIC, RSDP, SDT } from '../../../../../../../src/firmware/acpi/layout.js';
import { ACPI_TABLE_MADT } from '../../../../../../../src/linux/arch/x86/kernel/acpi/boot/madt.js';
import {
  ACPI_TABLE_HEADER,
  ACPI_TABLE_RSDP,
} from '../../../../../../../src/linux/drivers/acpi/acpica/tbutils.js';
import { pa } from '../../../../../../../src/machine/address.js';
import type { Boot } from '../../../../../../../src/sequencer/boot.js';
import { firstOf } from '../../../../../../cases.js';
import { boot, scenario } from '../../../../../../helpers.js';
import { efiBoot, freshEfiBoot, intactSoFar } from '../../../platform/efi/efi-boots.js';

const LABEL = 'acpi_boot_table_init';
const TABLES = ['RSDP', 'XSDT', 'FADT', 'MADT'] as const;
const bios = (stage: number): Boot =>
  boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB', 'machine.cpus=2'), stage });
const base = (subject: Boot, name: string): number =>
  subject.loaded.blobs.find((each) => each.name === name)?.base ?? 0;

test('the kernel’s structures have the specification’s offsets', () => {
  expect(ACPI_TABLE_RSDP).toMatchObject({
    checksum: RSDP.Checksum,
    oem_id: RSDP.OEMID,
    revision: RSDP.Revision,
    rsdt_physical_address: RSDP.RsdtAddress,
    length: RSDP.Length,
    xsdt_physical_address: RSDP.XsdtAddress,
    extended_checksum: RSDP.ExtendedChecksum,
    size: RSDP.size,
  });
  expect(ACPI_TABLE_HEADER).toMatchObject({
    length: SDT.Length,
    revision: SDT.Revision,
    oem_id: SDT.OEMID,
    oem_table_id: SDT.OEMTableID,
    size: SDT.size,
  });
  expect(ACPI_TABLE_MADT).toEqual({
    address: MADT.LocalAPICAddress,
    flags: MADT.Flags,
    size: MADT.size,
  });
});

describe.each([
  ['EFI', (stage: number) => efiBoot('x86_dtb_init', stage)],
  [
    'a BIOS',
    (stage: number) => {
      const subject = bios(stage);
      subject.runTo(LABEL);
      return subject;
    },
  ],
] as const)('on %s', (_firmware, make) => {
  // Early mappings of ACPI tables have I/O attributes: without the C-bit at every stage.
  test.each(firstOf(1, [9, 18]))('the tables are intact at stage %i', (stage) => {
    const subject = make(stage);
    for (const name of TABLES) expect([name, intactSoFar(subject, name)]).toEqual([name, true]);
    const { cpus } = subject.options.scenario.machine;
    expect(subject.kernel.state.madt.apicIds).toHaveLength(cpus);
    expect(subject.kernel.state.acpi.tables).toMatchObject({
      APIC: { address: base(subject, 'MADT') },
    });
  });
});

describe('the MADT', () => {
  const changed = (offset: number, byte: number): Boot => {
    const subject = freshEfiBoot(9);
    const at = base(subject, 'MADT') + ACPI_TABLE_MADT.size + offset;
    subject.machine.dmaWrite(pa(at), Uint8Array.of(byte));
    subject.runTo(LABEL);
    return subject;
  };

  test('does not count a CPU that is not enabled', () => {
    const subject = changed(MADT_LOCAL_APIC.Flags, 0);
    expect(subject.kernel.state.madt.apicIds).toHaveLength(3);
  });

  test.each([0, 7])('with an entry of %i bytes disables ACPI', (length) => {
    const subject = changed(1, length);
    expect(subject.kernel.state.acpi.disabled).toBe(true);
    expect(subject.kernel.state.madt.apicIds).toEqual([]);
  });
});

describe('a wrong entry of the MADT', () => {
  const THIRD = ACPI_TABLE_MADT.size + 2 * MADT_LOCAL_APIC.size;
  const changed = (offset: number, bytes: Uint8Array): Boot => {
    const subject = freshEfiBoot(9);
    subject.machine.dmaWrite(pa(base(subject, 'MADT') + offset), bytes);
    subject.runTo(LABEL);
    return subject;
  };

  // acpi_register_lapic() is called entry by entry, so that two CPUs are registered already.
  test('that ends beyond the table disables ACPI, and the CPUs before it stay registered', () => {
    const length = THIRD + MADT_LOCAL_APIC.size - 1;
    const { state } = changed(ACPI_TABLE_HEADER.length, Uint8Array.of(length, 0, 0, 0)).kernel;
    expect(state.acpi.disabled).toBe(true);
    expect(state.madt).toMatchObject({ apicIds: [0, 1], lapic: true, ioapic: false });
  });

  test('of length 0 disables ACPI before any CPU is registered', () => {
    const { state } = changed(THIRD + 1, Uint8Array.of(0)).kernel;
    expect(state.acpi.disabled).toBe(true);
    expect(state.madt).toMatchObject({ apicIds: [], lapic: false, ioapic: false });
  });
});

describe('without an RSDP', () => {
  test('ACPI is disabled', () => {
    const subject = bios(9);
    subject.machine.dmaWrite(pa(base(subject, 'RSDP')), Uint8Array.of(0));
    subject.runTo(LABEL);
    expect(subject.kernel.state.acpi).toMatchObject({ disabled: true, tables: {} });
  });

  // Without the EFI tables the kernel scans the BIOS area, which has no RSDP.
  test('a kernel that could not read the EFI tables disables ACPI and registers no CPU', () => {
    const subject = efiBoot('efi_late_init', 9, true);
    expect(subject.kernel.state.acpi.disabled).toBe(true);
    expect(subject.kernel.state.madt.apicIds).toEqual([]);
  });
});
