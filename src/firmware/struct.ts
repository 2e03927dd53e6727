/** A writer of little-endian structures: fields by offset, and checksums of tables. */
import { ascii } from '../base/bytes.js';

/** A structure of a fixed size, initially zero. Throws a RangeError for a field outside it. */
export class Struct {
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  /** @param size in bytes. */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  u8(at: number, value: number): this {
    this.view.setUint8(at, value);
    return this;
  }
  u16(at: number, value: number): this {
    this.view.setUint16(at, value, true);
    return this;
  }
  u32(at: number, value: number): this {
    this.view.setUint32(at, value, true);
    return this;
  }
  u64(at: number, value: number | bigint): this {
    this.view.setBigUint64(at, BigInt(value), true);
    return this;
  }
  put(at: number, bytes: Uint8Array): this {
    this.bytes.set(bytes, at);
    return this;
  }
  /** ASCII characters, without a NUL. */
  ascii(at: number, text: string): this {
    return this.put(at, ascii(text));
  }
  /** Sets the byte at `field` so that the bytes of a range sum to 0 modulo 256. */
  sum(field: number, from: number, length: number): this {
    this.bytes[field] = 0;
    this.bytes[field] = -byteSum(this.bytes.subarray(from, from + length)) & 0xff;
    return this;
  }
}

/** UCS-2 with a NUL at its end (UEFI 2.3.1: CHAR16). */
export function ucs2(text: string): Uint8Array {
  const struct = new Struct(2 * (text.length + 1));
  for (let i = 0; i < text.length; i++) struct.u16(2 * i, text.charCodeAt(i));
  return struct.bytes;
}

/** The sum of bytes modulo 256; 0 for a table with a correct checksum. */
export function byteSum(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0);
}

/** Pseudo-random bytes from a nonzero seed: Marsaglia's 32-bit xorshift. */
export function noiseBytes(length: number, seed: number): Uint8Array {
  const struct = new Struct(Math.ceil(length / 4) * 4);
  let word = seed;
  for (let at = 0; at < length; at += 4) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    struct.u32(at, word >>> 0);
  }
  return struct.bytes.subarray(0, length);
}
