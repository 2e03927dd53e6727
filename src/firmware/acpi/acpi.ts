/** All ACPI tables of a machine at their places. */
import { alignUp } from '../../machine/address.js';
import type { Blob } from '../placed.js';
import { bgrt, bgrtImage } from './bgrt.js';
import { dsdt, facs, fadt } from './fadt.js';
import { ivrs } from './ivrs.js';
import { madt } from './madt.js';
import { rsdp, rsdt, xsdt } from './sdt.js';

/** What the tables describe, and where they go. */
export interface AcpiRequest {
  readonly cpus: number;
  readonly iommu: boolean;
  /** Whether there is a MADT: true where absent. */
  readonly madt?: boolean;
  readonly rsdpAt: number;
  /** Where the other tables go, one behind another. */
  readonly tablesAt: number;
  /** A multiple of 64. */
  readonly facsAt: number;
  /** Where the boot image goes; without it there is no BGRT. */
  readonly imageAt?: number;
}

/** Tables start at such multiples. */
const ALIGN = 64;

/** The tables in the order of their addresses, the RSDP first; their names are their signatures'. */
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
