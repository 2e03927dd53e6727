/** gzip (RFC 1952) as kernel payloads have it. The inflating is fflate's. */
import { gunzipSync } from 'fflate';
import { InputError } from '../../trace/errors.js';
import type { CompressedPlace } from './lz4.js';

/** The first two bytes of a gzip member (RFC 1952, 2.3.1: ID1, ID2). */
export const GZIP_MAGIC = [0x1f, 0x8b] as const;
/** No byte of deflated input gives more than this many bytes: a match of 258 bytes takes two bits at least (RFC 1951). */
export const GZIP_MAX_RATIO = 1032;

/** Bytes of the smallest member: header of 10, deflate stream of 2, CRC32 and ISIZE of 4 each (RFC 1952, 2.3). */
const SMALLEST_MEMBER = 20;
/** fflate's code for input that ends too early (FlateErrorCode.UnexpectedEOF). */
const UNEXPECTED_EOF = 0;

/**
 * Decompresses one gzip member into exactly `size` bytes. Its CRC is not looked at, as the kernel's own decompressor
 * does not (lib/decompress_inflate.c).
 *
 * @throws InputError E_TRUNCATED if the stream ends early, E_CORRUPT if it is damaged or gives another size.
 */
export function decodeGzip(src: Uint8Array, size: number, place: CompressedPlace): Uint8Array {
  const { base, ...rest } = place;
  const end = base + src.length;
  if (src.length < SMALLEST_MEMBER) {
    throw new InputError({
      code: 'E_TRUNCATED',
      place: { ...rest, offset: base },
      reason: 'gzip payload',
      expected: `at least ${SMALLEST_MEMBER} bytes`,
      found: `${src.length}`,
    });
  }
  // One byte more than announced, so that a stream that gives more is seen.
  const out = new Uint8Array(size + 1);
  let filled: Uint8Array;
  try {
    filled = gunzipSync(src, { out });
  } catch (cause) {
    const early = cause instanceof Error && 'code' in cause && cause.code === UNEXPECTED_EOF;
    throw new InputError({
      code: early ? 'E_TRUNCATED' : 'E_CORRUPT',
      place: { ...rest, offset: early ? end : base },
      reason: early ? 'the gzip payload ends inside its stream' : 'the gzip payload is damaged',
      cause,
    });
  }
  if (filled.length !== size) {
    throw new InputError({
      code: 'E_CORRUPT',
      place: { ...rest, offset: end },
      reason: 'decompressed size',
      expected: `${size} bytes`,
      found: filled.length > size ? 'more' : `${filled.length}`,
    });
  }
  return filled;
}
