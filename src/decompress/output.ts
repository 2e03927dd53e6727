/** The output of a decoder: a buffer that grows up to a limit. */
import type { Source } from './source.js';

/** Bounds of a decoder's output. */
export interface OutputBounds {
  /** The largest output in bytes. */
  readonly limit: number;
  /** The required size of the output in bytes, if known from outside the stream; at most `limit`. */
  readonly size?: number;
}

/** Bytes after the end that a decoder may overwrite: copies by 32-bit words overshoot by up to three. */
const SLACK = 8;
const SMALLEST = 1 << 16;
/** Output per byte of input for the first allocation: kernels have 3 to 6. */
const USUAL_RATIO = 8;
/** The largest first allocation: the input's length may include bytes after the stream. */
const LARGEST_START = 1 << 26;

/** The bytes that a decoder has written: `bytes[0, length)`. */
export class Output {
  /** The buffer; `reserve` may replace it. */
  bytes: Uint8Array;
  length = 0;
  private readonly most: number;
  /** Size of the first allocation, made for the first byte. */
  private readonly first: number;

  constructor(
    private readonly source: Source,
    private readonly bounds: OutputBounds,
  ) {
    this.most = Math.min(bounds.limit, bounds.size ?? Infinity);
    const guess = Math.max(SMALLEST, source.length * USUAL_RATIO);
    this.first = Math.min(bounds.size ?? guess, guess, LARGEST_START);
    this.bytes = new Uint8Array(SLACK);
  }

  /** Number of bytes that may still be written. */
  get remaining(): number {
    return this.most - this.length;
  }

  /**
   * Grows the buffer for `more` bytes after `length`, and returns it.
   *
   * @throws InputError E_TOO_LARGE past the limit, E_CORRUPT past the required size.
   */
  reserve(more: number, at: number): Uint8Array {
    const needed = this.length + more;
    if (needed > this.most) throw this.tooMuch(at);
    if (needed + SLACK > this.bytes.length) {
      const grown = Math.min(this.most, Math.max(needed, this.first, this.bytes.length * 2));
      const bytes = new Uint8Array(grown + SLACK);
      bytes.set(this.bytes.subarray(0, this.length));
      this.bytes = bytes;
    }
    return this.bytes;
  }

  /** Grows the buffer for up to `more` bytes within the bounds. Returns the number of bytes. */
  reserveUpTo(more: number): number {
    const allowed = Math.min(more, this.remaining);
    this.reserve(allowed, 0);
    return allowed;
  }

  /** Appends bytes; if they exceed the bounds, those within them before the error. */
  append(chunk: Uint8Array, at: number): void {
    if (chunk.length > this.remaining) {
      this.append(chunk.subarray(0, this.remaining), at);
      throw this.tooMuch(at);
    }
    this.reserve(chunk.length, at).set(chunk, this.length);
    this.length += chunk.length;
  }

  /** The bytes written from `start` on, not copied. */
  since(start: number): Uint8Array {
    return this.bytes.subarray(start, this.length);
  }

  /** The error for output past the bounds. @param at offset in the input. */
  tooMuch(at: number): Error {
    const { size, limit } = this.bounds;
    return size === undefined || size > limit
      ? this.source.error('E_TOO_LARGE', at, {
          reason: 'decompressed size',
          expected: `at most ${limit} bytes`,
          found: 'more',
        })
      : this.wrongSize(at, size, 'more');
  }

  /** Throws E_CORRUPT unless the output has the required size. */
  checkSize(at: number): void {
    const { size } = this.bounds;
    if (size !== undefined && size !== this.length)
      throw this.wrongSize(at, size, `${this.length}`);
  }

  private wrongSize(at: number, size: number, found: string): Error {
    return this.source.error('E_CORRUPT', at, {
      reason: 'decompressed size',
      expected: `${size} bytes`,
      found,
    });
  }
}
