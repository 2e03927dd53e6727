/** SMBIOS (DSP0134, 3.0): entry points and a structure table. Strings are our choice. */
import { ascii, concat } from '../base/bytes.js';
import type { MachineDescription } from './placed.js';
import { Struct } from './struct.js';

/** 32-bit entry point (DSP0134 5.2.1). */
export const SMBIOS_ENTRY = {
  Anchor: 0x00,
  Checksum: 0x04,
  Length: 0x05,
  MajorVersion: 0x06,
  MinorVersion: 0x07,
  MaximumStructureSize: 0x08,
  Revision: 0x0a,
  IntermediateAnchor: 0x10,
  IntermediateChecksum: 0x15,
  TableLength: 0x16,
  TableAddress: 0x18,
  NumberOfStructures: 0x1c,
  BCDRevision: 0x1e,
  size: 0x1f,
  intermediateSize: 0x0f,
} as const;

/** 64-bit entry point (DSP0134 5.2.2). */
export const SMBIOS3_ENTRY = {
  Anchor: 0x00,
  Checksum: 0x05,
  Length: 0x06,
  MajorVersion: 0x07,
  MinorVersion: 0x08,
  Docrev: 0x09,
  EntryPointRevision: 0x0a,
  TableMaximumSize: 0x0c,
  TableAddress: 0x10,
  size: 0x18,
} as const;

/** Header of a structure (DSP0134 6.1.2); the formatted part's Length counts it. */
export const SMBIOS_HEADER = { Type: 0, Length: 1, Handle: 2 } as const;

const VERSION = { major: 3, minor: 0 } as const;
const END_OF_TABLE = 127;
const MIB = 2 ** 20;
/** The Size value that refers to Extended Size (DSP0134 7.18.4). */
const SIZE_EXTENDED = 0x7fff;

type Field = readonly [offset: number, width: 1 | 2 | 4 | 8, value: number];
interface Structure {
  readonly type: number;
  readonly length: number;
  readonly handle: number;
  readonly fields: readonly Field[];
  /** Strings by the offset of the field that has the string's number. */
  readonly strings?: Readonly<Record<number, string>>;
}

/** The structures: BIOS, system, baseboard, processor, memory array and device, end (DSP0134 7.1–7.3, 7.5, 7.17, 7.18). */
function structures({ ram, cpus, processor }: MachineDescription): Structure[] {
  // A module's size is in MiB; the usable memory of a kernel log may not be whole MiB.
  const mib = Math.ceil(ram / MIB);
  const size = mib < SIZE_EXTENDED ? mib : SIZE_EXTENDED;
  const extended = mib < SIZE_EXTENDED ? 0 : mib;
  return [
    {
      type: 0,
      length: 0x18,
      handle: 0,
      strings: { 0x04: 'sme-boot', 0x05: '1.0', 0x08: '04/26/2016' },
      fields: [
        [0x06, 2, 0xe000], // starting segment
        [0x09, 1, 0xff], // 16 MiB of ROM
        [0x0a, 8, 0x80], // PCI is supported
        [0x12, 1, 0x01], // ACPI is supported
        [0x13, 1, 0x08], // UEFI is supported
        [0x14, 1, 1], // release 1.0
        [0x15, 1, 0],
        [0x16, 1, 0xff], // no embedded controller
        [0x17, 1, 0xff],
      ],
    },
    {
      type: 1,
      length: 0x1b,
      handle: 1,
      strings: { 0x04: 'sme-boot', 0x05: 'Simulated machine', 0x06: '1.0', 0x07: '0001' },
      fields: [
        [0x08, 4, 0x5e3b_0071], // UUID
        [0x0c, 4, 0x4016_0426],
        [0x10, 4, 0x0000_0080],
        [0x14, 4, 0x0100_0000],
        [0x18, 1, 6], // power switch
      ],
    },
    {
      type: 2,
      length: 0x0f,
      handle: 2,
      strings: { 0x04: 'sme-boot', 0x05: 'Board', 0x06: '1.0', 0x07: '0001' },
      fields: [
        [0x09, 1, 0x09], // hosting board, replaceable
        [0x0b, 2, 0xffff], // no chassis structure
        [0x0d, 1, 0x0a], // motherboard
      ],
    },
    {
      type: 4,
      length: 0x2a,
      handle: 4,
      strings: { 0x04: 'SP3', 0x07: processor.vendor, 0x10: processor.name },
      fields: [
        [0x05, 1, 3], // central processor
        [0x06, 1, 0x02], // family unknown
        [0x08, 8, processor.signature],
        [0x12, 2, 100], // MHz of the external clock
        [0x14, 2, 3200],
        [0x16, 2, 2200],
        [0x18, 1, 0x41], // populated, enabled
        [0x19, 1, 0x02],
        [0x1a, 2, 0xffff], // no cache structures
        [0x1c, 2, 0xffff],
        [0x1e, 2, 0xffff],
        [0x23, 1, cpus],
        [0x24, 1, cpus],
        [0x25, 1, cpus],
        [0x26, 2, 0x04], // 64-bit capable
        [0x28, 2, 0x02],
      ],
    },
    {
      type: 16,
      length: 0x17,
      handle: 16,
      fields: [
        [0x04, 1, 3], // on the board
        [0x05, 1, 3], // system memory
        [0x06, 1, 6], // multi-bit ECC
        [0x07, 4, 0x8000_0000], // see Extended Maximum Capacity
        [0x0b, 2, 0xfffe], // no error information
        [0x0d, 2, 1],
        [0x0f, 8, ram],
      ],
    },
    {
      type: 17,
      length: 0x28,
      handle: 17,
      strings: {
        0x10: 'DIMM 0',
        0x11: 'BANK 0',
        0x17: 'sme-boot',
        0x18: '0001',
        0x1a: 'DDR4-2400',
      },
      fields: [
        [0x04, 2, 16], // handle of the array
        [0x06, 2, 0xfffe],
        [0x08, 2, 72],
        [0x0a, 2, 64],
        [0x0c, 2, size],
        [0x0e, 1, 9], // DIMM
        [0x12, 1, 0x1a], // DDR4
        [0x13, 2, 0x80], // synchronous
        [0x15, 2, 2400],
        [0x1c, 4, extended],
        [0x20, 2, 2400],
      ],
    },
    { type: END_OF_TABLE, length: 4, handle: END_OF_TABLE, fields: [] },
  ];
}

/** A structure's formatted part, its strings, and the two NULs that end it (DSP0134 6.1.3). */
function encode({ type, length, handle, fields, strings = {} }: Structure): Uint8Array {
  const part = new Struct(length)
    .u8(SMBIOS_HEADER.Type, type)
    .u8(SMBIOS_HEADER.Length, length)
    .u16(SMBIOS_HEADER.Handle, handle);
  for (const [at, width, value] of fields) {
    const bytes = new Struct(8).u64(0, value).bytes;
    part.put(at, bytes.subarray(0, width));
  }
  const texts = Object.entries(strings);
  for (const [index, [at]] of texts.entries()) part.u8(Number(at), index + 1);
  const set = texts.map(([, text]) => ascii(`${text}\0`));
  return concat([part.bytes, ...set, new Uint8Array(texts.length === 0 ? 2 : 1)]);
}

/** The structure table and its properties for the entry points. */
export interface SmbiosTable {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly largest: number;
}

/** The structure table. */
export function smbiosTable(request: MachineDescription): SmbiosTable {
  const all = structures(request).map(encode);
  return {
    bytes: concat(all),
    count: all.length,
    largest: Math.max(...all.map((bytes) => bytes.length)),
  };
}

/** The 32-bit entry point: 31 bytes with both checksums. */
export function smbiosEntry(table: SmbiosTable, at: number): Uint8Array {
  return new Struct(SMBIOS_ENTRY.size)
    .ascii(SMBIOS_ENTRY.Anchor, '_SM_')
    .u8(SMBIOS_ENTRY.Length, SMBIOS_ENTRY.size)
    .u8(SMBIOS_ENTRY.MajorVersion, VERSION.major)
    .u8(SMBIOS_ENTRY.MinorVersion, VERSION.minor)
    .u16(SMBIOS_ENTRY.MaximumStructureSize, table.largest)
    .ascii(SMBIOS_ENTRY.IntermediateAnchor, '_DMI_')
    .u16(SMBIOS_ENTRY.TableLength, table.bytes.length)
    .u32(SMBIOS_ENTRY.TableAddress, at)
    .u16(SMBIOS_ENTRY.NumberOfStructures, table.count)
    .u8(SMBIOS_ENTRY.BCDRevision, VERSION.major << 4)
    .sum(
      SMBIOS_ENTRY.IntermediateChecksum,
      SMBIOS_ENTRY.IntermediateAnchor,
      SMBIOS_ENTRY.intermediateSize,
    )
    .sum(SMBIOS_ENTRY.Checksum, 0, SMBIOS_ENTRY.size).bytes;
}

/** The 64-bit entry point. */
export function smbios3Entry(table: SmbiosTable, at: number): Uint8Array {
  return new Struct(SMBIOS3_ENTRY.size)
    .ascii(SMBIOS3_ENTRY.Anchor, '_SM3_')
    .u8(SMBIOS3_ENTRY.Length, SMBIOS3_ENTRY.size)
    .u8(SMBIOS3_ENTRY.MajorVersion, VERSION.major)
    .u8(SMBIOS3_ENTRY.MinorVersion, VERSION.minor)
    .u8(SMBIOS3_ENTRY.EntryPointRevision, 1)
    .u32(SMBIOS3_ENTRY.TableMaximumSize, table.bytes.length)
    .u64(SMBIOS3_ENTRY.TableAddress, at)
    .sum(SMBIOS3_ENTRY.Checksum, 0, SMBIOS3_ENTRY.size).bytes;
}
