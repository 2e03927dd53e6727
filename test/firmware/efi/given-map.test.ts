import { describe, expect, test } from '@jest/globals';
import { givenMap, without } from '../../../src/firmware/efi/given-map.js';
import { refusal } from '../image/build.js';
import { EFI_MEMORY, EFI_MEMORY_TYPE } from '../../../src/firmware/efi/layout.js';

const MIB = 2 ** 20;
const e820 = [
  { base: 0, size: 0xa_0000, type: 1 },
  { base: MIB, size: 255 * MIB, type: 1 },
  { base: 256 * MIB, size: MIB, type: 3 },
  { base: 257 * MIB, size: 64 * MIB, type: 1 },
  { base: 321 * MIB, size: MIB, type: 4 },
  { base: 2 ** 32, size: 64 * MIB, type: 1 },
];

describe('a given memory map', () => {
  test('has the firmware at the top of the highest usable range below 4 GiB with room', () => {
    expect(givenMap(e820, undefined).lowTop).toBe(321 * MIB);
    const smaller = e820.map((r) => (r.base === 257 * MIB ? { ...r, size: 63 * MIB } : r));
    expect(givenMap(smaller, undefined).lowTop).toBe(256 * MIB);
    expect(() => givenMap(e820.slice(0, 1), undefined)).toThrow(/E_EFI_RAM/);
  });

  test('without an EFI map reserves the ranges of the BIOS map, with EFI types', () => {
    expect(givenMap(e820, undefined).reserved).toMatchObject([
      { base: 256 * MIB, size: MIB, type: EFI_MEMORY_TYPE.ACPI_RECLAIM_MEMORY },
      { base: 321 * MIB, size: MIB, type: EFI_MEMORY_TYPE.ACPI_MEMORY_NVS },
    ]);
  });

  test('with an EFI map reserves all but free ranges, runtime ranges with RUNTIME', () => {
    const range = (base: number, type: number, runtime = false) => ({
      base,
      size: 4096,
      type,
      runtime,
    });
    const { reserved } = givenMap(e820, [
      range(0, 7),
      range(4096, 1),
      range(8192, 2),
      range(MIB, 6, true),
    ]);
    expect(reserved).toHaveLength(1);
    expect((reserved[0]?.attribute ?? 0n) & EFI_MEMORY.RUNTIME).not.toBe(0n);
  });
});

test('device registers are uncached, memory may be write-back', () => {
  const range = (type: number) => ({ base: MIB, size: 4096, type, runtime: true });
  const attributes = (type: number): bigint =>
    (givenMap(e820, [range(type)]).reserved[0]?.attribute ?? 0n) & (EFI_MEMORY.WB | EFI_MEMORY.UC);
  expect([11, 12].map(attributes)).toEqual([EFI_MEMORY.UC, EFI_MEMORY.UC]);
  expect([0, 5, 6].map(attributes)).toEqual(Array(3).fill(EFI_MEMORY.WB | EFI_MEMORY.UC));
});

describe('a map with a range that is not whole pages', () => {
  const efi = { base: MIB, size: 4096, type: 7, runtime: false };
  test.each([
    ['e820', 1, { base: MIB + 1, size: 4095 }, 'start', '0x100000', '0x100001'],
    ['e820', 5, { base: 2 ** 32, size: 64 * MIB + 1 }, 'end', '0x103ffffff', '0x104000000'],
    ['e820', 5, { base: 2 ** 32, size: 64 * MIB - 1 }, 'end', '0x103ffefff', '0x103fffffe'],
    ['e820', 0, { base: 0, size: 0x9_fc00 }, 'end', '0x9efff', '0x9fbff'],
    ['e820', 0, { base: 0, size: 1 }, 'end', '0xfff', '0x0'],
    ['efiMemoryMap', 0, { base: MIB, size: 4095 }, 'end', '0x100fff', '0x100ffe'],
    ['efiMemoryMap', 0, { base: MIB - 1, size: 4097 }, 'start', '0xff000', '0xfffff'],
  ])('is refused: %s[%i] as %p', (which, index, range, field, expected, found) => {
    const changed = e820.map((each, i) =>
      which === 'e820' && i === index ? { ...each, ...range } : each,
    );
    const given = which === 'e820' ? undefined : [{ ...efi, ...range }];
    const error = refusal(() => givenMap(changed, given));
    expect(error.code).toBe('E_EFI_PAGES');
    expect(error.place.path).toBe(`firmware.${which}[${index}].${field}`);
    expect(error.expected).toContain(expected);
    expect(error.found).toBe(found);
  });
});

describe('without(): a region of [100, 200)', () => {
  const region = { name: 'r', base: 100, size: 100, type: 0, attribute: 0n };
  const left = (base: number, size: number) =>
    without([region], [{ base, size }]).map((r) => [r.base, r.size]);

  test.each([
    [0, 100, [[100, 100]]],
    [0, 101, [[101, 99]]],
    [100, 100, []],
    [
      150,
      10,
      [
        [100, 50],
        [160, 40],
      ],
    ],
    [199, 1, [[100, 99]]],
    [200, 100, [[100, 100]]],
  ])('is reduced or split by the range at %i of %i bytes', (base, size, expected) => {
    expect(left(base, size)).toEqual(expected);
  });
});
