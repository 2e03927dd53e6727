/** The input of a decoder: fields by offset, each checked against the end. */
import { InputError } from '../base/errors.js';

/** The origin of compressed bytes, for errors. */
export interface CompressedPlace {
  /** The file as the user named it. */
  readonly file?: string;
  /** The part of the file to which offsets are relative; absent: the file itself. */
  readonly path?: string;
  /** Offset of the first compressed byte; absent: 0. */
  readonly base?: number;
}

/** The texts of an InputError. */
export interface ErrorTexts {
  readonly reason?: string;
  readonly expected?: string;
  readonly found?: string;
  readonly cause?: unknown;
}

/** Compressed bytes by offset. Every read past the end throws E_TRUNCATED with the offset. */
export class Source {
  readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    private readonly place: CompressedPlace = {},
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  u8(at: number, what: string): number {
    this.need(at, 1, what);
    return this.view.getUint8(at);
  }

  u16(at: number, what: string): number {
    this.need(at, 2, what);
    return this.view.getUint16(at, true);
  }

  u24(at: number, what: string): number {
    this.need(at, 3, what);
    return this.view.getUint16(at, true) | (this.view.getUint8(at + 2) << 16);
  }

  u32(at: number, what: string): number {
    this.need(at, 4, what);
    return this.view.getUint32(at, true);
  }

  /** An unsigned 64-bit field; inexact above 2^53, which is above every limit. */
  u64(at: number, what: string): number {
    this.need(at, 8, what);
    return this.view.getUint32(at + 4, true) * 2 ** 32 + this.view.getUint32(at, true);
  }

  /** The bytes [at, at + length), not copied. */
  slice(at: number, length: number, what: string): Uint8Array {
    this.need(at, length, what);
    return this.bytes.subarray(at, at + length);
  }

  /** Throws E_TRUNCATED unless there are `length` bytes from `at` on. */
  need(at: number, length: number, what: string): void {
    if (at + length <= this.bytes.length) return;
    throw this.error('E_TRUNCATED', at, {
      reason: what,
      expected: `${length} byte${length === 1 ? '' : 's'}`,
      found: `${Math.max(0, this.bytes.length - at)} before the end`,
    });
  }

  /** An error at an offset; one past the end, which a bit reader can have, is reported as the end. */
  error(code: string, at: number, texts: ErrorTexts): InputError {
    const { base = 0, ...place } = this.place;
    return new InputError({
      code,
      place: { ...place, offset: base + Math.min(at, this.bytes.length) },
      ...texts,
    });
  }

  /** E_CORRUPT at an offset. */
  corrupt(at: number, reason: string): InputError {
    return this.error('E_CORRUPT', at, { reason });
  }

  /** Throws E_CORRUPT unless a computed checksum equals the one stored at `at`. */
  checksum(at: number, what: string, stored: string, computed: string): void {
    if (stored === computed) return;
    throw this.error('E_CORRUPT', at, { reason: what, expected: computed, found: stored });
  }
}

/** A 32-bit checksum as printed in errors. */
export function hex32(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}
