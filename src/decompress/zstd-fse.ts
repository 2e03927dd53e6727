/** Finite State Entropy (RFC 8878, 4.1) and the two bit streams of Zstandard: one read forwards, one backwards. */

/** Malformed data; the caller adds the offset. */
export class ZstdError extends Error {
  override readonly name = 'ZstdError';
}

/** The position of the highest set bit. */
export const highBit = (value: number): number => 31 - Math.clz32(value);

/** A decoding table: for each state its symbol, the number of bits to read, and the base that they are added to. */
export interface FseTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly base: Uint16Array;
}

/** Bytes that must follow the data, since 32 bits are read at once. */
export const PADDING = 8;

/** Reads bits from the end of bytes to their start (RFC 8878, 4.1: "bitstreams … are read backwards"). */
export class BackwardBits {
  private readonly view: DataView;
  private readonly start: number;
  /** Bits that remain to be read down to `start`; negative if more were read than exist. */
  remainingBits: number;

  /** @param bytes a buffer with the data at [from, to), followed by PADDING bytes. */
  constructor(bytes: Uint8Array, from: number, to: number) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.start = from;
    const last = to > from ? (bytes[to - 1] as number) : 0;
    if (last === 0) throw new ZstdError('a bit stream without its end mark');
    // The highest set bit of the last byte is the end mark.
    this.remainingBits = (to - from) * 8 - 8 + highBit(last);
  }

  /** The next `count` bits, at most 25; bits before the start are 0. */
  read(count: number): number {
    this.remainingBits -= count;
    return this.peekAt(this.remainingBits, count);
  }

  /** Bits [position, position + count), at most 25. */
  peekAt(position: number, count: number): number {
    if (position >= 0) {
      const word = this.view.getUint32(this.start + (position >>> 3), true);
      return (word >>> (position & 7)) & ((1 << count) - 1);
    }
    const there = count + position;
    return there <= 0 ? 0 : this.peekAt(0, there) << -position;
  }
}

/** Spreads normalized counts over a table (RFC 8878, 4.1.1, "From normalized distribution to decoding tables"). */
export function buildFseTable(counts: readonly number[], log: number): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  for (const [symbol, count] of counts.entries()) {
    if (count === -1) symbols[--high] = symbol;
    next[symbol] = Math.abs(count);
  }
  const step = (size >>> 1) + (size >>> 3) + 3;
  let place = 0;
  for (const [symbol, count] of counts.entries()) {
    for (let i = count; i > 0; i--) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place >= high);
    }
  }
  const bits = new Uint8Array(size);
  const base = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const value = next[symbol] as number;
    next[symbol] = value + 1;
    const read = log - highBit(value);
    bits[state] = read;
    base[state] = (value << read) - size;
  }
  return { log, symbols, bits, base };
}

/** A table of one symbol, which reads no bits. */
export function singleSymbolTable(symbol: number): FseTable {
  return {
    log: 0,
    symbols: Uint8Array.of(symbol),
    bits: new Uint8Array(1),
    base: new Uint16Array(1),
  };
}

/** Reads a table's description (RFC 8878, 4.1.1) from [from, to), and returns its end too. */
export function readFseTable(
  bytes: Uint8Array,
  { from, to }: { from: number; to: number },
  { logMax, symbolMax }: { logMax: number; symbolMax: number },
): { table: FseTable; next: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let bit = from * 8;
  const peek = (count: number): number => {
    if (bit >>> 3 >= to) throw new ZstdError('an FSE table past its end');
    return (view.getUint32(bit >>> 3, true) >>> (bit & 7)) & ((1 << count) - 1);
  };
  const log = peek(4) + 5;
  bit += 4;
  if (log > logMax) throw new ZstdError(`FSE accuracy ${log}, more than ${logMax}`);
  const counts: number[] = [];
  let remaining = 1 << log;
  while (remaining > 0) {
    // A value of 0 to remaining + 1, in one bit less if that is enough.
    const width = highBit(remaining + 1) + 1;
    const low = (1 << (width - 1)) - 1;
    const spare = (1 << width) - 1 - (remaining + 1);
    let value = peek(width);
    if ((value & low) < spare) {
      value &= low;
      bit += width - 1;
    } else {
      if (value > low) value -= spare;
      bit += width;
    }
    const count = value - 1;
    remaining -= Math.abs(count);
    counts.push(count);
    if (count === 0) {
      let zeros: number;
      do {
        zeros = peek(2);
        bit += 2;
        for (let i = 0; i < zeros; i++) counts.push(0);
      } while (zeros === 3 && counts.length <= symbolMax);
    }
    if (counts.length > symbolMax + 1) throw new ZstdError('an FSE table of too many symbols');
  }
  if (remaining < 0) throw new ZstdError('an FSE table whose counts are too many');
  const next = Math.ceil(bit / 8);
  if (next > to) throw new ZstdError('an FSE table past its end');
  return { table: buildFseTable(counts, log), next };
}
