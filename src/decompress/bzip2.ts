/**
 * bzip2 (no standard: the format of Seward's bzip2 1.0, as read by libbz2's decompress.c): blocks of up to 900,000
 * bytes; run-length coding, Burrows–Wheeler transform, move-to-front, run-length coding again, Huffman codes.
 */
import { crc32Bzip2 } from './crc.js';
import type { Output } from './output.js';
import { hex32, type Source } from './source.js';

const BLOCK_UNIT = 100_000;
/** Magics of a block (the digits of π) and of the stream's end (those of √π), in 24-bit halves. */
const BLOCK_MARK = [0x31_4159, 0x26_5359] as const;
const END_MARK = [0x17_7245, 0x38_5090] as const;
const GROUP = 50;
const TABLES_MIN = 2;
const TABLES_MAX = 6;
const CODE_MAX = 20;
const RUN_B = 1;
/** Four equal bytes are followed by a count of further ones. */
const RUN = 4;
/** Runs with more doublings are longer than any block. */
const RUN_DOUBLINGS_MAX = 21;

/** Reads bits, the highest bit of each byte first. */
class Bits {
  private buffer = 0;
  private held = 0;

  constructor(
    private readonly source: Source,
    private at: number,
  ) {}

  /** The next `count` bits, at most 24. */
  read(count: number): number {
    while (this.held < count) {
      this.buffer = (this.buffer << 8) | this.source.u8(this.at++, 'bzip2 data');
      this.held += 8;
    }
    this.held -= count;
    return (this.buffer >>> this.held) & ((1 << count) - 1);
  }

  /** Offset of the byte of the next bit. */
  get position(): number {
    return this.at - Math.floor(this.held / 8);
  }

  u32(): number {
    return this.read(16) * 2 ** 16 + this.read(16);
  }
}

/** Decodes one stream. Returns the offset of its end. */
export function decodeBzip2(source: Source, out: Output): number {
  const magic = source.slice(0, 4, 'header of the bzip2 stream');
  const level = (magic[3] ?? 0) - 0x30;
  if (magic[0] !== 0x42 || magic[1] !== 0x5a || magic[2] !== 0x68 || level < 1 || level > 9) {
    throw source.corrupt(0, 'no bzip2 stream starts here');
  }
  const bits = new Bits(source, 4);
  const block = new BlockDecoder(source, bits, level * BLOCK_UNIT);
  let combined = 0;
  for (;;) {
    const at = bits.position;
    const mark = [bits.read(24), bits.read(24)] as const;
    const stored = bits.u32();
    if (mark[0] === END_MARK[0] && mark[1] === END_MARK[1]) {
      source.checksum(at, 'CRC of the bzip2 stream', hex32(stored), hex32(combined));
      return bits.position;
    }
    if (mark[0] !== BLOCK_MARK[0] || mark[1] !== BLOCK_MARK[1]) {
      throw source.corrupt(at, 'neither a bzip2 block nor the end of the stream');
    }
    const start = out.length;
    block.decode(out);
    const crc = crc32Bzip2(out.since(start));
    source.checksum(at, 'CRC of a bzip2 block', hex32(stored), hex32(crc));
    combined = ((combined << 1) | (combined >>> 31)) ^ crc;
  }
}

interface Codes {
  readonly shortest: number;
  /** The highest code of each length; a value below all longer codes if no code has that length. */
  readonly limit: Int32Array;
  /** For each length: a code minus this is its index in `symbols`. */
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
}

/** Decodes blocks; all blocks share its buffers. */
class BlockDecoder {
  private readonly sorted: Uint32Array;

  constructor(
    private readonly source: Source,
    private readonly bits: Bits,
    private readonly size: number,
  ) {
    this.sorted = new Uint32Array(size);
  }

  decode(out: Output): void {
    const { bits } = this;
    if (bits.read(1) !== 0) {
      throw this.source.error('E_UNSUPPORTED_COMPRESSION', bits.position, {
        expected: 'a bzip2 block that is not randomised',
        found: 'one of bzip2 before 0.9.5',
      });
    }
    const origin = bits.read(24);
    const used = this.readUsed();
    const { selectors, tables } = this.readTables(used.length + 2);
    const length = this.readSymbols(used, selectors, tables);
    if (origin >= length) throw this.corrupt('the origin pointer of a bzip2 block is outside it');
    this.unsort(length);
    this.write(out, length, this.sorted[origin] as number);
  }

  private corrupt(reason: string): Error {
    return this.source.corrupt(Math.min(this.bits.position, this.source.length), reason);
  }

  /** The byte values in use: a bit for each range of 16, then for each range in use a bit per value. */
  private readUsed(): Uint8Array {
    const { bits } = this;
    const used: number[] = [];
    const ranges = bits.read(16);
    for (let range = 0; range < 16; range++) {
      if ((ranges & (0x8000 >>> range)) === 0) continue;
      const bytes = bits.read(16);
      for (let byte = 0; byte < 16; byte++) {
        if ((bytes & (0x8000 >>> byte)) !== 0) used.push(range * 16 + byte);
      }
    }
    if (used.length === 0) throw this.corrupt('a bzip2 block of no bytes');
    return Uint8Array.from(used);
  }

  private readTables(symbols: number): { selectors: Uint8Array; tables: Codes[] } {
    const { bits } = this;
    const count = bits.read(3);
    const groups = bits.read(15);
    if (count < TABLES_MIN || count > TABLES_MAX || groups === 0) {
      throw this.corrupt('the Huffman tables of a bzip2 block');
    }
    const order = Array.from({ length: count }, (_, index) => index);
    const selectors = new Uint8Array(groups);
    for (let group = 0; group < groups; group++) {
      let index = 0;
      while (bits.read(1) === 1) index++;
      const [table] = order.splice(index, 1);
      if (table === undefined) throw this.corrupt('a selector of a bzip2 block');
      order.unshift(table);
      selectors[group] = table;
    }
    const tables = Array.from({ length: count }, () => this.readCodes(symbols));
    return { selectors, tables };
  }

  /** A Huffman table: code lengths, each as the difference from the previous one. */
  private readCodes(count: number): Codes {
    const { bits } = this;
    const lengths = new Uint8Array(count);
    let length = bits.read(5);
    for (let symbol = 0; symbol < count; symbol++) {
      for (;;) {
        if (length < 1 || length > CODE_MAX) throw this.corrupt('a code length of a bzip2 block');
        if (bits.read(1) === 0) break;
        length += bits.read(1) === 0 ? 1 : -1;
      }
      lengths[symbol] = length;
    }
    const limit = new Int32Array(CODE_MAX + 1);
    const base = new Int32Array(CODE_MAX + 1);
    const symbols = new Uint16Array(count);
    let place = 0;
    let code = 0;
    for (let size = 1; size <= CODE_MAX; size++) {
      base[size] = code - place;
      for (let symbol = 0; symbol < count; symbol++) {
        if (lengths[symbol] !== size) continue;
        symbols[place++] = symbol;
        code++;
      }
      limit[size] = code - 1;
      code <<= 1;
    }
    return { shortest: Math.min(...lengths), limit, base, symbols };
  }

  /** Decodes Huffman codes, runs and move-to-front into the low bytes of `sorted`. Returns the number of bytes. */
  private readSymbols(used: Uint8Array, selectors: Uint8Array, tables: readonly Codes[]): number {
    const { bits, sorted, size } = this;
    const end = used.length + 1;
    const front = used.slice();
    let length = 0;
    let run = 0;
    let doublings = 0;
    for (const selector of selectors) {
      const { shortest, limit, base, symbols } = tables[selector] as Codes;
      for (let left = GROUP; left > 0; left--) {
        let bitsRead = shortest;
        let code = bits.read(bitsRead);
        while (code > (limit[bitsRead] as number)) {
          if (++bitsRead > CODE_MAX) throw this.corrupt('a code that no bzip2 symbol has');
          code = (code << 1) | bits.read(1);
        }
        const symbol = symbols[code - (base[bitsRead] as number)];
        if (symbol === undefined) throw this.corrupt('a code that no bzip2 symbol has');
        if (symbol <= RUN_B) {
          if (doublings > RUN_DOUBLINGS_MAX)
            throw this.corrupt('a run longer than its bzip2 block');
          run += (symbol + 1) << doublings++;
          continue;
        }
        if (run > 0) {
          if (run > size - length) throw this.corrupt('a run longer than its bzip2 block');
          sorted.fill(front[0] as number, length, length + run);
          length += run;
          run = doublings = 0;
        }
        if (symbol === end) return length;
        if (length >= size) throw this.corrupt('a bzip2 block longer than the stream says');
        const index = symbol - 1;
        const byte = front[index] as number;
        front.copyWithin(1, 0, index);
        front[0] = byte;
        sorted[length++] = byte;
      }
    }
    throw this.corrupt('a bzip2 block without its end');
  }

  /** Stores in the upper bits of each element the index of the next byte of the text (inverse Burrows–Wheeler). */
  private unsort(length: number): void {
    const { sorted } = this;
    const next = new Uint32Array(256);
    for (let at = 0; at < length; at++) {
      const byte = sorted[at] as number;
      next[byte] = (next[byte] as number) + 1;
    }
    let sum = 0;
    for (let byte = 0; byte < 256; byte++) {
      const count = next[byte] as number;
      next[byte] = sum;
      sum += count;
    }
    for (let at = 0; at < length; at++) {
      const byte = (sorted[at] as number) & 0xff;
      const place = next[byte] as number;
      next[byte] = place + 1;
      sorted[place] = (sorted[place] as number) | (at << 8);
    }
  }

  /** Follows the text through `sorted`, and decodes the first run-length coding. */
  private write(out: Output, length: number, first: number): void {
    const { sorted } = this;
    let entry = first;
    let same = 0;
    let last = -1;
    let bytes = out.bytes;
    let at = out.length;
    let end = at;
    for (let index = 0; index < length; index++) {
      entry = sorted[entry >>> 8] as number;
      const byte = entry & 0xff;
      const repeat = same === RUN ? byte : 1;
      if (at + repeat > end) {
        out.length = at;
        out.reserve(repeat, this.bits.position);
        end = at + out.reserveUpTo(Math.max(repeat, length));
        bytes = out.bytes;
      }
      if (same === RUN) {
        bytes.fill(last, at, at + repeat);
        same = 0;
        last = -1;
      } else {
        bytes[at] = byte;
        same = byte === last ? same + 1 : 1;
        last = byte;
      }
      at += repeat;
    }
    out.length = at;
  }
}
