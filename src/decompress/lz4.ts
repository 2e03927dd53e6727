/**
 * LZ4 in frames (lz4 doc/lz4_Frame_format.md): the legacy frame of kernel payloads, and the current one. A legacy frame
 * is a magic, then blocks, each a 32-bit length and that many compressed bytes, for at most 8 MiB of output.
 */
import { decodeLz4Block } from './lz4-block.js';
import type { Output } from './output.js';
import { hex32, type Source } from './source.js';
import { xxh32 } from './xxhash.js';

/** The first four bytes of a legacy frame, little endian (lz4_Frame_format.md, "Legacy frame"). */
export const LZ4_LEGACY_MAGIC = 0x184c_2102;
/** The first four bytes of a frame, little endian (lz4_Frame_format.md, "General Structure"). */
export const LZ4_FRAME_MAGIC = 0x184d_2204;
/** The most output of a block of a legacy frame (lz4_Frame_format.md). */
export const LZ4_LEGACY_BLOCK_SIZE = 8 << 20;
/** The largest block for 8 MiB of incompressible output (lz4.h, LZ4_COMPRESSBOUND). */
const LEGACY_BLOCK_BOUND = LZ4_LEGACY_BLOCK_SIZE + Math.floor(LZ4_LEGACY_BLOCK_SIZE / 255) + 16;

const WORD = 4;
/** FLG, bit by bit (lz4_Frame_format.md, "Frame Descriptor"). */
const FLG = {
  dictionaryId: 1 << 0,
  reserved: 1 << 1,
  contentChecksum: 1 << 2,
  contentSize: 1 << 3,
  blockChecksum: 1 << 4,
  independent: 1 << 5,
  versionShift: 6,
} as const;
const VERSION = 1;
/** BD: bits 4 to 6 are the largest block, the others reserved. */
const BD_SIZE_SHIFT = 4;
const BD_RESERVED = 0x8f;
/** The largest block by BD's value: 64 KiB to 4 MiB. */
const BLOCK_SIZES: ReadonlyMap<number, number> = new Map([
  [4, 1 << 16],
  [5, 1 << 18],
  [6, 1 << 20],
  [7, 1 << 22],
]);
/** Set in a block's size if its bytes are not compressed. */
const UNCOMPRESSED = 0x8000_0000;

/** Decodes one frame of either kind, a legacy one with the legacy frames after it. Returns the offset of the end. */
export function decodeLz4(source: Source, out: Output): number {
  const magic = source.u32(0, 'magic of the LZ4 frame');
  if (magic === LZ4_LEGACY_MAGIC) return decodeLegacy(source, out);
  if (magic === LZ4_FRAME_MAGIC) return decodeFrame(source, out);
  throw source.error('E_CORRUPT', 0, {
    reason: 'magic of the LZ4 frame',
    expected: `${hex32(LZ4_FRAME_MAGIC)}, or ${hex32(LZ4_LEGACY_MAGIC)} (legacy)`,
    found: hex32(magic),
  });
}

/** A legacy frame ends at the end of input, at a length of 0 (padding), or at an impossible length: another magic. */
function decodeLegacy(source: Source, out: Output): number {
  let at = WORD;
  while (at < source.length) {
    const length = source.u32(at, 'length of an LZ4 block');
    if (length === LZ4_LEGACY_MAGIC) {
      at += WORD; // another frame (lib/decompress_unlz4.c, unlz4)
      continue;
    }
    if (length === 0 || length > LEGACY_BLOCK_BOUND) return at;
    source.need(at + WORD, length, 'LZ4 block');
    decodeBlock(source, out, { from: at + WORD, to: at + WORD + length }, LZ4_LEGACY_BLOCK_SIZE);
    at += WORD + length;
  }
  return at;
}

/** Decodes a compressed block of at most `most` bytes of output. @param window the first byte that matches may use. */
function decodeBlock(
  source: Source,
  out: Output,
  { from, to }: { from: number; to: number },
  most: number,
  window = out.length,
): void {
  const room = out.reserveUpTo(most);
  const { length } = out;
  const block = decodeLz4Block(source.bytes, from, to, out.bytes, length, length + room, window);
  if (block.error === undefined) {
    out.length = block.at;
    return;
  }
  if (block.pastLimit === true && room < most) throw out.tooMuch(block.at);
  throw source.corrupt(block.at, block.error);
}

interface FrameDescriptor {
  /** Offset of the first block. */
  readonly end: number;
  readonly flg: number;
  readonly largestBlock: number;
  readonly contentSize?: number;
}

function readDescriptor(source: Source): FrameDescriptor {
  const flg = source.u8(WORD, 'FLG of the LZ4 frame');
  const bd = source.u8(WORD + 1, 'BD of the LZ4 frame');
  const version = flg >>> FLG.versionShift;
  if (version !== VERSION) throw source.corrupt(WORD, `version ${version} of the LZ4 frame`);
  const largestBlock = BLOCK_SIZES.get(bd >>> BD_SIZE_SHIFT);
  if ((flg & FLG.reserved) !== 0 || (bd & BD_RESERVED) !== 0 || largestBlock === undefined) {
    throw source.corrupt(WORD, 'a reserved bit or value in the LZ4 frame descriptor');
  }
  let at = WORD + 2;
  const sized = (flg & FLG.contentSize) !== 0;
  const contentSize = sized ? source.u64(at, 'content size of the LZ4 frame') : undefined;
  if (sized) at += 8;
  if ((flg & FLG.dictionaryId) !== 0) {
    throw source.error('E_UNSUPPORTED_COMPRESSION', at, {
      expected: 'an LZ4 frame without a dictionary',
      found: `dictionary ${hex32(source.u32(at, 'dictionary of the LZ4 frame'))}`,
    });
  }
  const stored = source.u8(at, 'header checksum of the LZ4 frame');
  const computed = (xxh32(source.bytes.subarray(WORD, at)) >>> 8) & 0xff;
  source.checksum(at, 'header checksum of the LZ4 frame', hex32(stored), hex32(computed));
  return { end: at + 1, flg, largestBlock, ...(contentSize !== undefined && { contentSize }) };
}

function decodeFrame(source: Source, out: Output): number {
  const { end, flg, largestBlock, contentSize } = readDescriptor(source);
  const start = out.length;
  const independent = (flg & FLG.independent) !== 0;
  if (contentSize !== undefined && contentSize > out.remaining) throw out.tooMuch(WORD + 2);
  let at = end;
  for (;;) {
    const word = source.u32(at, 'size of an LZ4 block');
    at += WORD;
    if (word === 0) break; // EndMark
    const length = word % UNCOMPRESSED;
    if (length > largestBlock) {
      throw source.error('E_CORRUPT', at - WORD, {
        reason: 'size of an LZ4 block',
        expected: `at most ${largestBlock}`,
        found: `${length}`,
      });
    }
    const data = source.slice(at, length, 'LZ4 block');
    if (word >= UNCOMPRESSED) out.append(data, at);
    else {
      const window = independent ? out.length : start;
      decodeBlock(source, out, { from: at, to: at + length }, largestBlock, window);
    }
    at += length;
    if ((flg & FLG.blockChecksum) !== 0) at = checkXxh32(source, at, 'LZ4 block checksum', data);
  }
  if (contentSize !== undefined && contentSize !== out.length - start) {
    throw source.error('E_CORRUPT', WORD + 2, {
      reason: 'content size of the LZ4 frame',
      expected: `${out.length - start}, as its blocks give`,
      found: `${contentSize}`,
    });
  }
  if ((flg & FLG.contentChecksum) === 0) return at;
  return checkXxh32(source, at, 'LZ4 content checksum', out.since(start));
}

/** Checks the checksum stored at `at`. Returns the offset after it. */
function checkXxh32(source: Source, at: number, what: string, bytes: Uint8Array): number {
  source.checksum(at, what, hex32(source.u32(at, what)), hex32(xxh32(bytes)));
  return at + WORD;
}
