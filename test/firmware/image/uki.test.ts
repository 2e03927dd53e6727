import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isPe, readPe } from '../../../src/firmware/image/pe.js';
import { isUki, readUki } from '../../../src/firmware/image/uki.js';
import { InputError } from '../../../src/base/errors.js';
import { ascii, concat, noise, refusal, viewOf } from './build.js';
import { buildPe } from './build-pe.js';

const linux = noise(500);
const initrd = ascii('070701 initrd');
const uki = buildPe({
  sections: [
    ['.text', noise(40)],
    ['.sbat', ascii('sbat,1')],
    ['.osrel', ascii('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n')],
    ['.uname', ascii('6.1.0-56-amd64\n\0')],
    ['.cmdline', ascii('root=/dev/sda2\nmem_encrypt=on \n\0')],
    ['.linux', linux],
    ['.initrd', initrd],
    ['.splash', noise(9)],
  ],
});

describe('a unified kernel image', () => {
  test('has kernel, initrd and command line, and lists unused sections', () => {
    expect(isUki(uki)).toBe(true);
    const read = readUki(uki, 'linux.efi');
    expect(read).toEqual({
      linux: { name: '.linux', offset: expect.any(Number), bytes: linux },
      initrd,
      cmdline: 'root=/dev/sda2 mem_encrypt=on',
      system: 'Debian GNU/Linux 12',
      release: '6.1.0-56-amd64',
      unused: ['.sbat', '.splash'],
    });
    expect(uki.subarray(read.linux.offset, read.linux.offset + 500)).toEqual(linux);
  });

  test('may have a kernel only', () => {
    const read = readUki(buildPe({ sections: [['.linux', linux]] }), 'linux.efi');
    expect(read).toEqual({ linux: expect.anything(), unused: [] });
  });

  test('has its microcode before its initrd, padded to a multiple of four', () => {
    const sections = [
      ['.linux', linux],
      ['.initrd', initrd],
      ['.ucode', ascii('ucode')],
    ] as const;
    const read = readUki(buildPe({ sections }), 'linux.efi');
    expect(read.initrd).toEqual(concat(ascii('ucode\0\0\0'), initrd, [0, 0, 0]));
  });

  test('for another processor is refused with the name of the processor', () => {
    const other = buildPe({ sections: [['.linux', linux]], machine: 0xaa64 });
    const error = refusal(() => readUki(other, 'linux.efi'));
    expect({ code: error.code, found: error.found }).toEqual({
      code: 'E_NOT_A_KERNEL',
      found: 'a UKI for arm64',
    });
  });

  test('is not a PE file without .linux, nor one with a truncated table', () => {
    expect(isUki(buildPe({ sections: [['.text', linux]] }))).toBe(false);
    expect(isUki(uki.subarray(0, 0x1a0))).toBe(false);
    expect(isPe(uki.subarray(0, 0x90))).toBe(false);
  });

  test('with a section past its end is refused with the offset of the section', () => {
    const { code, place } = refusal(() => readPe(uki.subarray(0, -6), { file: 'linux.efi' }));
    expect(code).toBe('E_TRUNCATED');
    expect(place.offset).toBe(uki.length - 5 - 9);
  });

  test('limits a section to its size in memory', () => {
    const changed = uki.slice();
    const table = 0x80 + 24 + 0xf0;
    // VirtualSize of .cmdline, the fifth section.
    viewOf(changed).setUint32(table + 4 * 40 + 8, 9, true);
    expect(readUki(changed, 'linux.efi').cmdline).toBe('root=/dev');
  });

  test('corrupted in any byte of its header is read or refused', () => {
    fc.assert(
      fc.property(
        fc.nat(0x80 + 24 + 0xf0 + 8 * 40),
        fc.integer({ min: 0, max: 255 }),
        (at, byte) => {
          const wrong = uki.with(at, byte);
          try {
            if (isUki(wrong)) readUki(wrong, 'linux.efi');
          } catch (error) {
            if (!(error instanceof InputError)) throw error;
          }
        },
      ),
    );
  });
});
