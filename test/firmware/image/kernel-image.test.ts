import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { gzip } from 'pako';
import { readKernelImage, type KernelImage } from '../../../src/firmware/image/kernel-image.js';
import {
  ascii,
  buildBzImage,
  buildElf,
  buildKallsyms,
  concat,
  le32,
  lz4Legacy,
  noise,
  refusal,
} from './build.js';
import { buildPe } from './build-pe.js';

const TEXT = -0x7f00_0000;
const RODATA = TEXT + 0x2000;
const BANNER = 'Linux version 4.6.0 (builder@host) #1 SMP';
const list = [
  { name: '__per_cpu_start', type: 'A', address: 0 },
  { name: '_text', type: 'T', address: TEXT },
  ...Array.from({ length: 300 }, (_, index) => ({
    name: `function_${index}`,
    type: 't',
    address: TEXT + 16 + index * 16,
  })),
  { name: 'linux_banner', type: 'R', address: RODATA },
];
const kallsyms = buildKallsyms(list, { word: 8, addresses: 'relative-percpu', order: 'classic' });
const text = { vaddr: TEXT, paddr: 0x100_0000, bytes: noise(0x2000) };
const rodata = {
  vaddr: RODATA,
  paddr: 0x100_2000,
  bytes: concat(ascii(`${BANNER}\n\0`.padEnd(128, '\0')), kallsyms),
  flags: 4,
};
const stripped = buildElf({ segments: [text, rodata] });
const bare = buildElf({ segments: [text, { ...rodata, bytes: rodata.bytes.subarray(0, 128) }] });
const bzImage = buildBzImage({ payload: concat(lz4Legacy(stripped), le32(stripped.length)) });
const MAP = `ffffffff81000000 T _text
ffffffff81002000 R linux_banner
ffffffff81003000 B _end
`;

describe('a kernel image', () => {
  test('that is a bzImage has its setup header, version, segments and kallsyms', () => {
    const image = readKernelImage(bzImage, { file: 'vmlinuz' });
    expect(image.kind).toBe('bzImage');
    expect(image.file).toBe('vmlinuz');
    expect(image.version).toBe('4.6.0 (built) #1');
    expect(image.setupHeader).toEqual(bzImage.slice(0x1f1, 0x264));
    expect(image.entry).toBe(0x100_0000);
    expect(image.segments.map(({ paddr }) => paddr)).toEqual([0x100_0000, 0x100_2000]);
    expect(image.symbols.size).toBe(list.length);
    expect(image.symbols.get('function_299')?.address).toBe(TEXT + 16 + 299 * 16);
  });

  test('that is a vmlinux has its banner as the version', () => {
    const image = readKernelImage(stripped, { file: 'vmlinux' });
    expect(image.kind).toBe('vmlinux');
    expect(image.version).toBe(BANNER);
    expect(image.setupHeader).toBeUndefined();
    expect('setupHeader' in image).toBe(false);
  });

  test('with an ELF symbol table has the symbols of that, not of kallsyms', () => {
    const bytes = buildElf({
      segments: [text, rodata],
      symbols: [{ name: '_text', value: TEXT }],
    });
    expect([...readKernelImage(bytes, { file: 'vmlinux' }).symbols.names()]).toEqual(['_text']);
  });

  test('has the SHA-256 of its file, also with another hash function', () => {
    const sha256 = (bytes: Uint8Array): Uint8Array =>
      new Uint8Array(createHash('sha256').update(bytes).digest());
    const expected = createHash('sha256').update(bzImage).digest('hex');
    const images: KernelImage[] = [
      readKernelImage(bzImage, { file: 'vmlinuz' }),
      readKernelImage(bzImage, { file: 'vmlinuz', sha256 }),
    ];
    for (const image of images) {
      expect(image.digest).toBe(expected);
      expect(image.digest).toBe(expected);
    }
  });

  test('has the symbols of a given System.map', () => {
    const systemMap = { file: 'System.map', text: MAP };
    const image = readKernelImage(bare, { file: 'vmlinux', systemMap });
    expect(image.symbols.size).toBe(3);
    expect(image.version).toBe(BANNER);
    const other = readKernelImage(bzImage, { file: 'vmlinuz', systemMap });
    expect(other.symbols.get('function_0')).toBeUndefined();
  });

  test.each([
    ['_text elsewhere', MAP.replace('81000000', '82000000')],
    ['the banner elsewhere', MAP.replace('81002000', '81002001')],
    ['the banner outside the image', MAP.replace('81002000', '91002000')],
  ])('is refused with a System.map with %s', (_title, map) => {
    const { code, place } = refusal(() =>
      readKernelImage(bare, { file: 'vmlinux', systemMap: { file: 'other.map', text: map } }),
    );
    expect({ code, place }).toEqual({
      code: 'E_SYSTEM_MAP_MISMATCH',
      place: { file: 'other.map' },
    });
  });

  test('without symbols is refused, with the suggestion of a System.map', () => {
    const { code, place, reason } = refusal(() => readKernelImage(bare, { file: 'vmlinux' }));
    expect({ code, place }).toEqual({ code: 'E_NO_SYMBOLS', place: { file: 'vmlinux' } });
    expect(reason).toContain('System.map');
  });

  test.each([
    ['nothing', new Uint8Array(0), 'an empty file'],
    ['a text', ascii('#!/bin/sh\n'), 'a file that starts with 23 21 2f 62'],
    ['half a boot sector', bzImage.subarray(0, 0x202), 'a file that starts with 00 00 00 00'],
  ])('is not %s', (_title, bytes, found) => {
    const error = refusal(() => readKernelImage(bytes, { file: 'vmlinuz' }));
    expect({ code: error.code, place: error.place, found: error.found }).toEqual({
      code: 'E_NOT_A_KERNEL',
      place: { file: 'vmlinuz', offset: 0 },
      found,
    });
  });

  test.each([
    ['vmlinux', stripped],
    ['bzImage', bzImage],
  ])('that is a %s compressed as a whole is read like the uncompressed one', (kind, bytes) => {
    const plain = readKernelImage(bytes, { file: 'vmlinuz' });
    const packed = gzip(bytes);
    const image = readKernelImage(packed, { file: 'vmlinuz.gz' });
    expect(image.kind).toBe(kind);
    expect(image.packedWith).toBe('gzip');
    expect(image.segments).toEqual(plain.segments);
    expect(image.digest).toBe(createHash('sha256').update(packed).digest('hex'));
    expect('packedWith' in plain).toBe(false);
  });

  test('with bytes after the compressed stream is refused at their offset', () => {
    const packed = gzip(stripped);
    expect(readKernelImage(concat(packed, [0, 0]), { file: 'f' }).packedWith).toBe('gzip');
    const { code, place } = refusal(() =>
      readKernelImage(concat(packed, ascii('dtb')), { file: 'f' }),
    );
    expect({ code, place }).toEqual({
      code: 'E_CORRUPT',
      place: { file: 'f', offset: packed.length },
    });
  });

  test('in a UKI is the bzImage of its .linux', () => {
    const uki = buildPe({ sections: [['.linux', bzImage]] });
    const image = readKernelImage(uki, { file: 'linux.efi' });
    expect(image.kind).toBe('bzImage');
    expect(image.compression).toBe('LZ4');
    expect(image.setupHeader).toEqual(bzImage.slice(0x1f1, 0x264));
    expect(image.uki?.linux.bytes).toEqual(bzImage);
    expect(image.digest).toBe(createHash('sha256').update(uki).digest('hex'));
  });

  test('in a UKI that is not a kernel is refused inside .linux', () => {
    for (const [linux, found] of [
      [ascii('#!/bin/sh'), 'a file that starts with 23 21 2f 62'],
      [buildPe({ sections: [['.linux', bzImage]] }), 'a PE file for x86-64'],
    ] as const) {
      const uki = buildPe({ sections: [['.linux', linux]] });
      const error = refusal(() => readKernelImage(uki, { file: 'linux.efi' }));
      expect(error.place).toEqual({ file: 'linux.efi', path: '.linux', offset: 0 });
      expect(error.found).toContain(found);
    }
  });

  test('with a payload that is not ELF is refused inside the payload', () => {
    const junk = noise(500);
    const bytes = buildBzImage({ payload: concat(lz4Legacy(junk), le32(junk.length)) });
    const { code, place } = refusal(() => readKernelImage(bytes, { file: 'vmlinuz' }));
    expect({ code, place }).toEqual({
      code: 'E_NOT_A_KERNEL',
      place: { file: 'vmlinuz', path: 'payload', offset: 0 },
    });
  });
});
