/**
 * LZO in the files of lzop: a header, then blocks, each with its two sizes and checksums (lib/decompress_unlzo.c, which
 * reads one checksum per block and compares none; the flags are lzop's, by its manual's --checksum options).
 */
import { adler32, crc32 } from './crc.js';
import { decodeLzoBlock } from './lzo-block.js';
import type { Output } from './output.js';
import { hex32, type Source } from './source.js';

const MAGIC = [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a] as const;
/** From this version on the header has a compression level and the high half of the time. */
const LONG_HEADER = 0x0940;
/** LZO_BLOCK_SIZE: the most output of a block. */
export const LZO_BLOCK_SIZE = 256 * 1024;
const WORD = 4;

/** Flags of the header: checksums of each block's contents, or of its compressed bytes, a filter, the header's checksum. */
const FLAG = {
  ADLER32_D: 1 << 0,
  ADLER32_C: 1 << 1,
  CRC32_D: 1 << 8,
  CRC32_C: 1 << 9,
  FILTER: 1 << 11,
  H_CRC32: 1 << 12,
} as const;

type Checksum = (bytes: Uint8Array) => number;
/** Checksums of a block in their order in the file. */
const OF_CONTENTS: readonly (readonly [number, Checksum])[] = [
  [FLAG.ADLER32_D, adler32],
  [FLAG.CRC32_D, crc32],
];
/** Absent for a block that is stored. */
const OF_COMPRESSED: readonly (readonly [number, Checksum])[] = [
  [FLAG.ADLER32_C, adler32],
  [FLAG.CRC32_C, crc32],
];

/** A 32-bit field, big endian. */
const be32 = (source: Source, at: number, what: string): number => {
  source.need(at, WORD, what);
  return source.view.getUint32(at, false);
};

const HEADER = 'LZO header';

/** Reads the header. Returns the offset of the first block, and the flags. */
function readHeader(source: Source, verify: boolean): { at: number; flags: number } {
  const found = source.slice(0, MAGIC.length, HEADER);
  if (MAGIC.some((byte, i) => found[i] !== byte)) throw source.corrupt(0, `${HEADER}: magic`);
  let at = MAGIC.length;
  source.need(at, 2, HEADER);
  const long = source.view.getUint16(at, false) >= LONG_HEADER;
  // Versions of the program, of the library, and needed to extract; the method; the level.
  at += long ? 8 : 7;
  const flags = be32(source, at, HEADER);
  at += (flags & FLAG.FILTER) === 0 ? WORD : 2 * WORD;
  // Mode and time, and the length of the name.
  at += long ? 12 : 8;
  at += 1 + source.u8(at, HEADER);
  const stored = be32(source, at, HEADER);
  if (verify) {
    const sum = (flags & FLAG.H_CRC32) === 0 ? adler32 : crc32;
    const computed = sum(source.bytes.subarray(MAGIC.length, at));
    source.checksum(at, `${HEADER} checksum`, hex32(stored), hex32(computed));
  }
  return { at: at + WORD, flags };
}

/**
 * Decodes one file. Returns the offset of its end.
 *
 * @param verify false: each block has one checksum, which is not compared, as lib/decompress_unlzo.c reads it.
 */
export function decodeLzo(source: Source, out: Output, verify: boolean): number {
  const header = readHeader(source, verify);
  const { flags } = header;
  let { at } = header;
  for (;;) {
    const size = be32(source, at, 'size of an LZO block');
    if (size === 0) return at + WORD;
    if (size > LZO_BLOCK_SIZE) throw source.corrupt(at, 'size of an LZO block');
    const length = be32(source, at + WORD, 'compressed size of an LZO block');
    if (length === 0 || length > size) {
      throw source.corrupt(at + WORD, 'compressed size of an LZO block');
    }
    at += 2 * WORD;
    const sums = verify
      ? [...OF_CONTENTS, ...(length < size ? OF_COMPRESSED : [])].filter(
          ([bit]) => (flags & bit) !== 0,
        )
      : [];
    const data = at + WORD * (verify ? sums.length : 1);
    const packed = source.slice(data, length, 'LZO block');
    const start = out.length;
    decodeBlock(source, out, { from: data, length, size });
    for (const [bit, sum] of sums) {
      const stored = be32(source, at, 'checksum of an LZO block');
      const bytes = OF_CONTENTS.some(([each]) => each === bit) ? out.since(start) : packed;
      source.checksum(at, 'checksum of an LZO block', hex32(stored), hex32(sum(bytes)));
      at += WORD;
    }
    at = data + length;
  }
}

/** A block as long as its contents is stored. */
function decodeBlock(
  source: Source,
  out: Output,
  { from, length, size }: { from: number; length: number; size: number },
): void {
  if (length === size) {
    out.append(source.bytes.subarray(from, from + length), from);
    return;
  }
  const bytes = out.reserve(size, from);
  const end = out.length + size;
  const block = decodeLzoBlock(source.bytes, [from, from + length], bytes, [out.length, end]);
  if (block.error !== undefined) throw source.corrupt(block.at, block.error);
  if (block.at !== end) throw source.corrupt(from, 'an LZO block with less output than its size');
  out.length = end;
}
