/** The EFI memory map: descriptors of all of RAM, and the e820 map that an EFI stub makes from them. */
import { PAGE_SIZE } from '../../machine/address.js';
import type { E820Range, LoaderMemory, Region } from '../placed.js';
import { Struct } from '../struct.js';
import {
  EFI_INFO,
  EFI64_LOADER_SIGNATURE,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_DESCRIPTOR_STRIDE,
  EFI_MEMORY_DESCRIPTOR_VERSION,
  EFI_MEMORY_TYPE,
} from './layout.js';
import { RAM_ATTRIBUTES, type EfiRegion } from './places.js';

/** A descriptor without its virtual address. */
export interface EfiDescriptor {
  readonly type: number;
  readonly base: number;
  readonly pages: number;
  readonly attribute: bigint;
}

const LOW_MEMORY = 0xa_0000;
const MIB = 0x10_0000;
const HIGH_BASE = 2 ** 32;

/** The RAM that the map must cover: without the VGA and ROM areas. */
export function ramRanges(lowTop: number, highSize: number): readonly Omit<Region, 'name'>[] {
  return [
    { base: 0, size: LOW_MEMORY },
    { base: MIB, size: lowTop - MIB },
    ...(highSize > 0 ? [{ base: HIGH_BASE, size: highSize }] : []),
  ];
}

const wholePages = ({ base, size }: Region): { base: number; end: number } => ({
  base: Math.floor(base / PAGE_SIZE) * PAGE_SIZE,
  end: Math.ceil((base + size) / PAGE_SIZE) * PAGE_SIZE,
});

/**
 * The descriptors in order of address: the firmware's regions, the loader's in whole pages, the rest of RAM as
 * conventional memory; adjacent ranges of one type and attribute are merged. Regions must not overlap (unchecked).
 */
export function describeMemory(
  ram: readonly Omit<Region, 'name'>[],
  firmware: readonly EfiRegion[],
  loader: LoaderMemory,
): EfiDescriptor[] {
  const occupied = [
    ...firmware.map(({ type, attribute, ...region }) => ({
      ...wholePages(region),
      type,
      attribute,
    })),
    ...(['code', 'data'] as const).flatMap((kind) =>
      loader[kind]
        .filter(({ size }) => size > 0)
        .map((region) => ({
          ...wholePages(region),
          type: kind === 'code' ? EFI_MEMORY_TYPE.LOADER_CODE : EFI_MEMORY_TYPE.LOADER_DATA,
          attribute: RAM_ATTRIBUTES,
        })),
    ),
  ].sort((a, b) => a.base - b.base);
  const rest = ram.flatMap(({ base, size }) => {
    const holes: typeof occupied = [];
    const add = (from: number, to: number): void => {
      if (from >= to) return;
      const type = EFI_MEMORY_TYPE.CONVENTIONAL_MEMORY;
      holes.push({ base: from, end: to, type, attribute: RAM_ATTRIBUTES });
    };
    let at = base;
    for (const range of occupied) {
      if (range.base >= base + size || range.end <= base) continue;
      add(at, range.base);
      at = Math.max(at, range.end);
    }
    add(at, base + size);
    return holes;
  });
  const all = [...occupied, ...rest].sort((a, b) => a.base - b.base);
  const merged: typeof occupied = [];
  for (const range of all) {
    const last = merged.at(-1);
    const similar = last?.type === range.type && last.attribute === range.attribute;
    if (last !== undefined && similar && last.end >= range.base) last.end = range.end;
    else merged.push({ ...range });
  }
  return merged.map(({ base, end, type, attribute }) => ({
    type,
    base,
    pages: (end - base) / PAGE_SIZE,
    attribute,
  }));
}

/** The map as GetMemoryMap() returns it (UEFI 7.2), with this firmware's descriptor size. */
export function memoryMapBytes(descriptors: readonly EfiDescriptor[]): Uint8Array {
  const map = new Struct(descriptors.length * EFI_MEMORY_DESCRIPTOR_STRIDE);
  for (const [index, { type, base, pages, attribute }] of descriptors.entries()) {
    const at = index * EFI_MEMORY_DESCRIPTOR_STRIDE;
    map
      .u32(at + EFI_MEMORY_DESCRIPTOR.Type, type)
      .u64(at + EFI_MEMORY_DESCRIPTOR.PhysicalStart, base)
      .u64(at + EFI_MEMORY_DESCRIPTOR.NumberOfPages, pages)
      .u64(at + EFI_MEMORY_DESCRIPTOR.Attribute, attribute);
  }
  return map.bytes;
}

const E820_RAM = 1;
const E820_RESERVED = 2;
const E820_ACPI = 3;
const E820_NVS = 4;
const E820_UNUSABLE = 5;
const E820_PMEM = 7;

/** The e820 type that an EFI stub makes from an EFI type (arch/x86/boot/compressed/eboot.c, setup_e820). */
export const E820_OF_EFI: Readonly<Record<keyof typeof EFI_MEMORY_TYPE, number>> = {
  RESERVED_TYPE: E820_RESERVED,
  LOADER_CODE: E820_RAM,
  LOADER_DATA: E820_RAM,
  BOOT_SERVICES_CODE: E820_RAM,
  BOOT_SERVICES_DATA: E820_RAM,
  RUNTIME_SERVICES_CODE: E820_RESERVED,
  RUNTIME_SERVICES_DATA: E820_RESERVED,
  CONVENTIONAL_MEMORY: E820_RAM,
  UNUSABLE_MEMORY: E820_UNUSABLE,
  ACPI_RECLAIM_MEMORY: E820_ACPI,
  ACPI_MEMORY_NVS: E820_NVS,
  MEMORY_MAPPED_IO: E820_RESERVED,
  MEMORY_MAPPED_IO_PORT_SPACE: E820_RESERVED,
  PAL_CODE: E820_RESERVED,
  PERSISTENT_MEMORY: E820_PMEM,
};
const BY_NUMBER: ReadonlyMap<number, number> = new Map(
  Object.entries(EFI_MEMORY_TYPE).map(([name, number]) => [
    number,
    E820_OF_EFI[name as keyof typeof EFI_MEMORY_TYPE],
  ]),
);

/** The e820 map of the zero page: adjacent ranges of one type are merged, unknown EFI types omitted (setup_e820). */
export function setup_e820(descriptors: readonly EfiDescriptor[]): E820Range[] {
  const ranges: { base: number; size: number; type: number }[] = [];
  for (const { type: efi, base, pages } of descriptors) {
    const type = BY_NUMBER.get(efi);
    if (type === undefined) continue;
    const size = pages * PAGE_SIZE;
    const last = ranges.at(-1);
    if (last?.type === type && last.base + last.size === base) last.size += size;
    else ranges.push({ base, size, type });
  }
  return ranges;
}

/** struct efi_info as a 64-bit stub fills it (eboot.c, exit_boot). */
export function efiInfo(at: { systab: number; memmap: number; memmapSize: number }): Uint8Array {
  const high = (address: number): number => Math.floor(address / HIGH_BASE);
  return new Struct(EFI_INFO.size)
    .u32(EFI_INFO.efi_loader_signature, EFI64_LOADER_SIGNATURE)
    .u32(EFI_INFO.efi_systab, at.systab % HIGH_BASE)
    .u32(EFI_INFO.efi_memdesc_size, EFI_MEMORY_DESCRIPTOR_STRIDE)
    .u32(EFI_INFO.efi_memdesc_version, EFI_MEMORY_DESCRIPTOR_VERSION)
    .u32(EFI_INFO.efi_memmap, at.memmap % HIGH_BASE)
    .u32(EFI_INFO.efi_memmap_size, at.memmapSize)
    .u32(EFI_INFO.efi_systab_hi, high(at.systab))
    .u32(EFI_INFO.efi_memmap_hi, high(at.memmap)).bytes;
}
