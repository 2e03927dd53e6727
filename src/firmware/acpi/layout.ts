/** Layouts of ACPI tables (ACPI 5.0; IVRS: AMD I/O Virtualization specification, pub. 48882). Offsets in bytes. */

/** Root System Description Pointer (ACPI 5.2.5.3). */
export const RSDP = {
  Signature: 0,
  Checksum: 8,
  OEMID: 9,
  Revision: 15,
  RsdtAddress: 16,
  Length: 20,
  XsdtAddress: 24,
  ExtendedChecksum: 32,
  size: 36,
  /** Bytes that the first checksum covers: the table of ACPI 1.0. */
  size10: 20,
} as const;

/** System Description Table Header (ACPI 5.2.6). */
export const SDT = {
  Signature: 0,
  Length: 4,
  Revision: 8,
  Checksum: 9,
  OEMID: 10,
  OEMTableID: 16,
  OEMRevision: 24,
  CreatorID: 28,
  CreatorRevision: 32,
  size: 36,
} as const;

/** Fixed ACPI Description Table (ACPI 5.2.9): the fields that a PC sets. */
export const FADT = {
  FIRMWARE_CTRL: 36,
  DSDT: 40,
  Preferred_PM_Profile: 45,
  SCI_INT: 46,
  SMI_CMD: 48,
  ACPI_ENABLE: 52,
  ACPI_DISABLE: 53,
  PM1a_EVT_BLK: 56,
  PM1a_CNT_BLK: 64,
  PM_TMR_BLK: 76,
  GPE0_BLK: 80,
  PM1_EVT_LEN: 88,
  PM1_CNT_LEN: 89,
  PM_TMR_LEN: 91,
  GPE0_BLK_LEN: 92,
  P_LVL2_LAT: 96,
  P_LVL3_LAT: 98,
  CENTURY: 108,
  IAPC_BOOT_ARCH: 109,
  Flags: 112,
  X_FIRMWARE_CTRL: 132,
  X_DSDT: 140,
  X_PM1a_EVT_BLK: 148,
  X_PM1a_CNT_BLK: 172,
  X_PM_TMR_BLK: 208,
  X_GPE0_BLK: 220,
  size: 268,
} as const;

/** Generic Address Structure (ACPI 5.2.3.1). */
export const GAS = {
  AddressSpaceID: 0,
  RegisterBitWidth: 1,
  RegisterBitOffset: 2,
  AccessSize: 3,
  Address: 4,
  size: 12,
} as const;

/** Firmware ACPI Control Structure (ACPI 5.2.10). */
export const FACS = { Signature: 0, Length: 4, Version: 32, size: 64 } as const;

/** Multiple APIC Description Table and its structures (ACPI 5.2.12). */
export const MADT = { LocalAPICAddress: 36, Flags: 40, size: 44 } as const;
export const MADT_LOCAL_APIC = {
  type: 0,
  ACPIProcessorID: 2,
  APICID: 3,
  Flags: 4,
  size: 8,
} as const;
export const MADT_IO_APIC = {
  type: 1,
  IOAPICID: 2,
  IOAPICAddress: 4,
  GlobalSystemInterruptBase: 8,
  size: 12,
} as const;
export const MADT_INTERRUPT_OVERRIDE = {
  type: 2,
  Bus: 2,
  Source: 3,
  GlobalSystemInterrupt: 4,
  Flags: 8,
  size: 10,
} as const;
export const MADT_LOCAL_APIC_NMI = {
  type: 4,
  ACPIProcessorID: 2,
  Flags: 3,
  LINT: 5,
  size: 6,
} as const;

/** Boot Graphics Resource Table (ACPI 5.2.22). */
export const BGRT = {
  Version: 36,
  Status: 38,
  ImageType: 39,
  ImageAddress: 40,
  ImageOffsetX: 48,
  ImageOffsetY: 52,
  size: 56,
} as const;

/** I/O Virtualization Reporting Structure (pub. 48882, 5.2.1). */
export const IVRS = { IVinfo: 36, size: 48 } as const;
/** I/O Virtualization Hardware Definition block, type 10h (pub. 48882, 5.2.2.1). */
export const IVHD_10H = {
  Type: 0,
  Flags: 1,
  Length: 2,
  DeviceID: 4,
  CapabilityOffset: 6,
  IOMMUBaseAddress: 8,
  PCISegmentGroup: 16,
  IOMMUInfo: 18,
  IOMMUFeatureInfo: 20,
  size: 24,
} as const;
/** Device entries of 4 bytes, and the special device of 8 (pub. 48882, 5.2.2.5 and 5.2.2.7). */
export const IVHD_ENTRY = { Type: 0, DeviceID: 1, DTESetting: 3, size: 4 } as const;
export const IVHD_SPECIAL = {
  Type: 0,
  DTESetting: 3,
  Handle: 4,
  SourceDeviceID: 5,
  Variety: 7,
  size: 8,
} as const;
