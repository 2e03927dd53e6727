import { describe, expect, test } from '@jest/globals';
import { gzip } from 'pako';
import { readKernelImage } from '../../../src/firmware/image/kernel-image.js';
import { nameKind } from '../../../src/firmware/image/kinds.js';
import { compressed } from '../../decompress/compressed.js';
import {
  ascii,
  buildBzImage,
  buildElf,
  concat,
  le32,
  lz4Legacy,
  refusal,
  viewOf,
} from './build.js';
import { buildPe } from './build-pe.js';
import { exhaustiveTest } from '../../cases.js';

/** Text at an offset of otherwise empty bytes. */
function at(offset: number, text: string, length = 1024): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(ascii(text), offset);
  return bytes;
}

const KINDS: readonly (readonly [string, Uint8Array])[] = [
  ['an empty file', new Uint8Array(0)],
  ['an arm64 Image', at(56, 'ARM\x64')],
  ['an arm64 Image', concat(ascii('MZ'), at(54, 'ARM\x64'))],
  ['a RISC-V Image', at(56, 'RSC\x05')],
  ['an ARM zImage', concat(new Uint8Array(36), [0x18, 0x28, 0x6f, 0x01])],
  ['a device tree or a FIT image', concat([0xd0, 0x0d, 0xfe, 0xed], new Uint8Array(40))],
  ['an Android boot image', ascii('ANDROID!')],
  ['a cpio archive (an initrd)', ascii('070701')],
  ['an ar archive (a Debian package?)', ascii('!<arch>\ndebian-binary')],
  ['a squashfs file system', ascii('hsqs')],
  ['a tar archive', at(257, 'ustar')],
  ['an ISO 9660 image', at(0x8001, 'CD001', 0x9000)],
  ['a DOS program', at(0, 'MZ', 60)],
  ['a PE file for arm64 without a Linux kernel in it', buildPe({ sections: [], machine: 0xaa64 })],
  ['a PE file for x86-64 without a Linux kernel in it', buildPe({ sections: [] })],
  ['a file that starts with 23 21 2f 62', ascii('#!/bin/sh')],
  ['a file that starts with 7f', Uint8Array.of(0x7f)],
];

describe('a file that is not a kernel', () => {
  test.each(KINDS)('is %s', (name, bytes) => {
    expect(nameKind(bytes)).toBe(name);
    const error = refusal(() => readKernelImage(bytes, { file: 'Image' }));
    expect({ code: error.code, place: error.place, found: error.found }).toEqual({
      code: 'E_NOT_A_KERNEL',
      place: { file: 'Image', offset: 0 },
      found: name,
    });
  });

  test('is a uImage, with its processor and name', () => {
    const bytes = concat([0x27, 0x05, 0x19, 0x56], new Uint8Array(200));
    bytes[29] = 22;
    bytes.set(ascii('Linux-6.1\u001b[2J'), 32);
    expect(nameKind(bytes)).toBe('a uImage for arm64, "Linux-6.1.[2J"');
  });

  test('is an EFI zboot image, with its compression and processor', () => {
    const bytes = buildPe({ sections: [['.gzdata', new Uint8Array(9)]], machine: 0xaa64 });
    bytes.set(ascii('zimg'), 4);
    bytes.set(ascii('zstd22\0'), 0x18);
    expect(nameKind(bytes)).toBe('an EFI zboot image (zstd22) for arm64');
  });

  test('is named after decompression', () => {
    const image = gzip(at(56, 'ARM\x64'));
    expect(refusal(() => readKernelImage(image, { file: 'Image.gz' })).found).toBe(
      'an arm64 Image, compressed with gzip',
    );
    for (const [name, file] of [
      ['XZ', 'crc64.xz'],
      ['ZSTD', 'sample.zst'],
      ['LZ4', 'frame.lz4'],
      ['bzip2', 'sample.bz2'],
      ['LZMA', 'unknown.lzma'],
      ['LZO', 'sample.lzo'],
    ] as const) {
      const { found } = refusal(() => readKernelImage(compressed(file), { file }));
      expect(found).toMatch(new RegExp(`^a file that starts with .*, compressed with ${name}$`));
    }
  });

  exhaustiveTest('is identified by its first decompressed part', () => {
    // 64 MiB of zeros in 64 KiB: the identifying bytes are in the first part.
    const bomb = gzip(new Uint8Array(1 << 26));
    expect(refusal(() => readKernelImage(bomb, { file: 'bomb' })).found).toBe(
      'a file that starts with 00 00 00 00, compressed with gzip',
    );
  });
});

describe('a 32-bit kernel', () => {
  test('is detected by xloadflags', () => {
    const bytes = buildBzImage({ payload: compressed('bcj-crc32.xz') });
    viewOf(bytes).setUint16(0x236, 4, true);
    const error = refusal(() => readKernelImage(bytes, { file: 'vmlinuz' }));
    expect({ code: error.code, place: error.place, found: error.found }).toEqual({
      code: 'E_NOT_A_KERNEL',
      place: { file: 'vmlinuz', offset: 0x236 },
      found: 'a 32-bit one: xloadflags 0x4',
    });
  });

  test('before boot protocol 2.12 is detected by its ELF class', () => {
    const elf = buildElf({ segments: [] });
    elf[4] = 1;
    viewOf(elf).setUint16(18, 3, true);
    const bytes = buildBzImage({
      payload: concat(lz4Legacy(elf), le32(elf.length)),
      protocol: 0x020a,
    });
    const error = refusal(() => readKernelImage(bytes, { file: 'vmlinuz' }));
    expect({ place: error.place, found: error.found }).toEqual({
      place: { file: 'vmlinuz', path: 'payload', offset: 4 },
      found: '1 (32-bit), e_machine 3 (i386)',
    });
  });
});

test('another program of the boot protocol, without a payload, is not a kernel', () => {
  const bytes = buildBzImage({ payload: new Uint8Array(0) });
  const error = refusal(() => readKernelImage(bytes, { file: 'memtest' }));
  expect({ code: error.code, place: error.place }).toEqual({
    code: 'E_NOT_A_KERNEL',
    place: { file: 'memtest', offset: 0x24c },
  });
});

test('a program with an interpreter is not a kernel', () => {
  const bytes = buildElf({
    segments: [{ vaddr: 0x1000, paddr: 0x1000, bytes: ascii('/lib64/ld.so\0'), type: 3 }],
  });
  expect(refusal(() => readKernelImage(bytes, { file: 'ls' })).found).toBe(
    'a program with an interpreter (PT_INTERP)',
  );
});
