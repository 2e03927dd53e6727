/** The literals of a Zstandard block (RFC 8878, 3.1.1.3.1): raw, one byte repeated, or in Huffman codes. */
import { BackwardBits, highBit, readFseTable, ZstdError } from './zstd-fse.js';

/** A table indexed by the next `log` bits: the byte, and the length of its code. */
export interface HuffmanTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

const TYPE = { raw: 0, rle: 1, compressed: 2, treeless: 3 } as const;
/** Codes have at most this many bits (RFC 8878, 4.2.1). */
const CODE_MAX = 11;
const WEIGHTS_MAX = 255;
const WEIGHT_LOG_MAX = 6;
/** A first byte from here on is followed by weights of four bits each (RFC 8878, 4.2.1.1). */
const DIRECT = 128;
const STREAMS = 4;
const JUMP_TABLE = 6;

/** A decoded literals section. */
export interface Literals {
  readonly count: number;
  /** Offset of the section's end. */
  readonly next: number;
  readonly table: HuffmanTable | undefined;
}

/** Reads a literals section of [from, to) into `into`. @param previous the table of the previous block. */
export function readLiterals(
  bytes: Uint8Array,
  { from, to }: { from: number; to: number },
  into: Uint8Array,
  previous: HuffmanTable | undefined,
): Literals {
  const first = bytes[from] ?? 0;
  const type = first & 3;
  const format = (first >>> 2) & 3;
  const need = (end: number): void => {
    if (end > to) throw new ZstdError('literals past the end of their block');
  };
  need(from + 1);
  const check = (count: number): void => {
    if (count > into.length) throw new ZstdError('more literals than a block may have');
  };
  // All fields are within five bytes; bytes read past the block are padding, which `need` below refuses.
  const at = (index: number): number => bytes[from + index] ?? 0;
  if (type === TYPE.raw || type === TYPE.rle) {
    const header = format === 3 ? 3 : format === 1 ? 2 : 1;
    let count = first >>> 3;
    if (format === 1) count = (first >>> 4) | (at(1) << 4);
    if (format === 3) count = (first >>> 4) | (at(1) << 4) | (at(2) << 12);
    check(count);
    const start = from + header;
    const length = type === TYPE.rle ? 1 : count;
    need(start + length);
    if (type === TYPE.rle) into.fill(at(header), 0, count);
    else into.set(bytes.subarray(start, start + count));
    return { count, next: start + length, table: previous };
  }
  const header = format < 2 ? 3 : format + 2;
  const width = format < 2 ? 10 : format === 2 ? 14 : 18;
  // Both sizes follow four bits; the two of 18 bits need 40.
  const packed = at(0) + at(1) * 2 ** 8 + at(2) * 2 ** 16 + at(3) * 2 ** 24 + at(4) * 2 ** 32;
  const count = Math.floor(packed / 16) % 2 ** width;
  const size = Math.floor(packed / 2 ** (4 + width)) % 2 ** width;
  check(count);
  let start = from + header;
  const end = start + size;
  need(end);
  let table = previous;
  if (type === TYPE.compressed) ({ table, next: start } = readHuffmanTable(bytes, start, end));
  if (table === undefined)
    throw new ZstdError('literals that use the previous table, but no block before has one');
  if (format === 0) {
    readStream(bytes, { from: start, to: end }, into.subarray(0, count), table);
    return { count, next: end, table };
  }
  if (start + JUMP_TABLE > end) throw new ZstdError('literals without their jump table');
  let stream = start + JUMP_TABLE;
  const part = Math.ceil(count / STREAMS);
  for (let index = 0; index < STREAMS; index++) {
    const place = start + 2 * index;
    const length =
      index === STREAMS - 1
        ? end - stream
        : (bytes[place] as number) | ((bytes[place + 1] as number) << 8);
    if (stream + length > end) throw new ZstdError('a literals stream past its end');
    const target = into.subarray(
      Math.min(count, index * part),
      Math.min(count, (index + 1) * part),
    );
    readStream(bytes, { from: stream, to: stream + length }, target, table);
    stream += length;
  }
  return { count, next: end, table };
}

/** Decodes one Huffman stream, which must fill `into` exactly. */
function readStream(
  bytes: Uint8Array,
  { from, to }: { from: number; to: number },
  into: Uint8Array,
  { log, symbols, bits }: HuffmanTable,
): void {
  const stream = new BackwardBits(bytes, from, to);
  let { remainingBits: remaining } = stream;
  for (let at = 0; at < into.length; at++) {
    const code = stream.peekAt(remaining - log, log);
    into[at] = symbols[code] as number;
    remaining -= bits[code] as number;
    if (remaining < 0) throw new ZstdError('a literals stream that ends too early');
  }
  if (remaining !== 0) throw new ZstdError('a literals stream that does not end with its literals');
}

function readHuffmanTable(
  bytes: Uint8Array,
  from: number,
  to: number,
): { table: HuffmanTable; next: number } {
  if (from >= to) throw new ZstdError('a Huffman table past its end');
  const first = bytes[from] as number;
  const weights: number[] = [];
  let next: number;
  if (first >= DIRECT) {
    const count = first - DIRECT + 1;
    next = from + 1 + Math.ceil(count / 2);
    if (next > to) throw new ZstdError('a Huffman table past its end');
    for (let index = 0; index < count; index++) {
      const pair = bytes[from + 1 + (index >>> 1)] as number;
      weights.push(index % 2 === 0 ? pair >>> 4 : pair & 15);
    }
  } else {
    next = from + 1 + first;
    if (next > to) throw new ZstdError('a Huffman table past its end');
    readWeights(bytes, { from: from + 1, to: next }, weights);
  }
  return { table: buildHuffmanTable(weights), next };
}

/** Weights in an FSE stream of two alternating states (RFC 8878, 4.2.1.2). */
function readWeights(
  bytes: Uint8Array,
  range: { from: number; to: number },
  weights: number[],
): void {
  const limits = { logMax: WEIGHT_LOG_MAX, symbolMax: CODE_MAX + 1 };
  const { table, next } = readFseTable(bytes, range, limits);
  const stream = new BackwardBits(bytes, next, range.to);
  const states = [stream.read(table.log), stream.read(table.log)];
  for (let turn = 0; ; turn ^= 1) {
    const state = states[turn] as number;
    weights.push(table.symbols[state] as number);
    states[turn] = (table.base[state] as number) + stream.read(table.bits[state] as number);
    if (weights.length >= WEIGHTS_MAX) throw new ZstdError('a Huffman table of too many weights');
    if (stream.remainingBits < 0) {
      weights.push(table.symbols[states[turn ^ 1] as number] as number);
      return;
    }
  }
}

/** A symbol of weight w has 2^(w − 1) entries; the last symbol's weight fills the table (RFC 8878, 4.2.1). */
function buildHuffmanTable(weights: number[]): HuffmanTable {
  const places = (weight: number): number => (weight === 0 ? 0 : 1 << (weight - 1));
  const sum = weights.reduce((total, weight) => total + places(weight), 0);
  if (sum === 0) throw new ZstdError('a Huffman table of no weight');
  const log = highBit(sum) + 1;
  const rest = (1 << log) - sum;
  if (log > CODE_MAX || (rest & (rest - 1)) !== 0) {
    throw new ZstdError('the weights of a Huffman table');
  }
  weights.push(highBit(rest) + 1);
  const symbols = new Uint8Array(1 << log);
  const bits = new Uint8Array(1 << log);
  let place = 0;
  for (let weight = 1; weight <= log; weight++) {
    for (const [symbol, own] of weights.entries()) {
      if (own !== weight) continue;
      const end = place + places(weight);
      symbols.fill(symbol, place, end);
      bits.fill(log + 1 - weight, place, end);
      place = end;
    }
  }
  return { log, symbols, bits };
}
