import { describe, expect, test } from '@jest/globals';
import { ascii, concat } from '../../../src/base/bytes.js';
import { recognise, type Contents } from '../../../src/inspect/exposure/recognise.js';

function of(bytes: Uint8Array, address = 0x1000): Contents {
  const { length } = bytes;
  return recognise({ length, address, masked: 0, physicalBits: 48 }, (offset, size) =>
    bytes.slice(offset, offset + size),
  );
}

const names = (bytes: Uint8Array, address?: number): string[] =>
  of(bytes, address).formats.map(({ name }) => name);

const padded = (...bytes: number[]): Uint8Array =>
  concat([Uint8Array.from(bytes), new Uint8Array(64)]);

/** An ACPI table of 40 bytes with a right checksum. */
function acpi(): Uint8Array {
  const table = new Uint8Array(40);
  table.set(ascii('APIC'));
  table[4] = table.length;
  table[9] = -table.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return table;
}

/** A page of 64-bit entries. */
function entries(...values: bigint[]): Uint8Array {
  const page = new Uint8Array(4096);
  const view = new DataView(page.buffer);
  values.forEach((value, i) => view.setBigUint64(i * 8, value, true));
  return page;
}

/** Deterministic bytes without a pattern (xorshift). */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

describe('recognise', () => {
  test.each<[string, Uint8Array, Uint8Array]>([
    ['ELF file', padded(0x7f, 0x45, 0x4c, 0x46, 2), padded(0x7f, 0x45, 0x4c, 0x46, 9)],
    ['gzip data', padded(0x1f, 0x8b, 8, 0), padded(0x1f, 0x8b, 8, 0xe0)],
    ['xz data', padded(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), padded(0xfd, 0x37, 0x7a, 0x58, 0x5b, 0)],
    ['zstd data', padded(0x28, 0xb5, 0x2f, 0xfd), padded(0x28, 0xb5, 0x2f, 0xfc)],
    ['cpio entry', ascii('070701'), ascii('070703')],
    [
      'boot setup header (HdrS)',
      padded(0x55, 0xaa, 0xeb, 0x66, ...ascii('HdrS')),
      padded(1, 2, 3, 4, ...ascii('HdrS')),
    ],
    ['ACPI RSDP', ascii('RSD PTR '), ascii('RSD PTRx')],
    ['ACPI table APIC', acpi(), acpi().fill(1, 39)],
    ['EFI system table', ascii('IBI SYST'), ascii('IBI SYS ')],
    ['device tree', padded(0xd0, 0x0d, 0xfe, 0xed), padded(0xd0, 0x0d, 0xfe, 0xee)],
    ['PEM text', ascii('-----BEGIN CERTIFICATE'), ascii('-----BEGUN CERTIFICATE')],
    ['page table', entries(0x1063n, 0x8000_0000_2063n), entries(0x1063n, 0x2062n)],
    ['page table', entries(0n, 0x1_2000_00e3n), entries(0n, 0x3_0001_2000_00e3n)],
  ])('finds %s, and not what is nearly one', (name, bytes, twin) => {
    expect(names(bytes)).toContain(name);
    expect(names(twin)).not.toContain(name);
  });

  test('finds an option ROM only where one may begin', () => {
    expect(names(padded(0x55, 0xaa, 4), 0xc_0000)).toEqual(['option ROM']);
    expect(names(padded(0x55, 0xaa, 4), 0xc_0040)).toEqual([]);
  });

  test('counts a format and gives the offset of its first', () => {
    const bytes = concat([new Uint8Array(10), ascii('070701'), new Uint8Array(4), ascii('070701')]);
    expect(of(bytes).formats).toEqual([{ name: 'cpio entry', at: 10, count: 2 }]);
  });

  test('has texts of at least six printable characters', () => {
    const { texts, textCount } = of(
      concat([ascii('short'), padded(1), ascii('secret'), padded(2)]),
    );
    expect(texts).toEqual([{ at: 5 + 65, text: 'secret' }]);
    expect(textCount).toBe(1);
  });

  test('has the longest of many texts, and cuts them', () => {
    const many = Array.from({ length: 50 }, (_, i) =>
      concat([ascii('x'.repeat(6 + i * 2)), padded(0)]),
    );
    const { texts, textCount } = of(concat(many));
    expect(textCount).toBe(50);
    expect(texts).toHaveLength(20);
    expect(texts.at(-1)?.text).toBe(`${'x'.repeat(64)}…`);
  });

  test('says of bytes without a pattern that they look random, and of text that it does not', () => {
    expect([64, 256, 4096, 100_000].map((length) => of(noise(length)).random)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(
      of(ascii('a text that anyone can read, of more than 64 characters, in plain English')).random,
    ).toBe(false);
    expect(of(new Uint8Array(4096)).random).toBe(false);
    expect(
      of(entries(...Array.from({ length: 512 }, (_, i) => BigInt(i * 4096 + 0x63)))).random,
    ).toBe(false);
  });

  test('is the same across the borders of what it reads at once', () => {
    const bytes = new Uint8Array((1 << 20) + 4096);
    bytes.set(ascii('across the border'), (1 << 20) - 8);
    bytes.set(acpi(), (1 << 20) - 60);
    expect(of(bytes)).toMatchObject({
      texts: [{ text: 'APIC(' }, { at: (1 << 20) - 8, text: 'across the border' }].slice(1),
      formats: [{ name: 'ACPI table APIC', at: (1 << 20) - 60, count: 1 }],
    });
  });

  test('does not count what is masked', () => {
    const bytes = concat([ascii('0123456789abcdef'), new Uint8Array(48)]);
    const examined = { length: 64, address: 0, masked: 48, physicalBits: 48 };
    expect(recognise(examined, () => bytes)).toMatchObject({ zero: 0, textCount: 1 });
  });
});
