/** The compressed bytes that a decoder reads, each field checked against their end. */
import { InputError } from '../base/errors.js';

/** Where compressed bytes are, for errors. */
export interface CompressedPlace {
  /** The file as the user named it. */
  readonly file?: string;
  /** The part of it that offsets count in, where that is not the file itself. */
  readonly path?: string;
  /** Offset of the first compressed byte, 0 where not given. */
  readonly base?: number;
}

/** What is wrong, in the parts of an InputError. */
export interface Says {
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

  /** 64 bits, unsigned; above 2^53 not exact, which is above every limit too. */
  u64(at: number, what: string): number {
    this.need(at, 8, what);
    return this.view.getUint32(at + 4, true) * 2 ** 32 + this.view.getUint32(at, true);
  }

  /** The bytes [at, at + length), not copied. */
  slice(at: number, length: number, what: string): Uint8Array {
    this.need(at, length, what);
    return this.bytes.subarray(at, at + length);
  }

  /** Throws E_TRUNCATED unless `length` bytes are there from `at` on. */
  need(at: number, length: number, what: string): void {
    if (at + length <= this.bytes.length) return;
    throw this.error('E_TRUNCATED', at, {
      reason: what,
      expected: `${length} byte${length === 1 ? '' : 's'}`,
      found: `${Math.max(0, this.bytes.length - at)} before the end`,
    });
  }

  /** An error at an offset of the compressed bytes; one past them, which a bit reader reaches, is their end. */
  error(code: string, at: number, says: Says): InputError {
    const { base = 0, ...place } = this.place;
    return new InputError({
      code,
      place: { ...place, offset: base + Math.min(at, this.bytes.length) },
      ...says,
    });
  }

  /** E_CORRUPT at an offset. */
  corrupt(at: number, reason: string): InputError {
    return this.error('E_CORRUPT', at, { reason });
  }

  /** Throws E_CORRUPT unless a checksum is the one stored at `at`. */
  checksum(at: number, what: string, stored: string, computed: string): void {
    if (stored === computed) return;
    throw this.error('E_CORRUPT', at, { reason: what, expected: computed, found: stored });
  }
}

/** A 32-bit checksum as an error shows it. */
export function hex32(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}
