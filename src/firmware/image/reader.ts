/** A reader of little-endian fields in a file, each checked against the file's end. */
import { InputError } from '../../base/errors.js';

/** The source of a reader's bytes, for errors: a file, or a part of one. */
export interface ReaderPlace {
  /** The file as the user named it. */
  readonly file: string;
  /** The part of the file to which offsets are relative; absent: the file itself. */
  readonly path?: string;
}

const TWO_32 = 2 ** 32;

/** A number as printed in errors. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Fields of a byte array by offset. Every method throws E_TRUNCATED, with the offset, for a field past the end. */
export class Reader {
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly place: ReaderPlace,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(offset: number, what: string): number {
    this.need(offset, 1, what);
    return this.view.getUint8(offset);
  }

  u16(offset: number, what: string): number {
    this.need(offset, 2, what);
    return this.view.getUint16(offset, true);
  }

  u32(offset: number, what: string): number {
    this.need(offset, 4, what);
    return this.view.getUint32(offset, true);
  }

  /** A signed 64-bit field. Throws E_BAD_FIELD for a value that a double does not hold exactly. */
  i64(offset: number, what: string): number {
    this.need(offset, 8, what);
    const value = this.view.getInt32(offset + 4, true) * TWO_32 + this.view.getUint32(offset, true);
    if (Number.isSafeInteger(value)) return value;
    throw this.error('E_BAD_FIELD', offset, {
      reason: what,
      expected: 'a number below 2^53',
      found: `0x${this.view.getBigUint64(offset, true).toString(16)}`,
    });
  }

  /** A 64-bit count or offset. Throws E_BAD_FIELD for 2^53 and above. */
  u64(offset: number, what: string): number {
    const value = this.i64(offset, what);
    if (value >= 0) return value;
    throw this.error('E_BAD_FIELD', offset, {
      reason: what,
      expected: 'a number below 2^53',
      found: `0x${this.view.getBigUint64(offset, true).toString(16)}`,
    });
  }

  /** The bytes [offset, offset + length), not copied. */
  slice(offset: number, length: number, what: string): Uint8Array {
    this.need(offset, length, what);
    return this.bytes.subarray(offset, offset + length);
  }

  /** ASCII up to a NUL, the end, or `most` characters. */
  text(offset: number, most: number): string {
    const limited = this.bytes.subarray(offset, offset + most);
    const end = limited.indexOf(0);
    return String.fromCharCode(...(end === -1 ? limited : limited.subarray(0, end)));
  }

  /** An error at an offset in the bytes. */
  error(
    code: string,
    offset: number,
    details: { reason?: string; expected?: string; found?: string },
  ): InputError {
    return new InputError({ code, place: { ...this.place, offset }, ...details });
  }

  private need(offset: number, length: number, what: string): void {
    if (offset + length <= this.bytes.length) return;
    throw this.error('E_TRUNCATED', offset, {
      reason: what,
      expected: `${length} bytes`,
      found: `${Math.max(0, this.bytes.length - offset)} before the end`,
    });
  }
}
