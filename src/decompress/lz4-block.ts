/** LZ4's block format (lz4 doc/lz4_Block_format.md): sequences of literals and of matches that repeat earlier output. */

/** The most output bytes per byte of compressed input: each further byte of a length adds 255 (lz4_Block_format.md). */
export const LZ4_MAX_RATIO = 255;

const WORD = 4;
/** The value of a 4-bit length that continues in further bytes (lz4_Block_format.md). */
const LENGTH_CONTINUES = 15;
const CONTINUES_AGAIN = 255;
const MIN_MATCH = 4;
const OFFSET_BYTES = 2;
/**
 * Up to this length a copy uses 32-bit words and may write up to three bytes too many, which later output overwrites;
 * above it the host's builtin copy is faster (measured: 80 ms for 53 MB; a byte loop takes 120).
 */
const LONG_COPY = 256;
const OVERSHOOT = WORD - 1;

/** The end of a block's output; or the offset in the input and the text of an error. */
export interface Lz4BlockResult {
  readonly at: number;
  readonly error?: string;
  /** The output would exceed the limit. */
  readonly pastLimit?: boolean;
}

/** A byte at an index that the caller has checked. */
const byteAt = (bytes: Uint8Array, index: number): number => bytes[index] as number;
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Decompresses the block at src[from, to) to dst[at, …), not past `limit`, but up to three bytes after the output may be
 * overwritten. Matches may refer back to dst[window], which is the block's own start if blocks are independent.
 */
export function decodeLz4Block(
  src: Uint8Array,
  from: number,
  to: number,
  dst: Uint8Array,
  at: number,
  limit: number,
  window = at,
): Lz4BlockResult {
  const srcView = viewOf(src);
  const dstView = viewOf(dst);
  // Copies by words must start below these.
  const srcEnd = src.length - OVERSHOOT;
  const dstEnd = dst.length - OVERSHOOT;
  let s = from;
  let d = at;
  while (s < to) {
    const token = byteAt(src, s++);
    let literals = token >>> 4;
    if (literals === LENGTH_CONTINUES) {
      let more: number;
      do {
        if (s >= to) return { at: s, error: 'the LZ4 block ends inside a length' };
        more = byteAt(src, s++);
        literals += more;
      } while (more === CONTINUES_AGAIN);
    }
    const literalsEnd = s + literals;
    const end = d + literals;
    if (literalsEnd > to) return { at: s, error: 'LZ4 literals run past the end of their block' };
    if (end > limit) {
      return { at: s, error: 'LZ4 literals run past the size announced', pastLimit: true };
    }
    if (literals > LONG_COPY) {
      dst.set(src.subarray(s, literalsEnd), d);
    } else if (literalsEnd <= srcEnd && end <= dstEnd) {
      for (; d < end; d += WORD, s += WORD) dstView.setUint32(d, srcView.getUint32(s, true), true);
    } else {
      while (d < end) dst[d++] = byteAt(src, s++);
    }
    d = end;
    s = literalsEnd;
    // The last sequence of a block is literals only.
    if (s === to) break;

    if (s + OFFSET_BYTES > to) return { at: s, error: 'the LZ4 block ends inside an offset' };
    const offset = byteAt(src, s) | (byteAt(src, s + 1) << 8);
    let match = d - offset;
    if (offset === 0) return { at: s, error: 'LZ4 offset 0' };
    if (match < window) return { at: s, error: `LZ4 offset ${offset} reaches before its block` };
    s += OFFSET_BYTES;
    let length = (token & LENGTH_CONTINUES) + MIN_MATCH;
    if (length === LENGTH_CONTINUES + MIN_MATCH) {
      let more: number;
      do {
        if (s >= to) return { at: s, error: 'the LZ4 block ends inside a length' };
        more = byteAt(src, s++);
        length += more;
      } while (more === CONTINUES_AGAIN);
    }
    const matchEnd = d + length;
    if (matchEnd > limit) {
      return { at: s, error: 'an LZ4 match runs past the size announced', pastLimit: true };
    }
    if (length > LONG_COPY && offset >= length) {
      dst.copyWithin(d, match, match + length);
    } else if (length > LONG_COPY && offset === 1) {
      dst.fill(byteAt(dst, match), d, matchEnd);
    } else if (offset >= WORD && matchEnd <= dstEnd) {
      for (; d < matchEnd; d += WORD, match += WORD) {
        dstView.setUint32(d, dstView.getUint32(match, true), true);
      }
    } else {
      while (d < matchEnd) dst[d++] = byteAt(dst, match++);
    }
    d = matchEnd;
  }
  return { at: d };
}
