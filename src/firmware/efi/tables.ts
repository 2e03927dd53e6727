/** The tables that EFI firmware publishes: system table, runtime services, configuration tables, ESRT, properties. */
import { crc32 } from '../crc32.js';
import { Struct, ucs2 } from '../struct.js';
import {
  EFI_2_60_SYSTEM_TABLE_REVISION,
  EFI_CONFIGURATION_TABLE,
  EFI_GUID,
  EFI_PROPERTIES_TABLE,
  EFI_RUNTIME_SERVICES,
  EFI_RUNTIME_SERVICES_SIGNATURE,
  EFI_SYSTEM_TABLE,
  EFI_SYSTEM_TABLE_SIGNATURE,
  EFI_TABLE_HDR,
  ESRT,
  ESRT_ENTRY,
  guid,
} from './layout.js';

/** Vendor and revision of this firmware (our choice). */
export const FIRMWARE_VENDOR = 'sme-boot';
export const FIRMWARE_REVISION = 0x0001_0000;

/** A runtime service, under its specification's name. */
export type RuntimeServiceName = Exclude<keyof typeof EFI_RUNTIME_SERVICES, 'Hdr' | 'size'>;
/** All of them, in the table's order. */
export const RUNTIME_SERVICE_NAMES = Object.keys(EFI_RUNTIME_SERVICES).filter(
  (name): name is RuntimeServiceName => name !== 'Hdr' && name !== 'size',
);

/** Writes a table's header and the CRC over the whole table, computed with the CRC field 0 (UEFI 4.2). */
function withHeader(table: Struct, signature: bigint): Uint8Array {
  table
    .u64(EFI_TABLE_HDR.Signature, signature)
    .u32(EFI_TABLE_HDR.Revision, EFI_2_60_SYSTEM_TABLE_REVISION)
    .u32(EFI_TABLE_HDR.HeaderSize, table.bytes.length)
    .u32(EFI_TABLE_HDR.CRC32, 0);
  return table.u32(EFI_TABLE_HDR.CRC32, crc32(table.bytes)).bytes;
}

/** The system table after ExitBootServices(): pointers to consoles and boot services are 0 (UEFI 7.4). */
export function systemTable(at: {
  vendor: number;
  runtimeServices: number;
  configuration: number;
  configurationCount: number;
}): Uint8Array {
  const table = new Struct(EFI_SYSTEM_TABLE.size)
    .u64(EFI_SYSTEM_TABLE.FirmwareVendor, at.vendor)
    .u32(EFI_SYSTEM_TABLE.FirmwareRevision, FIRMWARE_REVISION)
    .u64(EFI_SYSTEM_TABLE.RuntimeServices, at.runtimeServices)
    .u64(EFI_SYSTEM_TABLE.NumberOfTableEntries, at.configurationCount)
    .u64(EFI_SYSTEM_TABLE.ConfigurationTable, at.configuration);
  return withHeader(table, EFI_SYSTEM_TABLE_SIGNATURE);
}

/** The runtime services table with each service's physical address. */
export function runtimeServicesTable(
  entry: Readonly<Record<RuntimeServiceName, number>>,
): Uint8Array {
  const table = new Struct(EFI_RUNTIME_SERVICES.size);
  for (const name of RUNTIME_SERVICE_NAMES) table.u64(EFI_RUNTIME_SERVICES[name], entry[name]);
  return withHeader(table, EFI_RUNTIME_SERVICES_SIGNATURE);
}

/** The vendor's name, UCS-2 with a NUL. */
export function firmwareVendor(): Uint8Array {
  return ucs2(FIRMWARE_VENDOR);
}

/** The configuration tables, in order. */
export function configurationTables(
  tables: readonly { readonly guid: keyof typeof EFI_GUID; readonly at: number }[],
): Uint8Array {
  const array = new Struct(tables.length * EFI_CONFIGURATION_TABLE.size);
  for (const [index, table] of tables.entries()) {
    const at = index * EFI_CONFIGURATION_TABLE.size;
    array
      .put(at + EFI_CONFIGURATION_TABLE.VendorGuid, EFI_GUID[table.guid])
      .u64(at + EFI_CONFIGURATION_TABLE.VendorTable, table.at);
  }
  return array.bytes;
}

const ESRT_VERSION = 1;
/** Firmware that can be updated (our choice): the system firmware and a device's. FwType as in UEFI table 155. */
const RESOURCES = [
  { class: 'c0f3ea21-8d1c-4a3e-9d11-6c5d2f9be001', type: 1, version: 0x0001_0000 },
  { class: '5b7d1f64-0f0e-4e57-bb0a-1f0d6a4ce002', type: 2, version: 0x0000_0203 },
] as const;

/** The system resource table with its entries (UEFI 22.3). */
export function esrt(): Uint8Array {
  const table = new Struct(ESRT.Entries + RESOURCES.length * ESRT_ENTRY.size)
    .u32(ESRT.FwResourceCount, RESOURCES.length)
    .u32(ESRT.FwResourceCountMax, RESOURCES.length)
    .u64(ESRT.FwResourceVersion, ESRT_VERSION);
  for (const [index, resource] of RESOURCES.entries()) {
    const at = ESRT.Entries + index * ESRT_ENTRY.size;
    table
      .put(at + ESRT_ENTRY.FwClass, guid(resource.class))
      .u32(at + ESRT_ENTRY.FwType, resource.type)
      .u32(at + ESRT_ENTRY.FwVersion, resource.version)
      .u32(at + ESRT_ENTRY.LowestSupportedFwVersion, resource.version)
      .u32(at + ESRT_ENTRY.LastAttemptVersion, resource.version);
  }
  return table.bytes;
}

const PROPERTIES_VERSION = 0x0001_0000;
/** Runtime code and data have separate descriptors (UEFI 4.6.2). */
export const EFI_PROPERTIES_RUNTIME_MEMORY_PROTECTION_NON_EXECUTABLE_PE_DATA = 1n;

export function propertiesTable(): Uint8Array {
  return new Struct(EFI_PROPERTIES_TABLE.size)
    .u32(EFI_PROPERTIES_TABLE.Version, PROPERTIES_VERSION)
    .u32(EFI_PROPERTIES_TABLE.Length, EFI_PROPERTIES_TABLE.size)
    .u64(
      EFI_PROPERTIES_TABLE.MemoryProtectionAttribute,
      EFI_PROPERTIES_RUNTIME_MEMORY_PROTECTION_NON_EXECUTABLE_PE_DATA,
    ).bytes;
}
