/** Typed arrays one after the other in one buffer, which code that is generated at run time addresses as a whole. */

/** Each array begins at a multiple of this. */
const ALIGNMENT = 64;

const rounded = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export class Arena {
  private used = 0;

  constructor(readonly buffer: ArrayBuffer) {}

  /** An arena in a buffer of its own. */
  static of(bytes: number): Arena {
    return new Arena(new ArrayBuffer(bytes));
  }

  /** The most bytes that arrays of these lengths in bytes need. */
  static sizeOf(...lengths: readonly number[]): number {
    return lengths.reduce((sum, bytes) => sum + rounded(bytes), 0);
  }

  int32(length: number): Int32Array {
    return new Int32Array(this.buffer, this.take(4 * length), length);
  }
  uint32(length: number): Uint32Array {
    return new Uint32Array(this.buffer, this.take(4 * length), length);
  }
  uint16(length: number): Uint16Array {
    return new Uint16Array(this.buffer, this.take(2 * length), length);
  }
  uint8(length: number): Uint8Array {
    return new Uint8Array(this.buffer, this.take(length), length);
  }
  float64(length: number): Float64Array {
    return new Float64Array(this.buffer, this.take(8 * length), length);
  }

  private take(bytes: number): number {
    const at = this.used;
    this.used += rounded(bytes);
    if (this.used > this.buffer.byteLength) throw new RangeError('the arena is full');
    return at;
  }
}
