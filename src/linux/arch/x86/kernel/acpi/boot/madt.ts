/** arch/x86/kernel/acpi/boot.c: ACPI tables at boot, and the CPUs that the MADT lists. */
import { hex } from '../../../../../../machine/address.js';
import { EINVAL } from '../../../../../include/uapi/asm-generic/errno-base.js';
import { stateSlice } from '../../../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

/** Values that the kernel stores from the MADT. */
export interface MadtState {
  /** Ids of enabled local APICs, in the table's order. Stored one by one: those before an invalid entry stay. */
  apicIds: number[];
  /** acpi_lapic, from early_acpi_process_madt(): no entry has length 0. */
  lapic: boolean;
  /** acpi_ioapic. I/O APICs are not stored: a table with valid local APICs is assumed to have one (our choice). */
  ioapic: boolean;
  /** acpi_lapic_addr. */
  lapicAddress: number;
}

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    acpi_boot_table_init(k: Kernel): void;
    acpi_boot_init(k: Kernel): void;
    acpi_process_madt(k: Kernel): void;
  }
}

declare module '../../../../../../kernel/state.js' {
  interface KernelState {
    madt: MadtState;
  }
}
export const madtState = stateSlice(() => ({
  madt: { apicIds: [], lapic: false, ioapic: false, lapicAddress: 0 },
}));

/** struct acpi_table_madt (actbl1.h) and its entries. */
export const ACPI_TABLE_MADT = { address: 36, flags: 40, size: 44 } as const;
const SUBTABLE = { type: 0, length: 1, size: 2 } as const;
const ACPI_MADT_TYPE_LOCAL_APIC = 0;
const LOCAL_APIC = { processor_id: 2, id: 3, lapic_flags: 4, size: 8 } as const;
const ACPI_MADT_ENABLED = 1;

export const acpiBoot = bodies({
  acpi_boot_table_init: fn((k: Kernel) => {
    if (k.state.acpi.disabled) return;
    if (k.fn.acpi_table_init() !== 0) k.fn.disable_acpi();
  }),

  acpi_boot_init: fn((k: Kernel) => {
    if (!k.state.acpi.disabled) k.fn.acpi_process_madt();
  }, true),

  acpi_process_madt: inline((k: Kernel) => {
    const madt = k.fn.acpi_get_table('APIC');
    if (madt === undefined) {
      // ACPI without a MADT means one CPU and the PIC: a found MP table is ignored.
      if (k.state.mp.foundConfig) k.fn.printk('ACPI: No APIC-table, disabling MPS');
      k.state.mp.foundConfig = false;
      return;
    }
    const bytes = k.readBytes(madt.address, madt.size);
    k.fn.acpi_os_unmap_memory(madt.address, madt.size);
    k.trace.recorder.consumed('MADT', 'acpi_process_madt', bytes);
    if (bytes.length < ACPI_TABLE_MADT.size) return;
    // acpi_parse_madt() and acpi_parse_madt_lapic_entries(): cpu_has_apic
    if (k.state.params.disableApic) return;
    const view = new DataView(bytes.buffer);
    k.state.madt.lapicAddress = view.getUint32(ACPI_TABLE_MADT.address, true);
    k.fn.printk(`ACPI: Local APIC address ${hex(k.state.madt.lapicAddress)}`);
    const invalid = (what: string): void => {
      k.fn.printk(`ACPI: Error parsing ${what}`);
      k.fn.printk('ACPI: Invalid BIOS MADT, disabling ACPI');
      k.fn.disable_acpi();
    };
    // The passes for address overrides and SAPICs match none of these entries, but fail at one of length 0.
    if (parseEntries(view, () => 0) < 0) {
      invalid('LAPIC address override entry');
      return;
    }
    const { madt: state, mp, params } = k.state;
    state.lapic = true;
    const count = parseEntries(view, (at, length) => parseLapic(k, view, at, length));
    if (count < 0) invalid('LAPIC/X2APIC entries');
    // acpi_parse_madt_lapic_entries(): -ENODEV, and ACPI stays enabled.
    else if (count === 0) k.fn.printk('ACPI: No LAPIC entries present');
    else {
      k.fn.printk(`ACPI: MADT: ${String(state.apicIds.length)} CPUs`);
      // acpi_parse_madt_ioapic_entries() leaves I/O APICs alone with noapic or acpi=noirq.
      state.ioapic = !params.skipIoapicSetup && !params.acpiNoirq;
      if (state.ioapic) mp.foundConfig = true;
    }
  }),
});

/**
 * acpi_parse_entries_array() for entries of local APICs: returns their count, or a negative errno at the first entry
 * that `handler` rejects or that has length 0.
 */
function parseEntries(view: DataView, handler: (at: number, length: number) => number): number {
  const end = view.byteLength;
  let count = 0;
  for (let at: number = ACPI_TABLE_MADT.size; at + SUBTABLE.size < end;) {
    const length = view.getUint8(at + SUBTABLE.length);
    if (view.getUint8(at + SUBTABLE.type) === ACPI_MADT_TYPE_LOCAL_APIC) {
      if (handler(at, length) !== 0) return -EINVAL;
      count++;
    }
    if (length === 0) return -EINVAL;
    at += length;
  }
  return count;
}

/** acpi_parse_lapic(), with acpi_register_lapic() */
function parseLapic(k: Kernel, view: DataView, at: number, length: number): number {
  // BAD_MADT_ENTRY()
  if (at + LOCAL_APIC.size > view.byteLength || length < LOCAL_APIC.size) return -EINVAL;
  const flags = view.getUint32(at + LOCAL_APIC.lapic_flags, true);
  const id = view.getUint8(at + LOCAL_APIC.id);
  if ((flags & ACPI_MADT_ENABLED) !== 0 && k.fn.generic_processor_info(id)) {
    k.state.madt.apicIds.push(id);
  }
  return 0;
}
