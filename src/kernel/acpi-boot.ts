/** arch/x86/kernel/acpi/boot.c and drivers/acpi/tables.c: ACPI tables at boot, and the CPUs that the MADT lists. */
import { hex } from '../machine/address.js';
import { EINVAL } from './errno.js';
import { fn, inline, kernelFile } from './table.js';
import type { Kernel } from './kernel.js';

/** What the MADT said. */
export interface MadtState {
  /** Local APICs that are enabled, in the table's order. */
  apicIds: number[];
  /** acpi_lapic_addr. */
  lapicAddress: number;
}

declare module './table.js' {
  interface Entries {
    acpi_boot_table_init(k: Kernel): void;
    /** 0 or a negative errno. */
    acpi_table_init(k: Kernel): number;
    acpi_boot_init(k: Kernel): void;
    acpi_process_madt(k: Kernel): void;
    acpi_early_init(k: Kernel): void;
    disable_acpi(k: Kernel): void;
  }
}

/** struct acpi_table_madt (actbl1.h) and its entries. */
export const ACPI_TABLE_MADT = { address: 36, flags: 40, size: 44 } as const;
const SUBTABLE = { type: 0, length: 1, size: 2 } as const;
const ACPI_MADT_TYPE_LOCAL_APIC = 0;
const LOCAL_APIC = { processor_id: 2, id: 3, lapic_flags: 4, size: 8 } as const;
const ACPI_MADT_ENABLED = 1;

export const acpiBoot = kernelFile('arch/x86/kernel/acpi/boot.c', {
  disable_acpi: inline((k: Kernel) => {
    k.state.acpi.disabled = true;
    k.state.params.acpiNoirq = true;
  }),

  acpi_table_init: inline((k: Kernel) => {
    const rsdp = k.fn.acpi_os_get_root_pointer();
    return rsdp !== 0 && k.fn.acpi_tb_parse_root_table(rsdp) ? 0 : -EINVAL;
  }),

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
      // ACPI without a MADT wants one CPU and the PIC: an MP table that was found is forgotten.
      if (k.state.mp.foundConfig) k.say.console('ACPI: No APIC-table, disabling MPS');
      k.state.mp.foundConfig = false;
      return;
    }
    const bytes = k.readBytes(madt.address, madt.size);
    k.fn.acpi_os_unmap_memory(madt.address, madt.size);
    k.say.recorder.consumed('MADT', 'acpi_process_madt', bytes);
    if (bytes.length < ACPI_TABLE_MADT.size) return;
    // acpi_parse_madt() and acpi_parse_madt_lapic_entries(): cpu_has_apic
    if (k.state.params.disableApic) return;
    const view = new DataView(bytes.buffer);
    k.state.madt.lapicAddress = view.getUint32(ACPI_TABLE_MADT.address, true);
    k.say.console(`ACPI: Local APIC address ${hex(k.state.madt.lapicAddress)}`);
    const ids = lapics(view);
    if (ids === undefined) {
      k.say.console('ACPI: Error parsing LAPIC/X2APIC entries');
      k.say.console('ACPI: Invalid BIOS MADT, disabling ACPI');
      k.fn.disable_acpi();
      return;
    }
    if (ids.length === 0) k.say.console('ACPI: No LAPIC entries present');
    else {
      k.say.console(`ACPI: MADT: ${String(ids.length)} CPUs`);
      k.state.mp.foundConfig = true;
    }
    // acpi_register_lapic()
    for (const id of ids) if (k.fn.generic_processor_info(id)) k.state.madt.apicIds.push(id);
  }),
});

/** acpi_parse_entries_array() with acpi_parse_lapic(): undefined for an entry that cannot be. */
function lapics(view: DataView): number[] | undefined {
  const end = view.byteLength;
  const ids: number[] = [];
  for (let at: number = ACPI_TABLE_MADT.size; at + SUBTABLE.size < end;) {
    const length = view.getUint8(at + SUBTABLE.length);
    if (view.getUint8(at + SUBTABLE.type) === ACPI_MADT_TYPE_LOCAL_APIC) {
      // BAD_MADT_ENTRY()
      if (at + LOCAL_APIC.size > end || length < LOCAL_APIC.size) return undefined;
      const flags = view.getUint32(at + LOCAL_APIC.lapic_flags, true);
      if ((flags & ACPI_MADT_ENABLED) !== 0) ids.push(view.getUint8(at + LOCAL_APIC.id));
    }
    if (length === 0) return undefined;
    at += length;
  }
  return ids;
}

export const acpiBus = kernelFile('drivers/acpi/bus.c', {
  acpi_early_init: fn((k: Kernel) => {
    if (!k.state.acpi.disabled) k.state.acpi.permanent_mmap = true;
  }, true),
});
