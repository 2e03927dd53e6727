import { describe, expect, test } from '@jest/globals';
import {
  EFI_INFO,
  EFI_MEMORY,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_DESCRIPTOR_STRIDE,
  EFI_MEMORY_TYPE,
} from '../../../src/firmware/efi/layout.js';
import {
  describeMemory,
  E820_OF_EFI,
  efiInfo,
  memoryMapBytes,
  ramRanges,
  setup_e820,
  type EfiDescriptor,
} from '../../../src/firmware/efi/memory-map.js';
import { EFI_RAM_MIN, efiPlaces, RAM_ATTRIBUTES } from '../../../src/firmware/efi/places.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const T = EFI_MEMORY_TYPE;
const end = ({ base, pages }: EfiDescriptor): number => base + pages * 4096;
const descriptor = (type: number, base: number, pages: number): EfiDescriptor => ({
  type,
  base,
  pages,
  attribute: RAM_ATTRIBUTES,
});

const loader = {
  code: [{ name: 'kernel image', base: 16 * MIB, size: 16 * MIB - 100 }],
  data: [
    { name: 'boot params', base: 0x9_0000, size: 4096 },
    { name: 'initrd', base: 0x700_0000, size: 12_345 },
  ],
};
const machines = [
  [EFI_RAM_MIN, 0],
  [EFI_RAM_MIN + 4096, 0],
  [2 * GIB, 0],
  [3 * GIB, 0],
  [3 * GIB, 4096],
  [3 * GIB, 5 * GIB],
  [3 * GIB, 1021 * GIB],
] as const;

describe.each(machines)(
  'the map of a machine with %i bytes below and %i above 4 GiB',
  (low, high) => {
    const map = describeMemory(ramRanges(low, high), efiPlaces(low).regions, loader);

    test('is in order and no descriptor overlaps another', () => {
      for (const [index, one] of map.entries()) {
        expect(one.pages).toBeGreaterThan(0);
        const next = map[index + 1];
        if (next !== undefined) expect(end(one)).toBeLessThanOrEqual(next.base);
      }
    });

    test('covers every page of RAM', () => {
      for (const { base, size } of ramRanges(low, high)) {
        let at = base;
        for (const one of map) if (one.base <= at && end(one) > at) at = end(one);
        expect(at).toBeGreaterThanOrEqual(base + size);
      }
    });

    test('sets RUNTIME for runtime services and MMIO only', () => {
      for (const { type, attribute } of map) {
        const runtime = [
          T.RUNTIME_SERVICES_CODE,
          T.RUNTIME_SERVICES_DATA,
          T.MEMORY_MAPPED_IO,
        ] as readonly number[];
        expect((attribute & EFI_MEMORY.RUNTIME) !== 0n).toBe(runtime.includes(type));
        expect((attribute & EFI_MEMORY.WB) !== 0n).toBe(
          type !== T.MEMORY_MAPPED_IO && type !== T.RESERVED_TYPE,
        );
      }
    });

    test('becomes an e820 map with all RAM that is not reserved', () => {
      const e820 = setup_e820(map);
      const usable = e820.filter(({ type }) => type === 1).reduce((sum, { size }) => sum + size, 0);
      const reserved = map
        .filter(({ type }) => E820_OF_EFI[nameOf(type)] !== 1)
        .filter(({ base }) => base < 0xa_0000 || (base >= MIB && base < low))
        .reduce((sum, { pages }) => sum + pages * 4096, 0);
      expect(usable).toBe(0xa_0000 + low - MIB + high - reserved);
    });
  },
);

const nameOf = (type: number): keyof typeof T =>
  (Object.keys(T) as (keyof typeof T)[]).find((name) => T[name] === type) ?? 'RESERVED_TYPE';

describe('descriptors', () => {
  test('loader memory is in whole pages, the image as code, the rest as data', () => {
    const map = describeMemory(ramRanges(GIB, 0), efiPlaces(GIB).regions, loader);
    expect(map).toContainEqual(descriptor(T.LOADER_CODE, 16 * MIB, 4096));
    expect(map).toContainEqual(descriptor(T.LOADER_DATA, 0x9_0000, 1));
    expect(map).toContainEqual(descriptor(T.LOADER_DATA, 0x700_0000, 4));
  });

  test('of adjacent equal ranges are merged; of different ranges, or with a gap, not', () => {
    const region = { name: '', type: T.RESERVED_TYPE, attribute: 0n };
    const none = { code: [], data: [] };
    const at = (base: number): { base: number; size: number } => ({ base, size: 4096 });
    const map = describeMemory(
      [],
      [
        { ...region, ...at(0) },
        { ...region, ...at(0x1000) },
        { ...region, ...at(0x2000), attribute: 1n },
        { ...region, ...at(0x4000), attribute: 1n },
      ],
      none,
    );
    expect(map.map(({ base, pages }) => [base, pages])).toEqual([
      [0, 2],
      [0x2000, 1],
      [0x4000, 1],
    ]);
  });

  test('are stored at the stride, with virtual addresses and padding 0', () => {
    const bytes = memoryMapBytes([descriptor(3, 0x1000, 2), descriptor(7, 0x3000, 5)]);
    expect(bytes.length).toBe(2 * EFI_MEMORY_DESCRIPTOR_STRIDE);
    const view = new DataView(bytes.buffer, EFI_MEMORY_DESCRIPTOR_STRIDE);
    expect(view.getUint32(EFI_MEMORY_DESCRIPTOR.Type, true)).toBe(7);
    expect(view.getBigUint64(EFI_MEMORY_DESCRIPTOR.PhysicalStart, true)).toBe(0x3000n);
    expect(view.getBigUint64(EFI_MEMORY_DESCRIPTOR.VirtualStart, true)).toBe(0n);
    expect(view.getBigUint64(EFI_MEMORY_DESCRIPTOR.NumberOfPages, true)).toBe(5n);
    expect(view.getBigUint64(EFI_MEMORY_DESCRIPTOR.Attribute, true)).toBe(0xfn);
    expect(view.getBigUint64(EFI_MEMORY_DESCRIPTOR.size, true)).toBe(0n);
  });
});

describe('setup_e820', () => {
  test.each([
    [T.RESERVED_TYPE, 2],
    [T.LOADER_CODE, 1],
    [T.LOADER_DATA, 1],
    [T.BOOT_SERVICES_CODE, 1],
    [T.BOOT_SERVICES_DATA, 1],
    [T.RUNTIME_SERVICES_CODE, 2],
    [T.RUNTIME_SERVICES_DATA, 2],
    [T.CONVENTIONAL_MEMORY, 1],
    [T.UNUSABLE_MEMORY, 5],
    [T.ACPI_RECLAIM_MEMORY, 3],
    [T.ACPI_MEMORY_NVS, 4],
    [T.MEMORY_MAPPED_IO, 2],
    [T.MEMORY_MAPPED_IO_PORT_SPACE, 2],
    [T.PAL_CODE, 2],
    [T.PERSISTENT_MEMORY, 7],
  ])('converts EFI type %i to e820 type %i', (efi, type) => {
    expect(setup_e820([descriptor(efi, 0x1000, 1)])).toEqual([{ base: 0x1000, size: 4096, type }]);
  });

  test('omits an unknown type', () => {
    expect(setup_e820([descriptor(15, 0x1000, 1)])).toEqual([]);
  });

  test('merges adjacent ranges of one e820 type with any EFI types, and nothing across a gap', () => {
    expect(
      setup_e820([
        descriptor(T.LOADER_DATA, 0, 1),
        descriptor(T.BOOT_SERVICES_DATA, 0x1000, 1),
        descriptor(T.CONVENTIONAL_MEMORY, 0x3000, 1),
      ]),
    ).toEqual([
      { base: 0, size: 0x2000, type: 1 },
      { base: 0x3000, size: 0x1000, type: 1 },
    ]);
  });
});

test('efi_info splits addresses above 4 GiB', () => {
  const view = new DataView(
    efiInfo({ systab: 0x1_2345_6789, memmap: 0xfff_0000_1000, memmapSize: 96 }).buffer,
  );
  const field = (name: keyof typeof EFI_INFO): number => view.getUint32(EFI_INFO[name], true);
  expect([field('efi_systab'), field('efi_systab_hi')]).toEqual([0x2345_6789, 1]);
  expect([field('efi_memmap'), field('efi_memmap_hi')]).toEqual([0x1000, 0xfff]);
  expect([field('efi_memmap_size'), field('efi_memdesc_size')]).toEqual([96, 48]);
  expect(field('efi_memdesc_version')).toBe(1);
});
