/**
 * The compression formats of kernel images and RAM disks (lib/decompress.c; boot.txt, payload_offset): detection by
 * magic, and a decoder for each, with bounded output.
 */
import { hasBytesAt } from '../base/bytes.js';
import { InputError } from '../base/errors.js';
import { decodeBzip2 } from './bzip2.js';
import { decodeGzip } from './gzip.js';
import { decodeLz4 } from './lz4.js';
import { decodeLzma } from './lzma.js';
import { decodeLzo } from './lzo.js';
import { Output, type OutputBounds } from './output.js';
import { Source, type CompressedPlace } from './source.js';
import { decodeXz } from './xz.js';
import { decodeZstd } from './zstd.js';

export type { CompressedPlace } from './source.js';

/** A format by its common name. */
export type Format = 'gzip' | 'bzip2' | 'LZMA' | 'XZ' | 'LZO' | 'LZ4' | 'ZSTD';

/** Bounds of the output, and options of decoders. */
export interface DecompressOptions extends OutputBounds {
  /** The origin of the bytes, for errors. */
  readonly place?: CompressedPlace;
  /** false: checksums are read as lib/decompress_inflate.c and decompress_unlzo.c do: not compared. */
  readonly verify?: boolean;
}

/** The result of decoding a stream. */
export interface Decompressed {
  readonly bytes: Uint8Array;
  /** Length of the stream in bytes of input. */
  readonly consumed: number;
}

/** The output of a stream up to an error, if there was one. */
export interface PartlyDecompressed extends Decompressed {
  readonly error?: InputError;
}

interface FormatRow {
  readonly name: Format;
  /** The first bytes of a stream, for each variant of the format. */
  readonly magics: readonly (readonly number[])[];
  /** Decodes one stream and returns the offset of its end. Absent: the format is not supported. */
  readonly decode?: (source: Source, out: Output, verify: boolean) => number;
}

/** Magics as in lib/decompress.c, with all bytes of LZ4's, and those of newer formats (ZSTD, LZ4's frame). */
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
  { name: 'LZO', magics: [[0x89, 0x4c]], decode: decodeLzo },
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

/** The format of the stream at an offset, by its magic; undefined if no magic matches. */
export function detectFormat(bytes: Uint8Array, at = 0): Format | undefined {
  return FORMATS.find(({ magics }) => magics.some((magic) => hasBytesAt(bytes, at, magic)))?.name;
}

/**
 * Decompresses the stream at the start of `bytes` (for legacy LZ4, all consecutive frames).
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

/** The same, but returns the output before an error together with the error. */
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
    const given = out.bytes.subarray(0, Math.min(out.length, out.length + out.remaining));
    return { bytes: given, consumed: 0, error };
  }
}

/**
 * Decompresses concatenated streams of one format, as the format's tool does, up to the end or to bytes that are not
 * such a stream. Skippable frames of LZ4 and ZSTD and the padding of XZ are skipped.
 *
 * @throws InputError as `decompress`.
 */
export function decompressAll(
  format: Format,
  bytes: Uint8Array,
  options: Omit<DecompressOptions, 'size'>,
): Decompressed {
  const { place = {}, limit, ...rest } = options;
  const outputs: Uint8Array[] = [];
  let remaining = limit;
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
      limit: remaining,
      place: { ...place, base: (place.base ?? 0) + consumed },
    });
    streams++;
    // Copied if more streams follow, since the buffer of a small stream is larger than its output.
    const last = consumed + given.consumed >= bytes.length;
    if (given.bytes.length > 0) outputs.push(last ? given.bytes : given.bytes.slice());
    consumed += given.consumed;
    remaining -= given.bytes.length;
    total += given.bytes.length;
  }
  return { bytes: joined(outputs, total), consumed };
}

/** Number of bytes to skip at an offset between streams: XZ's padding (.xz format 1.0.4, 2.2), a skippable frame. */
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

function joined(outputs: readonly Uint8Array[], total: number): Uint8Array {
  const [only] = outputs;
  if (only !== undefined && outputs.length === 1) return only;
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const output of outputs) {
    bytes.set(output, at);
    at += output.length;
  }
  return bytes;
}
