/** A set of lines of physical memory; adding a range costs about as much as adding a line. */
import { LINE_SIZE } from '../address.js';

/** Lines in one bitmap: those of 2 MiB. */
const CHUNK_LINES = 32768;
const CHUNK_BYTES = CHUNK_LINES * LINE_SIZE;

export class LineSet {
  private readonly chunks = new Map<number, Uint8Array<ArrayBuffer>>();
  private lastNumber = -1;
  private lastChunk = new Uint8Array(0);

  /** Adds the lines of `length` bytes from an address without the C-bit. */
  add(address: number, length: number): void {
    const end = address + length;
    for (let at = address; at < end;) {
      const inChunk = at % CHUNK_BYTES;
      const first = Math.floor(inChunk / LINE_SIZE);
      const stop = Math.min(CHUNK_LINES, Math.ceil((inChunk + end - at) / LINE_SIZE));
      const bits = this.chunk((at - inChunk) / CHUNK_BYTES);
      for (let line = first; line < stop;) {
        if (line % 8 === 0 && line + 8 <= stop) {
          const whole = Math.floor(stop / 8);
          bits.fill(0xff, line / 8, whole);
          line = whole * 8;
        } else {
          bits[line >> 3] = (bits[line >> 3] ?? 0) | (1 << (line & 7));
          line++;
        }
      }
      at += CHUNK_BYTES - inChunk;
    }
  }

  /** Whether the set has a line. @param line the line's number: its address divided by LINE_SIZE. */
  has(line: number): boolean {
    const inChunk = line % CHUNK_LINES;
    const bits = this.chunks.get((line - inChunk) / CHUNK_LINES);
    return ((bits?.[inChunk >> 3] ?? 0) & (1 << (inChunk & 7))) !== 0;
  }

  /**
   * The lines as ranges, ascending: `length` is that of a range in bytes, `bytes` those of its lines. Lines that are at most
   * `gap` bytes apart are in one range.
   */
  ranges(gap = 0): { readonly start: number; readonly length: number; readonly bytes: number }[] {
    const out: { start: number; length: number; bytes: number }[] = [];
    for (const number of [...this.chunks.keys()].sort((a, b) => a - b)) {
      for (let line = number * CHUNK_LINES; line < (number + 1) * CHUNK_LINES; line++) {
        if (!this.has(line)) continue;
        const start = line * LINE_SIZE;
        const last = out.at(-1);
        if (last === undefined || start - last.start - last.length > gap) {
          out.push({ start, length: LINE_SIZE, bytes: LINE_SIZE });
        } else {
          last.length = start + LINE_SIZE - last.start;
          last.bytes += LINE_SIZE;
        }
      }
    }
    return out;
  }

  private chunk(number: number): Uint8Array<ArrayBuffer> {
    if (number === this.lastNumber) return this.lastChunk;
    let bits = this.chunks.get(number);
    if (bits === undefined) {
      bits = new Uint8Array(CHUNK_LINES / 8);
      this.chunks.set(number, bits);
    }
    this.lastNumber = number;
    this.lastChunk = bits;
    return bits;
  }
}
