/**
 * A block of LZO1X: literals and matches that repeat earlier output of the same block (Documentation/lzo.txt of the
 * kernel; lib/lzo/lzo1x_decompress_safe.c for the checks).
 */

/** The end of a block's output; or the offset in the input and the text of an error. */
export interface LzoBlockResult {
  readonly at: number;
  readonly error?: string;
}

/** Above this value the first byte is a number of literals, plus this value. */
const FIRST_LITERALS = 17;
/** The state after four or more literals; below it is the number of literals after the last match. */
const AFTER_LITERALS = 4;
const FAR = 0x4000;
/** Above this length the host's builtin copy is faster than a loop. */
const LONG_COPY = 32;

class Damage extends Error {}

/** Position and checks of one block. */
class Block {
  private d: number;
  private state = 0;

  constructor(
    private readonly src: Uint8Array,
    private s: number,
    private readonly to: number,
    private readonly dst: Uint8Array,
    private readonly start: number,
    private readonly limit: number,
  ) {
    this.d = start;
  }

  run(): LzoBlockResult {
    try {
      const first = this.byte();
      if (first > FIRST_LITERALS) {
        const count = first - FIRST_LITERALS;
        this.literals(count);
        this.state = Math.min(count, AFTER_LITERALS);
      } else this.s -= 1;
      while (this.step());
      return { at: this.d };
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      return { at: this.s, error: error.message };
    }
  }

  /** One instruction. Returns false at the end marker. */
  private step(): boolean {
    const op = this.byte();
    if (op >= 64) {
      this.match(1 + ((op >> 2) & 7) + (this.byte() << 3), (op >> 5) + 1, op & 3);
    } else if (op >= 32) {
      const length = 2 + this.length(op & 31, 31);
      const word = this.word();
      this.match(1 + (word >> 2), length, word & 3);
    } else if (op >= 16) {
      const length = 2 + this.length(op & 7, 7);
      const word = this.word();
      const distance = ((op & 8) << 11) + (word >> 2);
      if (distance === 0) return this.end(length);
      this.match(FAR + distance, length, word & 3);
    } else if (this.state === 0) {
      this.literals(3 + this.length(op, 15));
      this.state = AFTER_LITERALS;
    } else {
      const near = this.state !== AFTER_LITERALS;
      const distance = 1 + (near ? 0 : 0x800) + (op >> 2) + (this.byte() << 2);
      this.match(distance, near ? 2 : 3, op & 3);
    }
    return true;
  }

  /** The end marker is a match of 3 bytes, and the block's last bytes. */
  private end(length: number): false {
    if (length !== 3) throw new Damage('an LZO end marker with another length');
    if (this.s !== this.to) throw new Damage('bytes after the LZO end marker');
    return false;
  }

  private byte(): number {
    if (this.s >= this.to) throw new Damage('the LZO block ends before its end marker');
    return this.src[this.s++] ?? 0;
  }

  private word(): number {
    const low = this.byte();
    return low | (this.byte() << 8);
  }

  /** A length in the bits of an instruction; 0: `most`, and 255 for each zero byte that follows, and the byte after. */
  private length(bits: number, most: number): number {
    if (bits !== 0) return bits;
    let length = most;
    for (;;) {
      const more = this.byte();
      if (more !== 0) return length + more;
      length += 255;
    }
  }

  private room(count: number): void {
    if (this.d + count > this.limit) throw new Damage('LZO output runs past the size of its block');
  }

  private literals(count: number): void {
    if (this.s + count > this.to) throw new Damage('LZO literals run past the end of their block');
    this.room(count);
    if (count > LONG_COPY) {
      this.dst.set(this.src.subarray(this.s, this.s + count), this.d);
      this.s += count;
      this.d += count;
      return;
    }
    for (const end = this.s + count; this.s < end;) this.dst[this.d++] = this.src[this.s++] ?? 0;
  }

  private match(distance: number, length: number, literals: number): void {
    let from = this.d - distance;
    if (from < this.start) throw new Damage(`LZO distance ${distance} reaches before its block`);
    this.room(length);
    if (length > LONG_COPY && distance >= length) {
      this.dst.copyWithin(this.d, from, from + length);
      this.d += length;
    } else {
      for (const end = this.d + length; this.d < end;) this.dst[this.d++] = this.dst[from++] ?? 0;
    }
    this.literals(literals);
    this.state = literals;
  }
}

/** Decompresses the block at src[from, to) to dst[at, limit). The result is `limit` only if the block fills it. */
export function decodeLzoBlock(
  src: Uint8Array,
  [from, to]: readonly [number, number],
  dst: Uint8Array,
  [at, limit]: readonly [number, number],
): LzoBlockResult {
  return new Block(src, from, to, dst, at, limit).run();
}
