/** drivers/firmware/efi/efi.c: the configuration tables, and address look-up in the memory map. */
import { startsWith } from '../../../../../base/bytes.js';
import { hex, va, type Va } from '../../../../../machine/address.js';
import {
  EFI_CONFIGURATION_TABLE,
  EFI_GUID,
  EFI_MEMORY,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_TYPE,
  EFI_PROPERTIES_TABLE,
  guid,
} from '../../../../../firmware/efi/layout.js';
import { descSize, set_bit, type EfiMemoryDesc } from '../../../../include/linux/efi/memmap.js';
import type { EfiTable } from '../../../../include/linux/efi/types.js';
import { EINVAL, ENOENT, ENOMEM } from '../../../../include/uapi/asm-generic/errno-base.js';
import type { EarlyMap } from '../../../../arch/x86/platform/efi/efi/early.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Each returns 0 or a negative errno. */
    efi_config_init(k: Kernel): number;
    'efi_config_init:memremap': EarlyMap;
    efi_config_parse_tables(k: Kernel, tables: Va, count: number): number;
    /** Maps the properties table. */
    'efi_config_parse_tables:memremap': EarlyMap;
    /** The descriptor that holds an address; a negative errno where there is none. */
    efi_mem_desc_lookup(k: Kernel, phys: number): EfiMemoryDesc | number;
    'efi_mem_desc_lookup:memremap': EarlyMap;
  }
}

/** include/linux/efi.h: the table of ACPI 1.0. */
const ACPI_TABLE_GUID = guid('eb9d2d30-2d88-11d3-9a16-0090273fc14d');

/** The entries of common_tables that the model's firmware has: GUID, name, member of struct efi. */
const common_tables: readonly (readonly [Uint8Array, string, EfiTable])[] = [
  [EFI_GUID.ACPI_20_TABLE, 'ACPI 2.0', 'acpi20'],
  [ACPI_TABLE_GUID, 'ACPI', 'acpi'],
  [EFI_GUID.SMBIOS_TABLE, 'SMBIOS', 'smbios'],
  [EFI_GUID.SMBIOS3_TABLE, 'SMBIOS 3.0', 'smbios3'],
  [EFI_GUID.ESRT, 'ESRT', 'esrt'],
  [EFI_GUID.PROPERTIES_TABLE, 'PROP', 'properties_table'],
];

/** EFI_PROPERTIES_RUNTIME_MEMORY_PROTECTION_NON_EXECUTABLE_PE_DATA (UEFI 4.6.2). */
const NON_EXECUTABLE_PE_DATA = 1n;

const early_memremap: EarlyMap = (k, phys, size) => k.fn.early_memremap(phys, size);

export const efiFirmware = bodies({
  'efi_config_init:memremap': inline(early_memremap),
  efi_config_init: fn((k: Kernel) => {
    const { systab } = k.state.efi;
    if (systab === null) return -EINVAL;
    const size = systab.nr_tables * EFI_CONFIGURATION_TABLE.size;
    const tables = k.fn['efi_config_init:memremap'](Number(systab.tables), size);
    if (tables === 0) {
      k.fn.printk('efi: Could not map Configuration table!');
      return -ENOMEM;
    }
    const ret = k.fn.efi_config_parse_tables(tables, systab.nr_tables);
    k.fn.early_memunmap(tables, size);
    return ret;
  }),

  'efi_config_parse_tables:memremap': inline(early_memremap),
  efi_config_parse_tables: inline((k: Kernel, tables: Va, count: number) => {
    const bytes = k.readBytes(tables, count * EFI_CONFIGURATION_TABLE.size);
    k.trace.recorder.consumed('EFI configuration tables', 'efi_config_parse_tables', bytes);
    const view = new DataView(bytes.buffer);
    const found: string[] = [];
    for (let i = 0; i < count; i++) {
      const at = i * EFI_CONFIGURATION_TABLE.size;
      const guid = bytes.subarray(at, at + EFI_CONFIGURATION_TABLE.VendorTable);
      const known = common_tables.find(([each]) => startsWith(guid, each));
      if (known === undefined) continue;
      const [, name, member] = known;
      const address = Number(view.getBigUint64(at + EFI_CONFIGURATION_TABLE.VendorTable, true));
      k.state.efi.tables[member] = address;
      found.push(`${name}=${hex(address)}`);
    }
    k.fn.printk(`efi: ${found.join('  ')}`);
    set_bit(k, 'EFI_CONFIG_TABLES');
    return propertiesTable(k);
  }),

  'efi_mem_desc_lookup:memremap': inline(early_memremap),
  efi_mem_desc_lookup: fn((k: Kernel, phys: number) => {
    const { phys_map, nr_map, desc_size } = k.state.efi.memmap;
    if (!k.fn.efi_enabled('EFI_MEMMAP')) {
      k.fn.printk('efi: EFI_MEMMAP is not enabled.');
      return -EINVAL;
    }
    if (phys_map === 0 || nr_map === 0 || desc_size === 0) return -EINVAL;
    for (let p = phys_map; p < phys_map + nr_map * desc_size; p += desc_size) {
      // Each descriptor is mapped separately: late callers have no mapped memory map.
      const at = k.fn['efi_mem_desc_lookup:memremap'](p, EFI_MEMORY_DESCRIPTOR.size);
      if (at === 0) {
        k.fn.printk(`efi: early_memremap(${hex(p)}, ${String(desc_size)}) failed.`);
        return -ENOMEM;
      }
      const md = k.fn.efi_memory_desc(at);
      k.fn.early_memunmap(at, EFI_MEMORY_DESCRIPTOR.size);
      const holds =
        (md.attribute & EFI_MEMORY.RUNTIME) !== 0n ||
        md.type === EFI_MEMORY_TYPE.BOOT_SERVICES_DATA ||
        md.type === EFI_MEMORY_TYPE.RUNTIME_SERVICES_DATA;
      if (!holds) continue;
      if (phys >= md.phys_addr && phys < md.phys_addr + descSize(md)) return md;
    }
    k.fn.printk('efi: requested map not found.');
    return -ENOENT;
  }, true),
});

/** Reads the properties table through early_memremap(), a call that patch 10 does not change. */
function propertiesTable(k: Kernel): number {
  const phys = k.state.efi.tables.properties_table;
  if (phys === undefined) return 0;
  const at = k.fn['efi_config_parse_tables:memremap'](phys, EFI_PROPERTIES_TABLE.size);
  if (at === 0) {
    k.fn.printk('efi: Could not map Properties table!');
    return -ENOMEM;
  }
  const offset = EFI_PROPERTIES_TABLE.MemoryProtectionAttribute;
  const bytes = k.readBytes(va(at + offset), 8);
  k.trace.recorder.consumedPart('properties table', 'efi_config_parse_tables', offset, bytes);
  const attribute = new DataView(bytes.buffer).getBigUint64(0, true);
  if ((attribute & NON_EXECUTABLE_PE_DATA) !== 0n) set_bit(k, 'EFI_NX_PE_DATA');
  k.fn.early_memunmap(at, EFI_PROPERTIES_TABLE.size);
  return 0;
}
