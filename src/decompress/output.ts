/** Decompressed bytes as they come: a buffer that grows up to a limit, never past it. */
import type { Source } from './source.js';

/** How much a decoder may write. */
export interface OutputBounds {
  /** Bytes that the output may have at most. */
  readonly limit: number;
  /** Bytes that it must have, where something outside the stream says so; at most `limit`. */
  readonly size?: number;
}

/** Bytes after the end that a decoder may spoil: copies by words of 32 bits overshoot by three. */
const SLACK = 8;
const SMALLEST = 1 << 16;
/** Output per byte of input that is made room for at the start: kernels give 3 to 6. */
const USUAL_RATIO = 8;
/** No more room is made at the start: input that follows the stream would count for it too. */
const LARGEST_START = 1 << 26;

/** What a decoder has written, in `bytes[0, length)`. */
export class Output {
  /** Replaced when it grows: ask again after each `reserve`. */
  bytes: Uint8Array;
  length = 0;
  private readonly most: number;
  /** Room that is made when the first byte comes. */
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

  /** How many more bytes may be written. */
  get left(): number {
    return this.most - this.length;
  }

  /**
   * Makes room for `more` bytes after `length`.
   *
   * @throws InputError E_TOO_LARGE past the limit, E_CORRUPT past the size that the output must have.
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

  /** Makes room for up to `more` bytes, less where the bounds allow less; gives for how many. */
  reserveUpTo(more: number): number {
    const room = Math.min(more, this.left);
    this.reserve(room, 0);
    return room;
  }

  /** Appends bytes; of too many those that the bounds allow. */
  append(piece: Uint8Array, at: number): void {
    if (piece.length > this.left) {
      this.append(piece.subarray(0, this.left), at);
      throw this.tooMuch(at);
    }
    this.reserve(piece.length, at).set(piece, this.length);
    this.length += piece.length;
  }

  /** What was written from `start` on, not copied. */
  since(start: number): Uint8Array {
    return this.bytes.subarray(start, this.length);
  }

  /** The error for output past the bounds, found at an offset of the input. */
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

  /** Throws E_CORRUPT unless the output has the size that it must have. */
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
