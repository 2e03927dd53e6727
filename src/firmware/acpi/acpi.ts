/** All ACPI tables of a machine with their addresses. */
import { alignUp } from '../../machine/address.js';
import type { Blob } from '../placed.js';
import { bgrt, bgrtImage } from './bgrt.js';
import { dsdt, facs, fadt } from './fadt.js';
import { ivrs } from './ivrs.js';
import { madt } from './madt.js';
import { rsdp, rsdt, xsdt } from './sdt.js';

/** The machine that the tables describe, and the addresses of the tables. */
export interface AcpiRequest {
  readonly cpus: number;
  readonly iommu: boolean;
  /** Whether there is a MADT; absent: true. */
  readonly madt?: boolean;
  readonly rsdpAt: number;
  /** Physical address of the first of the other tables, which follow each other. */
  readonly tablesAt: number;
  /** Physical address of the FACS, a multiple of 64. */
  readonly facsAt: number;
  /** Physical address of the boot image; absent: no BGRT. */
  readonly imageAt?: number;
}

/** Alignment of tables in bytes. */
const ALIGN = 64;

/** The tables in the order of their addresses, the RSDP first; their names are their signatures. */
export function acpiTables(request: AcpiRequest): Blob[] {
  const blobs: Blob[] = [];
  let at = request.tablesAt;
  const add = (name: string, bytes: Uint8Array): number => {
    const base = at;
    blobs.push({ name, base, bytes });
    at = alignUp(base + bytes.length, ALIGN);
    return base;
  };
  const dsdtAt = add('DSDT', dsdt());
  const tables = [
    add('FADT', fadt(request.facsAt, dsdtAt)),
    ...(request.madt === false ? [] : [add('MADT', madt(request.cpus))]),
    ...(request.iommu ? [add('IVRS', ivrs())] : []),
    ...(request.imageAt === undefined ? [] : [add('BGRT', bgrt(request.imageAt))]),
  ];
  const rsdtAt = add('RSDT', rsdt(tables));
  const xsdtAt = add('XSDT', xsdt(tables));
  return [
    { name: 'RSDP', base: request.rsdpAt, bytes: rsdp(rsdtAt, xsdtAt) },
    ...blobs,
    { name: 'FACS', base: request.facsAt, bytes: facs() },
    ...(request.imageAt === undefined
      ? []
      : [{ name: 'BGRT image', base: request.imageAt, bytes: bgrtImage() }]),
  ];
}
