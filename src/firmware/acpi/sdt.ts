/** Common parts of ACPI: the table header with its checksum, the root pointer, the lists of tables. */
import { ascii } from '../../base/bytes.js';
import { Struct } from '../struct.js';
import { RSDP, SDT } from './layout.js';

/** OEM and creator of the tables (our choice). */
const OEM_ID = 'SMEBT ';
const OEM_TABLE_ID = 'SMEBOOT ';
const OEM_REVISION = 1;
const CREATOR_ID = 'SMEB';
const CREATOR_REVISION = 1;

/** A table with its header, without the checksum. @param size bytes of the table with its header. */
export function sdt(signature: string, revision: number, size: number): Struct {
  return new Struct(size)
    .ascii(SDT.Signature, signature)
    .u32(SDT.Length, size)
    .u8(SDT.Revision, revision)
    .ascii(SDT.OEMID, OEM_ID)
    .ascii(SDT.OEMTableID, OEM_TABLE_ID)
    .u32(SDT.OEMRevision, OEM_REVISION)
    .ascii(SDT.CreatorID, CREATOR_ID)
    .u32(SDT.CreatorRevision, CREATOR_REVISION);
}

/** The table's bytes with their checksum. */
export function summed(table: Struct): Uint8Array {
  return table.sum(SDT.Checksum, 0, table.bytes.length).bytes;
}

/** The lists of tables: entries of 32 bits in the RSDT, of 64 in the XSDT (ACPI 5.2.7, 5.2.8). */
const RSDT_ENTRY = 4;
const XSDT_ENTRY = 8;

export function rsdt(tables: readonly number[]): Uint8Array {
  const table = sdt('RSDT', 1, SDT.size + tables.length * RSDT_ENTRY);
  for (const [i, at] of tables.entries()) table.u32(SDT.size + i * RSDT_ENTRY, at);
  return summed(table);
}

export function xsdt(tables: readonly number[]): Uint8Array {
  const table = sdt('XSDT', 1, SDT.size + tables.length * XSDT_ENTRY);
  for (const [i, at] of tables.entries()) table.u64(SDT.size + i * XSDT_ENTRY, at);
  return summed(table);
}

const RSDP_SIGNATURE = 'RSD PTR ';
const ACPI_2 = 2;

/** The root pointer, revision 2. */
export function rsdp(rsdtAt: number, xsdtAt: number): Uint8Array {
  return new Struct(RSDP.size)
    .put(RSDP.Signature, ascii(RSDP_SIGNATURE))
    .ascii(RSDP.OEMID, OEM_ID)
    .u8(RSDP.Revision, ACPI_2)
    .u32(RSDP.RsdtAddress, rsdtAt)
    .u32(RSDP.Length, RSDP.size)
    .u64(RSDP.XsdtAddress, xsdtAt)
    .sum(RSDP.Checksum, 0, RSDP.size10)
    .sum(RSDP.ExtendedChecksum, 0, RSDP.size).bytes;
}
