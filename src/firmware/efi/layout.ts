/**
 * Layouts of EFI firmware's tables in memory, by the UEFI specification (2.6) and the kernel's structures
 * (include/linux/efi.h). All values are little-endian; offsets are in bytes.
 */

/** EFI_TABLE_HEADER (UEFI 4.2). */
export const EFI_TABLE_HDR = {
  Signature: 0,
  Revision: 8,
  HeaderSize: 12,
  CRC32: 16,
  Reserved: 20,
  size: 24,
} as const;

/** EFI_SYSTEM_TABLE (UEFI 4.3), 64-bit. */
export const EFI_SYSTEM_TABLE = {
  Hdr: 0x00,
  FirmwareVendor: 0x18,
  FirmwareRevision: 0x20,
  ConsoleInHandle: 0x28,
  ConIn: 0x30,
  ConsoleOutHandle: 0x38,
  ConOut: 0x40,
  StandardErrorHandle: 0x48,
  StdErr: 0x50,
  RuntimeServices: 0x58,
  BootServices: 0x60,
  NumberOfTableEntries: 0x68,
  ConfigurationTable: 0x70,
  size: 0x78,
} as const;
export const EFI_SYSTEM_TABLE_SIGNATURE = 0x5453_5953_2049_4249n;
export const EFI_2_60_SYSTEM_TABLE_REVISION = 0x0002_003c;

/** EFI_RUNTIME_SERVICES (UEFI 4.5), 64-bit. */
export const EFI_RUNTIME_SERVICES = {
  Hdr: 0x00,
  GetTime: 0x18,
  SetTime: 0x20,
  GetWakeupTime: 0x28,
  SetWakeupTime: 0x30,
  SetVirtualAddressMap: 0x38,
  ConvertPointer: 0x40,
  GetVariable: 0x48,
  GetNextVariableName: 0x50,
  SetVariable: 0x58,
  GetNextHighMonotonicCount: 0x60,
  ResetSystem: 0x68,
  UpdateCapsule: 0x70,
  QueryCapsuleCapabilities: 0x78,
  QueryVariableInfo: 0x80,
  size: 0x88,
} as const;
export const EFI_RUNTIME_SERVICES_SIGNATURE = 0x5652_4553_544e_5552n;

/** EFI_CONFIGURATION_TABLE (UEFI 4.6), 64-bit. */
export const EFI_CONFIGURATION_TABLE = { VendorGuid: 0, VendorTable: 16, size: 24 } as const;

/** EFI_MEMORY_DESCRIPTOR (UEFI 7.2); the firmware's stride is larger than `size`. */
export const EFI_MEMORY_DESCRIPTOR = {
  Type: 0,
  PhysicalStart: 8,
  VirtualStart: 16,
  NumberOfPages: 24,
  Attribute: 32,
  size: 40,
} as const;
export const EFI_MEMORY_DESCRIPTOR_VERSION = 1;
/** Distance between descriptors in this firmware's map (our choice; 48 is common). */
export const EFI_MEMORY_DESCRIPTOR_STRIDE = 48;

/** EFI_MEMORY_TYPE (UEFI 7.2). */
export const EFI_MEMORY_TYPE = {
  RESERVED_TYPE: 0,
  LOADER_CODE: 1,
  LOADER_DATA: 2,
  BOOT_SERVICES_CODE: 3,
  BOOT_SERVICES_DATA: 4,
  RUNTIME_SERVICES_CODE: 5,
  RUNTIME_SERVICES_DATA: 6,
  CONVENTIONAL_MEMORY: 7,
  UNUSABLE_MEMORY: 8,
  ACPI_RECLAIM_MEMORY: 9,
  ACPI_MEMORY_NVS: 10,
  MEMORY_MAPPED_IO: 11,
  MEMORY_MAPPED_IO_PORT_SPACE: 12,
  PAL_CODE: 13,
  PERSISTENT_MEMORY: 14,
} as const;

/** Attributes of a memory descriptor (UEFI 7.2). */
export const EFI_MEMORY = {
  UC: 1n << 0n,
  WC: 1n << 1n,
  WT: 1n << 2n,
  WB: 1n << 3n,
  UCE: 1n << 4n,
  WP: 1n << 12n,
  RP: 1n << 13n,
  XP: 1n << 14n,
  NV: 1n << 15n,
  MORE_RELIABLE: 1n << 16n,
  RO: 1n << 17n,
  RUNTIME: 1n << 63n,
} as const;

/** GUIDs of configuration tables as 16 bytes in memory order (include/linux/efi.h). */
export const EFI_GUID = {
  ACPI_20_TABLE: guid('8868e871-e4f1-11d3-bc22-0080c73c8881'),
  SMBIOS_TABLE: guid('eb9d2d31-2d88-11d3-9a16-0090273fc14d'),
  SMBIOS3_TABLE: guid('f2fd1544-9794-4a2c-992e-e5bbcf20e394'),
  ESRT: guid('b122a263-3661-4f68-9929-78f8b0d62180'),
  PROPERTIES_TABLE: guid('880aaca3-4adc-4a04-9079-b747340825e5'),
} as const;

/** The 16 bytes of a GUID in memory: its first three fields are little-endian (UEFI appendix A). */
export function guid(text: string): Uint8Array {
  const hex = text.replaceAll('-', '');
  const bytes = Uint8Array.from({ length: 16 }, (_, i) =>
    parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Uint8Array.from(order, (from) => bytes[from] ?? 0);
}

/** EFI_SYSTEM_RESOURCE_TABLE and its entries (UEFI 22.3). */
export const ESRT = {
  FwResourceCount: 0,
  FwResourceCountMax: 4,
  FwResourceVersion: 8,
  Entries: 16,
} as const;
export const ESRT_ENTRY = {
  FwClass: 0,
  FwType: 16,
  FwVersion: 20,
  LowestSupportedFwVersion: 24,
  CapsuleFlags: 28,
  LastAttemptVersion: 32,
  LastAttemptStatus: 36,
  size: 40,
} as const;

/** EFI_PROPERTIES_TABLE (UEFI 4.6.2). */
export const EFI_PROPERTIES_TABLE = {
  Version: 0,
  Length: 4,
  MemoryProtectionAttribute: 8,
  size: 16,
} as const;

/** struct efi_info of the zero page, at BOOT_PARAMS.efi_info (bootparam.h). */
export const EFI_INFO = {
  efi_loader_signature: 0,
  efi_systab: 4,
  efi_memdesc_size: 8,
  efi_memdesc_version: 12,
  efi_memmap: 16,
  efi_memmap_size: 20,
  efi_systab_hi: 24,
  efi_memmap_hi: 28,
  size: 32,
} as const;
/** "EL64" as a word in memory. */
export const EFI64_LOADER_SIGNATURE = 0x3436_4c45;

/** struct setup_data (bootparam.h). */
export const SETUP_DATA = { next: 0, type: 8, len: 12, data: 16 } as const;
export const SETUP_TYPE = { E820_EXT: 1, DTB: 2, PCI: 3, EFI: 4 } as const;

/** struct efi_setup_data (asm/efi.h), the data of a node of type SETUP_EFI: the system table's original addresses. */
export const EFI_SETUP_DATA = {
  fw_vendor: 0,
  runtime: 8,
  tables: 16,
  smbios: 24,
  reserved: 32,
  size: 96,
} as const;

/** EFI_GLOBAL_VARIABLE, the GUID of the variables that UEFI 3.3 defines. */
export const EFI_GLOBAL_VARIABLE = guid('8be4df61-93ca-11d2-aa0d-00e098032b8c');

/** VARIABLE_STORE_HEADER of EDK2's variable store (MdeModulePkg/Include/Guid/VariableFormat.h). */
export const VARIABLE_STORE = {
  Signature: 0,
  Size: 16,
  Format: 20,
  State: 21,
  Reserved: 22,
  size: 28,
  /** gEfiVariableGuid. */
  signature: guid('ddcf3616-3275-4164-98b6-fe85707ffe7d'),
  FORMATTED: 0x5a,
  HEALTHY: 0xfe,
} as const;
/** VARIABLE_HEADER; name and data follow, each aligned to 4. */
export const VARIABLE_HEADER = {
  StartId: 0,
  State: 2,
  Reserved: 3,
  Attributes: 4,
  NameSize: 8,
  DataSize: 12,
  VendorGuid: 16,
  size: 32,
  START: 0x55aa,
  /** VAR_ADDED; VAR_DELETED clears a bit of it. */
  ADDED: 0x3f,
  DELETED_MASK: 0xfd,
  align: 4,
} as const;
