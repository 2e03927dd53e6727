/** Files in the uncompressed archive at the start of an initrd. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { asSource } from '../../src/base/byte-source.js';
import { earlyFile } from '../../src/firmware/early-archive.js';
import { builtInInitrd, MICROCODE_PATH, microcodeContainer } from '../../src/firmware/initrd.js';

const find = (bytes: Uint8Array, path = MICROCODE_PATH) => earlyFile(asSource(bytes), path);

describe('earlyFile', () => {
  const initrd = builtInInitrd();

  test('returns the bytes of a file in the early archive', () => {
    expect(find(initrd)).toEqual(microcodeContainer());
  });

  test('returns undefined for another path, and for an initrd that begins with another archive', () => {
    expect(find(initrd, 'kernel/x86/microcode/GenuineIntel.bin')).toBeUndefined();
    expect(find(initrd, `${MICROCODE_PATH}x`)).toBeUndefined();
    expect(find(Uint8Array.of(0x1f, 0x8b, ...initrd.subarray(0, 512)))).toBeUndefined();
    expect(find(new Uint8Array(0))).toBeUndefined();
  });

  test('returns undefined for an archive that is cut off or has other bytes, and does not throw', () => {
    const early = initrd.slice(0, 2048);
    fc.assert(
      fc.property(fc.nat(early.length), fc.nat(early.length - 1), fc.nat(255), (cut, at, byte) => {
        const bytes = early.slice(0, cut);
        if (at < cut) bytes[at] = byte;
        const found = find(bytes);
        expect(found === undefined || found.length <= cut).toBe(true);
      }),
    );
  });
});
