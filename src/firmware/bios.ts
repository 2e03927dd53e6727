/** BIOS firmware: the tables that it leaves in the BIOS area below 1 MiB (addresses are our choice). */
import { acpiTables } from './acpi/acpi.js';
import { mpConfig, mpFloating } from './mp-table.js';
import { VIDEO_ROM, videoRom } from './option-rom.js';
import { ALL_TABLES } from './placed.js';
import type { E820Range, Firmware, MachineDescription, Region, Blob } from './placed.js';
import { smbiosEntry, smbiosTable } from './smbios.js';

const KIB = 1024;

/** The areas that contain tables. */
const AREAS: readonly Region[] = [
  { name: 'option ROM area', base: VIDEO_ROM, size: 64 * KIB },
  { name: 'BIOS extension', base: 0xe_0000, size: 64 * KIB },
  { name: 'BIOS', base: 0xf_0000, size: 64 * KIB },
];
const ADDRESS = {
  rsdp: 0xe_0010,
  facs: 0xe_0040,
  acpi: 0xe_0400,
  smbiosEntry: 0xf_05b0,
  smbios: 0xf_0800,
  mpFloating: 0xf_d7c0,
  mpConfig: 0xf_d800,
} as const;

/** The firmware of a machine without EFI. @param e820 the memory map that it reports. */
export function biosFirmware(request: MachineDescription, e820: readonly E820Range[]): Firmware {
  const { cpus, iommu, processor, tables = ALL_TABLES } = request;
  const table = smbiosTable(request);
  const blobs: Blob[] = [
    { name: 'option ROM', base: VIDEO_ROM, bytes: videoRom() },
    ...(tables.acpi
      ? acpiTables({
          cpus,
          iommu,
          madt: tables.madt,
          rsdpAt: ADDRESS.rsdp,
          tablesAt: ADDRESS.acpi,
          facsAt: ADDRESS.facs,
        })
      : []),
    { name: 'SMBIOS', base: ADDRESS.smbiosEntry, bytes: smbiosEntry(table, ADDRESS.smbios) },
    { name: 'SMBIOS structures', base: ADDRESS.smbios, bytes: table.bytes },
    ...(tables.mp ? mpBlobs(cpus, processor.signature) : []),
  ];
  return { regions: AREAS, blobs, handOver: () => ({ e820, blobs: [] }) };
}

const mpBlobs = (cpus: number, signature: number): Blob[] => [
  { name: 'MP floating pointer', base: ADDRESS.mpFloating, bytes: mpFloating(ADDRESS.mpConfig) },
  { name: 'MP configuration table', base: ADDRESS.mpConfig, bytes: mpConfig(cpus, signature) },
];
