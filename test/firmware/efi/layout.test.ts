/** Offsets follow from the widths in the specification's tables. */
import { describe, expect, test } from '@jest/globals';
import {
  EFI_CONFIGURATION_TABLE,
  EFI_GUID,
  EFI_INFO,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_DESCRIPTOR_STRIDE,
  EFI_PROPERTIES_TABLE,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_TABLE,
  EFI_SYSTEM_TABLE_SIGNATURE,
  EFI_RUNTIME_SERVICES_SIGNATURE,
  EFI_TABLE_HDR,
  EFI64_LOADER_SIGNATURE,
  ESRT,
  ESRT_ENTRY,
  SETUP_DATA,
  VARIABLE_HEADER,
  VARIABLE_STORE,
} from '../../../src/firmware/efi/layout.js';
import { expectLayout } from '../fields.js';

const POINTER = 8;
const text = (value: bigint | number, width: number): string =>
  Array.from({ length: width }, (_, i) =>
    String.fromCharCode(Number((BigInt(value) >> BigInt(8 * i)) & 0xffn)),
  ).join('');

describe('layouts of EFI', () => {
  test.each([
    [
      'EFI_TABLE_HEADER',
      EFI_TABLE_HDR,
      [
        ['Signature', 8],
        ['Revision', 4],
        ['HeaderSize', 4],
        ['CRC32', 4],
        ['Reserved', 4],
      ],
    ],
    [
      'EFI_SYSTEM_TABLE',
      EFI_SYSTEM_TABLE,
      [
        ['Hdr', EFI_TABLE_HDR.size],
        ['FirmwareVendor', POINTER],
        ['FirmwareRevision', 4],
        ['-padding', 4],
        ['ConsoleInHandle', POINTER],
        ['ConIn', POINTER],
        ['ConsoleOutHandle', POINTER],
        ['ConOut', POINTER],
        ['StandardErrorHandle', POINTER],
        ['StdErr', POINTER],
        ['RuntimeServices', POINTER],
        ['BootServices', POINTER],
        ['NumberOfTableEntries', 8],
        ['ConfigurationTable', POINTER],
      ],
    ],
    [
      'EFI_RUNTIME_SERVICES',
      EFI_RUNTIME_SERVICES,
      [
        ['Hdr', EFI_TABLE_HDR.size],
        ['GetTime', POINTER],
        ['SetTime', POINTER],
        ['GetWakeupTime', POINTER],
        ['SetWakeupTime', POINTER],
        ['SetVirtualAddressMap', POINTER],
        ['ConvertPointer', POINTER],
        ['GetVariable', POINTER],
        ['GetNextVariableName', POINTER],
        ['SetVariable', POINTER],
        ['GetNextHighMonotonicCount', POINTER],
        ['ResetSystem', POINTER],
        ['UpdateCapsule', POINTER],
        ['QueryCapsuleCapabilities', POINTER],
        ['QueryVariableInfo', POINTER],
      ],
    ],
    [
      'EFI_CONFIGURATION_TABLE',
      EFI_CONFIGURATION_TABLE,
      [
        ['VendorGuid', 16],
        ['VendorTable', POINTER],
      ],
    ],
    [
      'EFI_MEMORY_DESCRIPTOR',
      EFI_MEMORY_DESCRIPTOR,
      [
        ['Type', 4],
        ['-padding', 4],
        ['PhysicalStart', 8],
        ['VirtualStart', 8],
        ['NumberOfPages', 8],
        ['Attribute', 8],
      ],
    ],
    [
      'EFI_SYSTEM_RESOURCE_TABLE',
      ESRT,
      [
        ['FwResourceCount', 4],
        ['FwResourceCountMax', 4],
        ['FwResourceVersion', 8],
        ['Entries', 0],
      ],
    ],
    [
      'EFI_SYSTEM_RESOURCE_ENTRY',
      ESRT_ENTRY,
      [
        ['FwClass', 16],
        ['FwType', 4],
        ['FwVersion', 4],
        ['LowestSupportedFwVersion', 4],
        ['CapsuleFlags', 4],
        ['LastAttemptVersion', 4],
        ['LastAttemptStatus', 4],
      ],
    ],
    [
      'EFI_PROPERTIES_TABLE',
      EFI_PROPERTIES_TABLE,
      [
        ['Version', 4],
        ['Length', 4],
        ['MemoryProtectionAttribute', 8],
      ],
    ],
    [
      'struct efi_info',
      EFI_INFO,
      [
        ['efi_loader_signature', 4],
        ['efi_systab', 4],
        ['efi_memdesc_size', 4],
        ['efi_memdesc_version', 4],
        ['efi_memmap', 4],
        ['efi_memmap_size', 4],
        ['efi_systab_hi', 4],
        ['efi_memmap_hi', 4],
      ],
    ],
    [
      'struct setup_data',
      SETUP_DATA,
      [
        ['next', 8],
        ['type', 4],
        ['len', 4],
        ['data', 0],
      ],
    ],
    [
      'VARIABLE_STORE_HEADER',
      VARIABLE_STORE,
      [
        ['Signature', 16],
        ['Size', 4],
        ['Format', 1],
        ['State', 1],
        ['Reserved', 2],
        ['-Reserved1', 4],
      ],
    ],
    [
      'VARIABLE_HEADER',
      VARIABLE_HEADER,
      [
        ['StartId', 2],
        ['State', 1],
        ['Reserved', 1],
        ['Attributes', 4],
        ['NameSize', 4],
        ['DataSize', 4],
        ['VendorGuid', 16],
      ],
    ],
  ] as const)('%s has its fields at the offsets that their widths imply', (_, layout, fields) => {
    expectLayout(layout, fields);
  });

  test('signatures are words that read as text in memory', () => {
    expect(text(EFI_SYSTEM_TABLE_SIGNATURE, 8)).toBe('IBI SYST');
    expect(text(EFI_RUNTIME_SERVICES_SIGNATURE, 8)).toBe('RUNTSERV');
    expect(text(EFI64_LOADER_SIGNATURE, 4)).toBe('EL64');
  });

  test('a GUID has its first three fields little-endian in memory', () => {
    // EFI_GUID(0x8868e871, 0xe4f1, 0x11d3, 0xbc, 0x22, 0x0, 0x80, 0xc7, 0x3c, 0x88, 0x81) in include/linux/efi.h.
    expect([...EFI_GUID.ACPI_20_TABLE]).toEqual([
      0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11, 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88,
      0x81,
    ]);
  });

  test('the descriptor stride is larger than a descriptor', () => {
    expect(EFI_MEMORY_DESCRIPTOR_STRIDE).toBeGreaterThan(EFI_MEMORY_DESCRIPTOR.size);
    expect(EFI_MEMORY_DESCRIPTOR_STRIDE % 8).toBe(0);
  });
});
