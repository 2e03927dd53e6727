/** The sequences of a Zstandard block (RFC 8878, 3.1.1.3.2): each a number of literals, then a match. */
import {
  BackwardBits,
  buildFseTable,
  readFseTable,
  singleSymbolTable,
  ZstdError,
  type FseTable,
} from './zstd-fse.js';

/** The values of one kind of code. */
interface CodeKind {
  readonly logMax: number;
  readonly symbolMax: number;
  readonly predefined: FseTable;
}

/** Codes below `from` are values themselves, plus `first`; the others a baseline with extra bits (RFC 8878, 3.1.1.3.2.1.1). */
function values(
  first: number,
  from: number,
  extra: readonly number[],
): {
  base: Uint32Array;
  bits: Uint8Array;
} {
  const bits = Uint8Array.of(...new Array<number>(from).fill(0), ...extra);
  const base = new Uint32Array(bits.length);
  let value = first;
  for (const [code, width] of bits.entries()) {
    base[code] = value;
    value += 2 ** width;
  }
  return { base, bits };
}

const LITERAL_LENGTHS = values(
  0,
  16,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const MATCH_LENGTHS = values(
  3,
  32,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);

const times = (count: number, value: number): number[] => new Array<number>(count).fill(value);
/** The kinds in the order of their tables, with the default distributions (RFC 8878, 3.1.1.3.2.2). */
const KINDS: readonly [CodeKind, CodeKind, CodeKind] = [
  {
    logMax: 9,
    symbolMax: 35,
    predefined: buildFseTable(
      [4, 3, ...times(11, 2), 1, 1, 1, ...times(9, 2), 3, 2, ...times(5, 1), ...times(4, -1)],
      6,
    ),
  },
  {
    logMax: 8,
    symbolMax: 31,
    predefined: buildFseTable([...times(6, 1), 2, 2, 2, ...times(15, 1), ...times(5, -1)], 5),
  },
  {
    logMax: 9,
    symbolMax: 52,
    predefined: buildFseTable([1, 4, 3, ...times(6, 2), ...times(37, 1), ...times(7, -1)], 6),
  },
];
const MODE = { predefined: 0, rle: 1, compressed: 2, repeat: 3 } as const;
/** Position of each kind's two bits in the byte of modes; the lowest two bits are reserved. */
const MODE_SHIFTS = [6, 4, 2] as const;
const MODE_RESERVED = 3;
/** The most bits read at once. */
const READ_MAX = 24;

/** The state that the blocks of a frame share. */
export interface SequenceState {
  tables: (FseTable | undefined)[];
  /** The last three offsets (RFC 8878, 3.1.1.5). */
  offsets: [number, number, number];
}

/** The state before a frame's first block. */
export const newSequenceState = (): SequenceState => ({
  tables: [undefined, undefined, undefined],
  offsets: [1, 4, 8],
});

/** The target of sequences: `bytes` from `at` up to `end`; matches must not start before `start`. */
export interface Target {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly at: number;
  readonly end: number;
}

/** Thrown if the output would exceed the target's end. */
export class PastEnd extends Error {}

/** Reads the sequences of [from, to) and executes them with their literals. Returns the end of the output. */
export function runSequences(
  bytes: Uint8Array,
  { from, to }: { from: number; to: number },
  literals: Uint8Array,
  target: Target,
  state: SequenceState,
): number {
  const header = readHeader(bytes, from, to, state);
  let literal = 0;
  let { at } = target;
  const out = target.bytes;
  const copyLiterals = (count: number): void => {
    if (literal + count > literals.length)
      throw new ZstdError('a sequence with more literals than its block has');
    if (at + count > target.end) throw new PastEnd();
    if (count > 16) out.set(literals.subarray(literal, literal + count), at);
    else for (let i = 0; i < count; i++) out[at + i] = literals[literal + i] as number;
    literal += count;
    at += count;
  };
  if (header.count > 0) {
    const [lengths, offsets, matches] = state.tables as [FseTable, FseTable, FseTable];
    const stream = new BackwardBits(bytes, header.next, to);
    let lengthState = stream.read(lengths.log);
    let offsetState = stream.read(offsets.log);
    let matchState = stream.read(matches.log);
    for (let left = header.count; left > 0; left--) {
      const offsetValue = readOffset(stream, offsets.symbols[offsetState] as number);
      const matchCode = matches.symbols[matchState] as number;
      const matchLength =
        (MATCH_LENGTHS.base[matchCode] as number) +
        stream.read(MATCH_LENGTHS.bits[matchCode] as number);
      const lengthCode = lengths.symbols[lengthState] as number;
      const length =
        (LITERAL_LENGTHS.base[lengthCode] as number) +
        stream.read(LITERAL_LENGTHS.bits[lengthCode] as number);
      if (left > 1) {
        const next = (table: FseTable, now: number): number =>
          (table.base[now] as number) + stream.read(table.bits[now] as number);
        lengthState = next(lengths, lengthState);
        matchState = next(matches, matchState);
        offsetState = next(offsets, offsetState);
      }
      if (stream.remainingBits < 0) throw new ZstdError('a sequence stream that ends too early');
      const offset = nextOffset(state.offsets, offsetValue, length);
      copyLiterals(length);
      if (offset < 1 || offset > at - target.start) {
        throw new ZstdError(`offset ${offset} reaches before its frame`);
      }
      if (at + matchLength > target.end) throw new PastEnd();
      if (offset >= matchLength && matchLength > 64) {
        out.copyWithin(at, at - offset, at - offset + matchLength);
        at += matchLength;
      } else {
        for (const end = at + matchLength; at < end; at++) out[at] = out[at - offset] as number;
      }
    }
    if (stream.remainingBits !== 0)
      throw new ZstdError('a sequence stream that does not end with its block');
  } else if (header.next !== to) {
    throw new ZstdError('bytes after the literals of a block without sequences');
  }
  copyLiterals(literals.length - literal);
  return at;
}

function readOffset(stream: BackwardBits, code: number): number {
  if (code <= READ_MAX) return 2 ** code + stream.read(code);
  const high = stream.read(code - READ_MAX);
  return 2 ** code + high * 2 ** READ_MAX + stream.read(READ_MAX);
}

/** Values up to 3 select one of the last three offsets (RFC 8878, 3.1.1.5). */
function nextOffset(last: [number, number, number], value: number, literals: number): number {
  const [first, second, third] = last;
  if (value > 3) {
    last[2] = second;
    last[1] = first;
    return (last[0] = value - 3);
  }
  const index = value - (literals === 0 ? 0 : 1);
  if (index === 0) return first;
  const offset = index === 1 ? second : index === 2 ? third : first - 1;
  if (index > 1) last[2] = second;
  last[1] = first;
  return (last[0] = offset);
}

function readHeader(
  bytes: Uint8Array,
  from: number,
  to: number,
  state: SequenceState,
): { count: number; next: number } {
  const at = (place: number): number => {
    if (place >= to) throw new ZstdError('a sequences section past its end');
    return bytes[place] as number;
  };
  let place = from;
  let count = at(place++);
  if (count === 255) {
    count = at(place) + (at(place + 1) << 8) + 0x7f00;
    place += 2;
  } else if (count >= 128) count = ((count - 128) << 8) + at(place++);
  if (count === 0) return { count, next: place };
  const modes = at(place++);
  if ((modes & MODE_RESERVED) !== 0) throw new ZstdError('a reserved mode of sequences');
  for (const [index, kind] of KINDS.entries()) {
    const mode = (modes >>> (MODE_SHIFTS[index] ?? 0)) & 3;
    if (mode === MODE.predefined) state.tables[index] = kind.predefined;
    else if (mode === MODE.rle) {
      const symbol = at(place++);
      if (symbol > kind.symbolMax) throw new ZstdError(`code ${symbol} of sequences`);
      state.tables[index] = singleSymbolTable(symbol);
    } else if (mode === MODE.compressed) {
      const { table, next } = readFseTable(bytes, { from: place, to }, kind);
      state.tables[index] = table;
      place = next;
    } else if (state.tables[index] === undefined) {
      throw new ZstdError('sequences that use the previous table, but no block before has one');
    }
  }
  return { count, next: place };
}
