/** Zstandard (RFC 8878): frames of blocks, each raw, one byte repeated, or literals and sequences. */
import type { Output } from './output.js';
import { hex32, type Source } from './source.js';
import { xxh64 } from './xxhash.js';
import { PADDING, ZstdError } from './zstd-fse.js';
import { readLiterals, type HuffmanTable } from './zstd-literals.js';
import { newSequenceState, PastEnd, runSequences, type SequenceState } from './zstd-sequences.js';

/** Zstandard_Frame magic, little endian (3.1.1). */
const MAGIC = 0xfd2f_b528;
/** Frame_Header_Descriptor (3.1.1.1.1). */
const DESCRIPTOR = {
  dictionaryMask: 3,
  checksum: 1 << 2,
  reserved: 1 << 3,
  singleSegment: 1 << 5,
  contentSizeShift: 6,
} as const;
/** Sizes in bytes of Dictionary_ID and of Frame_Content_Size, by their flags. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
/** Added to a content size of two bytes (3.1.1.1.4). */
const CONTENT_SIZE_BASE = 256;
const WINDOW_LOG_MIN = 10;
const BLOCK_MAX = 1 << 17;
const BLOCK_HEADER = 3;
const TYPE = { raw: 0, rle: 1, compressed: 2 } as const;

interface FrameHeader {
  /** Offset of the first block. */
  readonly end: number;
  readonly blockMax: number;
  readonly checksum: boolean;
  readonly contentSize?: number;
}

/** Decodes one frame. Returns the offset of its end. */
export function decodeZstd(source: Source, out: Output): number {
  const header = readHeader(source);
  const { contentSize, blockMax } = header;
  if (contentSize !== undefined && contentSize > out.remaining) throw out.tooMuch(4);
  const start = out.length;
  const blocks = new Blocks(source, out, blockMax);
  let at = header.end;
  for (let last = false; !last;) {
    const word = source.u24(at, 'header of a ZSTD block');
    last = (word & 1) !== 0;
    at = blocks.decode(at, (word >>> 1) & 3, word >>> 3);
  }
  const size = out.length - start;
  if (contentSize !== undefined && contentSize !== size) {
    throw source.error('E_CORRUPT', 4, {
      reason: 'content size of the ZSTD frame',
      expected: `${size}, as its blocks give`,
      found: `${contentSize}`,
    });
  }
  if (!header.checksum) return at;
  const stored = source.u32(at, 'ZSTD content checksum');
  const computed = Number(BigInt.asUintN(32, xxh64(out.since(start))));
  source.checksum(at, 'ZSTD content checksum', hex32(stored), hex32(computed));
  return at + 4;
}

function readHeader(source: Source): FrameHeader {
  const magic = source.u32(0, 'magic of the ZSTD frame');
  if (magic !== MAGIC) throw source.corrupt(0, 'no ZSTD frame starts here');
  const descriptor = source.u8(4, 'descriptor of the ZSTD frame');
  if ((descriptor & DESCRIPTOR.reserved) !== 0) throw source.corrupt(4, 'a reserved bit of ZSTD');
  const single = (descriptor & DESCRIPTOR.singleSegment) !== 0;
  let at = 5;
  let window = Infinity;
  if (!single) {
    const byte = source.u8(at++, 'window of the ZSTD frame');
    window = 2 ** (WINDOW_LOG_MIN + (byte >>> 3)) * (1 + (byte & 7) / 8);
  }
  const dictionaryBytes = DICTIONARY_BYTES[descriptor & DESCRIPTOR.dictionaryMask] ?? 0;
  const dictionary = readLittle(source, at, dictionaryBytes, 'dictionary of the ZSTD frame');
  if (dictionary !== 0) {
    throw source.error('E_UNSUPPORTED_COMPRESSION', at, {
      expected: 'a ZSTD frame without a dictionary',
      found: `dictionary ${dictionary}`,
    });
  }
  at += dictionaryBytes;
  const flag = descriptor >>> DESCRIPTOR.contentSizeShift;
  const sizeBytes = flag === 0 && single ? 1 : (CONTENT_SIZE_BYTES[flag] ?? 0);
  const base = sizeBytes === 2 ? CONTENT_SIZE_BASE : 0;
  const size = readLittle(source, at, sizeBytes, 'content size of the ZSTD frame') + base;
  return {
    end: at + sizeBytes,
    blockMax: Math.min(BLOCK_MAX, single ? Math.max(size, 1) : window),
    checksum: (descriptor & DESCRIPTOR.checksum) !== 0,
    ...(sizeBytes > 0 && { contentSize: size }),
  };
}

function readLittle(source: Source, at: number, bytes: number, what: string): number {
  let value = 0;
  for (let index = bytes - 1; index >= 0; index--) {
    value = value * 256 + source.u8(at + index, what);
  }
  return value;
}

/** A decoder of the blocks of a frame, with the state that they share. */
class Blocks {
  private readonly sequences: SequenceState = newSequenceState();
  private huffman: HuffmanTable | undefined;
  private readonly literals: Uint8Array;
  /** A block's bytes, followed by zeros: bits are read 32 at a time. */
  private readonly padded: Uint8Array;
  private readonly start: number;

  constructor(
    private readonly source: Source,
    private readonly out: Output,
    private readonly max: number,
  ) {
    this.start = out.length;
    this.literals = new Uint8Array(max);
    this.padded = new Uint8Array(Math.min(max, source.length) + PADDING);
  }

  /** Decodes the block with its header at an offset. Returns the offset of its end. */
  decode(at: number, type: number, size: number): number {
    const { source, out, max } = this;
    const from = at + BLOCK_HEADER;
    if (size > max) {
      throw source.error('E_CORRUPT', at, {
        reason: 'size of a ZSTD block',
        expected: `at most ${max}`,
        found: `${size}`,
      });
    }
    if (type === TYPE.raw) {
      out.append(source.slice(from, size, 'ZSTD block'), from);
      return from + size;
    }
    if (type === TYPE.rle) {
      const byte = source.u8(from, 'ZSTD block');
      out.reserve(size, from).fill(byte, out.length, out.length + size);
      out.length += size;
      return from + 1;
    }
    if (type !== TYPE.compressed) throw source.corrupt(at, 'a ZSTD block of the reserved type');
    this.decodeCompressed(from, source.slice(from, size, 'ZSTD block'));
    return from + size;
  }

  private decodeCompressed(from: number, block: Uint8Array): void {
    const { source, out, padded, max } = this;
    padded.set(block);
    padded.fill(0, block.length);
    const room = out.reserveUpTo(max);
    try {
      const to = block.length;
      const { count, next, table } = readLiterals(
        padded,
        { from: 0, to },
        this.literals,
        this.huffman,
      );
      this.huffman = table;
      out.length = runSequences(
        padded,
        { from: next, to },
        this.literals.subarray(0, count),
        { bytes: out.bytes, start: this.start, at: out.length, end: out.length + room },
        this.sequences,
      );
    } catch (error) {
      if (error instanceof PastEnd && room < max) throw out.tooMuch(from);
      if (error instanceof PastEnd) {
        throw source.corrupt(from, `a ZSTD block that gives more than ${max} bytes`);
      }
      if (error instanceof ZstdError) throw source.corrupt(from, `ZSTD: ${error.message}`);
      throw error;
    }
  }
}
