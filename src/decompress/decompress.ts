/**
 * One place for what a kernel image or a RAM disk may be compressed with (lib/decompress.c; boot.txt, payload_offset):
 * formats by their magic, and a decoder for each, with bounded output.
 */
import { hasBytesAt } from '../base/bytes.js';
import { InputError } from '../base/errors.js';
import { decodeBzip2 } from './bzip2.js';
import { decodeGzip } from './gzip.js';
import { decodeLz4 } from './lz4.js';
import { decodeLzma } from './lzma.js';
import { Output, type OutputBounds } from './output.js';
import { Source, type CompressedPlace } from './source.js';
import { decodeXz } from './xz.js';
import { decodeZstd } from './zstd.js';

export type { CompressedPlace } from './source.js';

/** A format by the name that people call it. */
export type Format = 'gzip' | 'bzip2' | 'LZMA' | 'XZ' | 'LZO' | 'LZ4' | 'ZSTD';

/** Bounds of the output, and what else a decoder is told. */
export interface DecompressOptions extends OutputBounds {
  /** Where the bytes are, for errors. */
  readonly place?: CompressedPlace;
  /** false: gzip's CRC32 and size are not compared, as lib/decompress_inflate.c does not. */
  readonly verify?: boolean;
}

/** What a stream gave. */
export interface Decompressed {
  readonly bytes: Uint8Array;
  /** Bytes of input that the stream took: what follows it starts there. */
  readonly consumed: number;
}

/** What a stream gave before it went wrong, if it did. */
export interface PartlyDecompressed extends Decompressed {
  readonly error?: InputError;
}

interface FormatRow {
  readonly name: Format;
  /** First bytes of a stream, one list for each kind. */
  readonly magics: readonly (readonly number[])[];
  /** Decodes one stream; gives where it ends. Without one the format is refused by its name. */
  readonly decode?: (source: Source, out: Output, verify: boolean) => number;
}

/** Magics as lib/decompress.c has them, its LZ4 one whole, and those of formats that came later (ZSTD, LZ4's frame). */
const FORMATS: readonly FormatRow[] = [
  {
    name: 'gzip',
    magics: [
      [0x1f, 0x8b],
      [0x1f, 0x9e],
    ],
    decode: decodeGzip,
  },
  { name: 'bzip2', magics: [[0x42, 0x5a]], decode: decodeBzip2 },
  { name: 'LZMA', magics: [[0x5d, 0x00]], decode: decodeLzma },
  { name: 'XZ', magics: [[0xfd, 0x37]], decode: decodeXz },
  { name: 'LZO', magics: [[0x89, 0x4c]] },
  {
    name: 'LZ4',
    magics: [
      [0x02, 0x21, 0x4c, 0x18],
      [0x04, 0x22, 0x4d, 0x18],
    ],
    decode: decodeLz4,
  },
  { name: 'ZSTD', magics: [[0x28, 0xb5, 0x2f, 0xfd]], decode: decodeZstd },
];

/** Skippable frames of LZ4 and ZSTD: magics 0x184D2A50 to 0x184D2A5F, little endian, then a length (lz4_Frame_format.md). */
const SKIPPABLE = { first: 0x184d_2a50, last: 0x184d_2a5f, header: 8 } as const;

/** XZ streams are padded to multiples of this many bytes. */
const XZ_PADDING = 4;

/** The formats that `decompress` decodes. */
export const DECODED: readonly Format[] = FORMATS.filter((row) => row.decode !== undefined).map(
  ({ name }) => name,
);

/** The format of the stream at an offset, by its magic; undefined for none of them. */
export function detectFormat(bytes: Uint8Array, at = 0): Format | undefined {
  return FORMATS.find(({ magics }) => magics.some((magic) => hasBytesAt(bytes, at, magic)))?.name;
}

/**
 * Decompresses the one stream that `bytes` starts with (of legacy LZ4, all frames that follow one another).
 *
 * @throws InputError E_TRUNCATED, E_CORRUPT (checksums are compared), E_TOO_LARGE past the limit,
 * E_UNSUPPORTED_COMPRESSION for a format, filter or dictionary without a decoder.
 */
export function decompress(
  format: Format,
  bytes: Uint8Array,
  options: DecompressOptions,
): Decompressed {
  const { error, ...given } = decompressPart(format, bytes, options);
  if (error !== undefined) throw error;
  return given;
}

/** The same, giving what came before an error along with it. */
export function decompressPart(
  format: Format,
  bytes: Uint8Array,
  options: DecompressOptions,
): PartlyDecompressed {
  const source = new Source(bytes, options.place);
  const row = FORMATS.find(({ name }) => name === format);
  if (row?.decode === undefined) {
    const error = source.error('E_UNSUPPORTED_COMPRESSION', 0, {
      expected: DECODED.join(', '),
      found: format,
    });
    return { bytes: new Uint8Array(0), consumed: 0, error };
  }
  const out = new Output(source, options);
  try {
    const consumed = row.decode(source, out, options.verify ?? true);
    out.checkSize(consumed);
    return { bytes: out.since(0), consumed };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const given = out.bytes.subarray(0, Math.min(out.length, out.length + out.left));
    return { bytes: given, consumed: 0, error };
  }
}

/**
 * Decompresses streams of one format one behind another, as its tool does, up to the end or what is no such stream.
 * Skippable frames of LZ4 and ZSTD and the padding of XZ are left out.
 *
 * @throws InputError as `decompress`.
 */
export function decompressAll(
  format: Format,
  bytes: Uint8Array,
  options: Omit<DecompressOptions, 'size'>,
): Decompressed {
  const { place = {}, limit, ...rest } = options;
  const pieces: Uint8Array[] = [];
  let left = limit;
  let consumed = 0;
  let total = 0;
  let streams = 0;
  while (consumed < bytes.length || streams === 0) {
    const skipped = skippable(format, bytes, consumed);
    if (skipped > 0) {
      consumed += skipped;
      continue;
    }
    if (streams > 0 && detectFormat(bytes, consumed) !== format) break;
    const given = decompress(format, bytes.subarray(consumed), {
      ...rest,
      limit: left,
      place: { ...place, base: (place.base ?? 0) + consumed },
    });
    streams++;
    // A copy, where more streams follow: the buffer that a small one was decoded in is larger than it.
    const last = consumed + given.consumed >= bytes.length;
    if (given.bytes.length > 0) pieces.push(last ? given.bytes : given.bytes.slice());
    consumed += given.consumed;
    left -= given.bytes.length;
    total += given.bytes.length;
  }
  return { bytes: joined(pieces, total), consumed };
}

/** Bytes between streams at an offset that give nothing: XZ's padding (.xz format 1.0.4, 2.2), a skippable frame. */
function skippable(format: Format, bytes: Uint8Array, at: number): number {
  if (format === 'XZ') {
    let end = at;
    while (bytes[end] === 0) end++;
    return end - at - ((end - at) % XZ_PADDING);
  }
  if (format !== 'LZ4' && format !== 'ZSTD') return 0;
  if (at + SKIPPABLE.header > bytes.length) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(at, true);
  if (magic < SKIPPABLE.first || magic > SKIPPABLE.last) return 0;
  const length = SKIPPABLE.header + view.getUint32(at + 4, true);
  return at + length <= bytes.length ? length : 0;
}

function joined(pieces: readonly Uint8Array[], total: number): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
