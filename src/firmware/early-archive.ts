/** The uncompressed archive at the start of an initrd (Documentation/x86/early-microcode.txt), in newc format. */
import { latin1 } from '../base/bytes.js';
import type { ByteSource } from '../base/byte-source.js';

/** Size of a newc header in bytes: a magic of 6 and 13 hexadecimal fields of 8. */
const HEADER = 110;
const MAGIC = /^07070[12]/;
const FIELD = { filesize: 6, namesize: 11 } as const;
/** Entries that are examined at most: an early archive has a few (our choice). */
const MOST = 4096;

const align4 = (offset: number): number => Math.ceil(offset / 4) * 4;

/** The bytes of a file in the early archive of an initrd; undefined if the initrd does not begin with one that has it. */
export function earlyFile(initrd: ByteSource, path: string): Uint8Array | undefined {
  let at = 0;
  for (let entries = 0; entries < MOST && at + HEADER <= initrd.length; entries++) {
    const header = latin1(initrd.read(at, HEADER));
    if (!MAGIC.test(header)) return undefined;
    const field = (index: number): number =>
      parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
    const [size, nameSize] = [field(FIELD.filesize), field(FIELD.namesize)];
    const body = align4(at + HEADER + nameSize);
    // Also for fields that are not numbers.
    if (!(nameSize > 0 && body + size <= initrd.length)) return undefined;
    const name = latin1(initrd.read(at + HEADER, nameSize - 1));
    if (name === path) return initrd.read(body, size).slice();
    at = align4(body + size);
  }
  return undefined;
}
