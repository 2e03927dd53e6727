/** cpio archives in the newc format. */
import fc from 'fast-check';
import { readCpio, writeCpio, type CpioEntry } from '../../../src/firmware/cpio.js';
import { equalBytes } from '../../../src/base/bytes.js';
import { InputError } from '../../../src/base/errors.js';
import { concat } from '../../firmware/image/build.js';
import { mutated, oneOf, type Field } from '../bytes.js';
import { verify, type Kind } from '../kind.js';
import { sampleBytes, samplesIn } from '../samples.js';

const FILE = 'initrd.cpio';

const entry: fc.Arbitrary<CpioEntry> = fc.record({
  name: fc.constantFrom(
    'init',
    'bin',
    'bin/sh',
    '.',
    '__proto__',
    '../x',
    'a'.repeat(300),
    '\x1b[2J',
    'kernel/x86/microcode/AuthenticAMD.bin',
  ),
  mode: fc.constantFrom(0o100755, 0o040755, 0o120777, 0o020600, 0, 0o177777),
  body: fc.uint8Array({ maxLength: 40 }),
  uid: fc.nat(1000),
  mtime: fc.nat(0xffff_ffff),
});

const archives = fc
  .array(fc.tuple(fc.array(entry, { maxLength: 4 }), fc.constantFrom(0, 0, 1, 4, 508)), {
    minLength: 1,
    maxLength: 3,
  })
  .map((list) =>
    concat(
      ...list.flatMap(([entries, zeros], index) => [
        // Archives begin at multiples of 4.
        writeCpio(entries),
        new Uint8Array(index === list.length - 1 ? zeros : zeros & ~3),
      ]),
    ),
  );

const NAMESIZE = 6 + 8 * 11;
const FILESIZE = 6 + 8 * 6;
/** The lowest digits of the sizes in the first header. */
const FIELDS: readonly Field[] = [NAMESIZE, FILESIZE].flatMap((at) => [
  { at: at + 7, width: 1 } as const,
  { at: at + 3, width: 1 } as const,
]);

export const cpio: Kind = {
  name: 'cpio',
  what: 'cpio archives (newc)',
  ext: 'bin',
  inputs: 5000,
  share: 3,
  arbitrary: mutated(
    fc.oneof(
      { weight: 8, arbitrary: archives },
      {
        weight: 1,
        arbitrary: oneOf(samplesIn('test/fixtures/ramdisks', '.cpio').map(sampleBytes)),
      },
    ),
    { fields: FIELDS },
  ),
  read(bytes) {
    const { entries, end } = readCpio(bytes, { file: FILE });
    verify(end <= bytes.length, 'it read past the end');
    let written: Uint8Array;
    try {
      written = writeCpio(entries);
    } catch (error) {
      // The kernel unpacks an empty name, which the writer refuses.
      if (error instanceof InputError && error.code === 'E_BAD_CPIO') return true;
      throw error;
    }
    const again = readCpio(written, { file: FILE }).entries;
    verify(again.length === entries.length, 'written and read again it has other entries');
    for (const [index, { name, mode, uid, mtime, body }] of entries.entries()) {
      const other = again[index];
      verify(
        other?.name === name &&
          other.mode === mode &&
          other.uid === uid &&
          other.mtime === mtime &&
          equalBytes(other.body, body),
        `entry ${index} written and read again differs`,
      );
    }
    return true;
  },
};
