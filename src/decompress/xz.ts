/** .xz files (The .xz File Format 1.0.4): streams of blocks, each LZMA2, with an x86 BCJ filter if its header has one. */
import { startsWith } from '../base/bytes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { undoBcjX86 } from './bcj-x86.js';
import { crc32, crc64 } from './crc.js';
import { decodeLzma2, lzma2DictionarySize } from './lzma2.js';
import type { Output } from './output.js';
import { hex32, type Source } from './source.js';

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] as const;
const FOOTER_MAGIC = 0x5a59;
/** Stream header: magic, flags at 6, their CRC32 at 8 (2.1.1). */
const HEADER = { flags: 6, crc: 8, size: 12 } as const;
/** Stream footer: CRC32, backward size, flags, magic (2.1.2). */
const FOOTER = { crc: 0, backwardSize: 4, flags: 8, magic: 10, size: 12 } as const;
const ALIGN = 4;
const alignUp = (at: number): number => Math.ceil(at / ALIGN) * ALIGN;

/** An integrity check of a block (2.1.1.2). */
interface Check {
  readonly name: string;
  readonly size: number;
  compute?(bytes: Uint8Array): string;
}

const CHECKS: ReadonlyMap<number, Check> = new Map<number, Check>([
  [0, { name: 'none', size: 0 }],
  [1, { name: 'CRC32', size: 4, compute: (bytes) => crc32(bytes).toString(16).padStart(8, '0') }],
  [4, { name: 'CRC64', size: 8, compute: crc64 }],
  [10, { name: 'SHA-256', size: 32, compute: (bytes) => bytesToHex(sha256(bytes)) }],
]);
const SHA256 = 10;

/** Names of filters (5.3), for errors about those that are not supported. */
const LZMA2 = 0x21;
const BCJ_X86 = 0x04;
const FILTERS: ReadonlyMap<number, string> = new Map([
  [0x03, 'Delta'],
  [BCJ_X86, 'x86 BCJ'],
  [0x05, 'PowerPC BCJ'],
  [0x06, 'IA-64 BCJ'],
  [0x07, 'ARM BCJ'],
  [0x08, 'ARM-Thumb BCJ'],
  [0x09, 'SPARC BCJ'],
  [0x0a, 'ARM64 BCJ'],
  [0x0b, 'RISC-V BCJ'],
  [LZMA2, 'LZMA2'],
]);
/** Block flags (3.1.2). */
const BLOCK = {
  filters: 0x03,
  reserved: 0x3c,
  compressedSize: 0x40,
  uncompressedSize: 0x80,
} as const;

/** Decodes one stream. Returns the offset of its end, before any padding. */
export function decodeXz(source: Source, out: Output): number {
  const check = readHeader(source);
  const records: BlockRecord[] = [];
  let at: number = HEADER.size;
  while (source.u8(at, 'header of an XZ block') !== 0) {
    const block = decodeBlock(source, out, at, check);
    records.push(block);
    at += alignUp(block.unpaddedSize);
  }
  const indexAt = at;
  at = checkIndex(source, at, records);
  checkFooter(source, at, at - indexAt);
  return at + FOOTER.size;
}

function readHeader(source: Source): Check {
  source.need(0, HEADER.size, 'header of the XZ stream');
  if (!startsWith(source.bytes, MAGIC)) {
    throw source.corrupt(0, 'no XZ stream starts here');
  }
  checkCrc(source, HEADER.crc, 'CRC32 of the XZ stream header', HEADER.flags, HEADER.crc);
  const reserved = source.u8(HEADER.flags, 'stream flags');
  const type = source.u8(HEADER.flags + 1, 'stream flags');
  const check = CHECKS.get(type);
  if (reserved !== 0 || check === undefined) {
    throw source.error('E_UNSUPPORTED_COMPRESSION', HEADER.flags, {
      reason: 'flags of the XZ stream',
      expected: 'a check of none, CRC32, CRC64 or SHA-256',
      found: `check ${type}, reserved ${reserved}`,
    });
  }
  return check;
}

/** Checks the CRC32 stored at `at` against the bytes [from, to). */
function checkCrc(source: Source, at: number, what: string, from: number, to: number): void {
  const stored = source.u32(at, what);
  source.checksum(at, what, hex32(stored), hex32(crc32(source.bytes.subarray(from, to))));
}

/** A number with 7 bits per byte, at most 63 bits (1.2). */
function readVli(source: Source, at: number, what: string): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = source.u8(at + index, what);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) {
      if (byte === 0 && index > 0) break;
      return { value, next: at + index + 1 };
    }
  }
  throw source.corrupt(at, `${what}: a number that does not end`);
}

interface BlockRecord {
  readonly unpaddedSize: number;
  readonly uncompressedSize: number;
}

interface BlockHeader {
  readonly size: number;
  readonly compressedSize?: number;
  readonly uncompressedSize?: number;
  /** Start offset of the x86 filter; undefined without the filter. */
  readonly bcjStart?: number;
  readonly dictionarySize: number;
}

function readBlockHeader(source: Source, at: number): BlockHeader {
  const size = (source.u8(at, 'size of the XZ block header') + 1) * ALIGN;
  source.need(at, size, 'header of an XZ block');
  const crcAt = at + size - ALIGN;
  checkCrc(source, crcAt, 'CRC32 of the XZ block header', at, crcAt);
  const flags = source.u8(at + 1, 'block flags');
  if ((flags & BLOCK.reserved) !== 0) throw source.corrupt(at + 1, 'a reserved XZ block flag');
  let place = at + 2;
  const field = (present: number, what: string): number | undefined => {
    if ((flags & present) === 0) return undefined;
    const { value, next } = readVli(source, place, what);
    place = next;
    return value;
  };
  const compressedSize = field(BLOCK.compressedSize, 'compressed size of an XZ block');
  const uncompressedSize = field(BLOCK.uncompressedSize, 'uncompressed size of an XZ block');
  const filters = (flags & BLOCK.filters) + 1;
  let bcjStart: number | undefined;
  let dictionarySize: number | undefined;
  for (let index = 0; index < filters; index++) {
    const id = readVli(source, place, 'XZ filter');
    const properties = readVli(source, id.next, 'properties of an XZ filter');
    const { value: length, next } = properties;
    if (next + length > crcAt) throw source.corrupt(place, 'an XZ filter past its header');
    const last = index === filters - 1;
    if (id.value === LZMA2 && last && length === 1) {
      dictionarySize = lzma2DictionarySize(source.u8(next, 'dictionary size'));
      if (dictionarySize === undefined) throw source.corrupt(next, 'LZMA2 dictionary size');
    } else if (id.value === BCJ_X86 && index === 0 && !last && (length === 0 || length === 4)) {
      bcjStart = length === 4 ? source.u32(next, 'start offset of the x86 filter') : 0;
    } else {
      throw source.error('E_UNSUPPORTED_COMPRESSION', place, {
        reason: 'filters of an XZ block',
        expected: 'LZMA2, or x86 BCJ and LZMA2',
        found: `${FILTERS.get(id.value) ?? `filter ${id.value}`} as number ${index + 1} of ${filters}`,
      });
    }
    place = next + length;
  }
  if (source.bytes.subarray(place, crcAt).some((byte) => byte !== 0)) {
    throw source.corrupt(place, 'padding of the XZ block header is not 0');
  }
  return {
    size,
    dictionarySize: dictionarySize ?? 0,
    ...(compressedSize !== undefined && { compressedSize }),
    ...(uncompressedSize !== undefined && { uncompressedSize }),
    ...(bcjStart !== undefined && { bcjStart }),
  };
}

function decodeBlock(source: Source, out: Output, at: number, check: Check): BlockRecord {
  const header = readBlockHeader(source, at);
  const start = out.length;
  if ((header.uncompressedSize ?? 0) > out.remaining) throw out.tooMuch(at);
  const from = at + header.size;
  let end: number;
  try {
    end = decodeLzma2(source, out, from, header.dictionarySize);
  } catch (error) {
    // Without the inverse filter the output would be wrong.
    if (header.bcjStart !== undefined) out.length = start;
    throw error;
  }
  const bytes = out.since(start);
  const sizes = [
    ['compressed', header.compressedSize, end - from],
    ['uncompressed', header.uncompressedSize, bytes.length],
  ] as const;
  for (const [which, announced, real] of sizes) {
    if (announced === undefined || announced === real) continue;
    throw source.error('E_CORRUPT', at, {
      reason: `${which} size of an XZ block`,
      expected: `${real}, as its data have`,
      found: `${announced}`,
    });
  }
  if (header.bcjStart !== undefined) undoBcjX86(bytes, header.bcjStart);
  const checkAt = alignUp(end);
  source.need(end, checkAt - end + check.size, `${check.name} of an XZ block`);
  checkPadding(source, end, checkAt);
  const stored = source.bytes.subarray(checkAt, checkAt + check.size);
  if (check.compute !== undefined) {
    // CRCs are stored little-endian, a hash in its own byte order.
    const shown = bytesToHex(CHECKS.get(SHA256) === check ? stored : stored.toReversed());
    source.checksum(checkAt, `${check.name} of an XZ block`, shown, check.compute(bytes));
  }
  return {
    unpaddedSize: end - at + check.size,
    uncompressedSize: bytes.length,
  };
}

function checkPadding(source: Source, from: number, to: number): void {
  for (let at = from; at < to; at++) {
    if (source.u8(at, 'padding') !== 0) throw source.corrupt(at, 'XZ padding is not 0');
  }
}

/** Checks the index (4) against the blocks that were read. Returns the offset of its end. */
function checkIndex(source: Source, start: number, records: readonly BlockRecord[]): number {
  let { value, next } = readVli(source, start + 1, 'number of records in the XZ index');
  const compare = (what: string, expected: number): void => {
    if (value === expected) return;
    throw source.error('E_CORRUPT', start, {
      reason: `${what} in the XZ index`,
      expected: `${expected}`,
      found: `${value}`,
    });
  };
  compare('number of records', records.length);
  for (const record of records) {
    ({ value, next } = readVli(source, next, 'XZ index'));
    compare('unpadded size', record.unpaddedSize);
    ({ value, next } = readVli(source, next, 'XZ index'));
    compare('uncompressed size', record.uncompressedSize);
  }
  const crcAt = start + alignUp(next - start);
  checkPadding(source, next, crcAt);
  checkCrc(source, crcAt, 'CRC32 of the XZ index', start, crcAt);
  return crcAt + ALIGN;
}

function checkFooter(source: Source, at: number, indexSize: number): void {
  source.need(at, FOOTER.size, 'footer of the XZ stream');
  checkCrc(
    source,
    at,
    'CRC32 of the XZ stream footer',
    at + FOOTER.backwardSize,
    at + FOOTER.magic,
  );
  const backward = (source.u32(at + FOOTER.backwardSize, 'backward size') + 1) * ALIGN;
  const flags = source.u16(at + FOOTER.flags, 'stream flags');
  const magic = source.u16(at + FOOTER.magic, 'footer magic');
  if (
    magic !== FOOTER_MAGIC ||
    backward !== indexSize ||
    flags !== source.u16(HEADER.flags, 'stream flags')
  ) {
    throw source.corrupt(at, 'the XZ stream footer does not agree with its stream');
  }
}
