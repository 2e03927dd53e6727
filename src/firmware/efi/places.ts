/**
 * The memory regions of this EFI firmware (all our choice, at addresses and in an order that real firmware uses): in a
 * window below the top of low RAM, since some of them must be below 4 GiB.
 */
import { InputError } from '../../base/errors.js';
import { alignDown, PMD_SIZE } from '../../machine/address.js';
import type { Region } from '../placed.js';
import { EFI_MEMORY, EFI_MEMORY_TYPE } from './layout.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const { UC, WC, WT, WB, XP, RO, RUNTIME } = EFI_MEMORY;
/** The cacheability attributes of RAM (UEFI 7.2: capabilities, not settings). */
export const RAM_ATTRIBUTES = UC | WC | WT | WB;

/** A range of the firmware's memory map. */
export interface EfiRegion extends Region {
  /** EFI_MEMORY_TYPE. */
  readonly type: number;
  readonly attribute: bigint;
}

/** The least RAM below 4 GiB: less leaves no room between a kernel and the firmware's window. */
export const EFI_RAM_MIN = 256 * MIB;
/** Size of the window below the top of low RAM. */
export const WINDOW_SIZE = 16 * MIB;

/** Offsets in the window. Runtime data follows runtime code: its code addresses it relative to itself. */
const WINDOW = [
  { name: 'EFI boot services data', at: 0, size: 512 * KIB, type: 'BOOT_SERVICES_DATA' },
  { name: 'EFI boot services code', at: 512 * KIB, size: 256 * KIB, type: 'BOOT_SERVICES_CODE' },
  { name: 'EFI reserved', at: 1024 * KIB, size: 64 * KIB, type: 'RESERVED_TYPE' },
  { name: 'ACPI NVS', at: 1088 * KIB, size: 64 * KIB, type: 'ACPI_MEMORY_NVS' },
  { name: 'ACPI tables', at: 1152 * KIB, size: 128 * KIB, type: 'ACPI_RECLAIM_MEMORY' },
  { name: 'EFI runtime code', at: 1280 * KIB, size: 64 * KIB, type: 'RUNTIME_SERVICES_CODE' },
  { name: 'EFI runtime data', at: 1344 * KIB, size: 192 * KIB, type: 'RUNTIME_SERVICES_DATA' },
  { name: 'EFI boot services stack', at: 1536 * KIB, size: 128 * KIB, type: 'BOOT_SERVICES_DATA' },
] as const;
/** Offset in the window of the loader's buffer for the memory map: between the firmware's regions. */
const MEMORY_MAP_AT = 768 * KIB;
export const MEMORY_MAP_ROOM = 8 * KIB;
/** Its largest size: up to the window's next region, and what the kernel can map early (NR_FIX_BTMAPS, 64 pages). */
export const MEMORY_MAP_ROOM_MAX = 256 * KIB;
/** Offset in the window of SMRAM, which extends to the window's end. */
const SMRAM_AT = 8 * MIB;

/** Regions in the first MiB. */
const LOW = [
  // The BIOS data area is here; firmware with legacy boot support reports it as boot services data.
  { name: 'EFI boot services page 0', base: 0, size: 4 * KIB, type: 'BOOT_SERVICES_DATA' },
  { name: 'EBDA', base: 636 * KIB, size: 4 * KIB, type: 'RESERVED_TYPE' },
  { name: 'ROM area', base: 768 * KIB, size: 256 * KIB, type: 'RESERVED_TYPE' },
] as const;

/** Memory-mapped registers and ROM that runtime services use: the FCH's page and the flash below 4 GiB. */
const MMIO = [
  { name: 'FCH registers', base: 0xfed8_0000, size: 4 * KIB },
  { name: 'flash', base: 0xff00_0000, size: 16 * MIB },
] as const;

export type EfiRegionName = (typeof WINDOW)[number]['name'] | (typeof MMIO)[number]['name'];

const ATTRIBUTES: Partial<Record<keyof typeof EFI_MEMORY_TYPE, bigint>> = {
  RESERVED_TYPE: 0n,
  // UEFI 4.6.2: with the properties table's bit set, code and data are in separate descriptors and can be protected.
  RUNTIME_SERVICES_CODE: RAM_ATTRIBUTES | RO | RUNTIME,
  RUNTIME_SERVICES_DATA: RAM_ATTRIBUTES | XP | RUNTIME,
};

/** The firmware's regions on a machine. */
export interface EfiPlaces {
  readonly regions: readonly EfiRegion[];
  readonly memoryMapAt: number;
  /** The lowest address of the window: loaders put an initrd below it. */
  readonly window: number;
  at(name: EfiRegionName): EfiRegion;
}

/** @param lowTop end of the RAM below 4 GiB. @throws InputError E_EFI_RAM if it is less than EFI_RAM_MIN. */
export function efiPlaces(lowTop: number): EfiPlaces {
  if (lowTop < EFI_RAM_MIN) {
    throw new InputError({
      code: 'E_EFI_RAM',
      place: { path: 'machine.ram' },
      reason: 'EFI firmware needs more memory',
      expected: `at least ${EFI_RAM_MIN / MIB} MiB`,
      found: `${lowTop / MIB} MiB`,
    });
  }
  const window = alignDown(lowTop, PMD_SIZE) - WINDOW_SIZE;
  const typed = (region: Region, type: keyof typeof EFI_MEMORY_TYPE): EfiRegion => ({
    ...region,
    type: EFI_MEMORY_TYPE[type],
    attribute: ATTRIBUTES[type] ?? RAM_ATTRIBUTES,
  });
  const regions = [
    ...LOW.map(({ name, base, size, type }) => typed({ name, base, size }, type)),
    ...WINDOW.map(({ name, at, size, type }) => typed({ name, base: window + at, size }, type)),
    typed(
      { name: 'SMRAM', base: window + SMRAM_AT, size: lowTop - window - SMRAM_AT },
      'RESERVED_TYPE',
    ),
    ...MMIO.map((region) => ({
      ...region,
      type: EFI_MEMORY_TYPE.MEMORY_MAPPED_IO,
      attribute: UC | RUNTIME,
    })),
  ];
  regions.sort((a, b) => a.base - b.base);
  const byName = new Map(regions.map((region) => [region.name, region]));
  return {
    regions,
    memoryMapAt: window + MEMORY_MAP_AT,
    window,
    at(name) {
      const region = byName.get(name);
      if (region === undefined) throw new RangeError(`the firmware has no region ${name}`);
      return region;
    },
  };
}
