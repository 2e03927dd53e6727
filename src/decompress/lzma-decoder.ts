/**
 * The LZMA decoder: literals and matches, each choice a bit of an adaptive range coder (LZMA specification of the LZMA
 * SDK, DOC/lzma-specification.txt; names are from it). LZMA2 and .lzma files use it with their own framing.
 */
import type { Output } from './output.js';
import type { Source } from './source.js';

/** lc: bits of the previous byte that choose a literal's probabilities; lp, pb: low bits of the position that do. */
export interface LzmaProps {
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
}

const TOP = 1 << 24;
const MODEL_BITS = 11;
const MOVE_BITS = 5;
const PROB_INIT = 1 << (MODEL_BITS - 1);
const STATES = 12;
const POS_STATES_MAX = 16;
const LEN_TO_POS_STATES = 4;
const END_POS_MODEL = 14;
const FULL_DISTANCES = 1 << (END_POS_MODEL >>> 1);
const ALIGN_BITS = 4;
const MATCH_MIN = 2;
/** The longest match (MATCH_MIN + 8 + 8 + 256 − 1). */
const MATCH_MAX = 273;
/** Number of a literal's probabilities: 0x100 for each kind of context. */
const LITERAL_SIZE = 0x300;
/** Bytes before each range-coded chunk: the first is 0, then the code. */
export const RANGE_CODER_INIT = 5;
/** The distance that means the end of the stream. */
const END_MARKER = -1;

/** Start of each group of probabilities in one array. */
const LEN = {
  choice: 0,
  choice2: 1,
  low: 2,
  mid: 2 + 8 * POS_STATES_MAX,
  high: 2 + 16 * POS_STATES_MAX,
};
const LEN_SIZE = LEN.high + 256;
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * POS_STATES_MAX;
const IS_REP_G0 = IS_REP + STATES;
const IS_REP_G1 = IS_REP_G0 + STATES;
const IS_REP_G2 = IS_REP_G1 + STATES;
const IS_REP0_LONG = IS_REP_G2 + STATES;
const POS_SLOT = IS_REP0_LONG + STATES * POS_STATES_MAX;
const POS_DECODERS = POS_SLOT + LEN_TO_POS_STATES * 64;
const ALIGN = POS_DECODERS + 1 + FULL_DISTANCES - END_POS_MODEL;
const MATCH_LEN = ALIGN + (1 << ALIGN_BITS);
const REP_LEN = MATCH_LEN + LEN_SIZE;
const LITERAL = REP_LEN + LEN_SIZE;

/** lc, lp and pb from their byte, (pb × 5 + lp) × 9 + lc; undefined if it is invalid. */
export function readProps(byte: number): LzmaProps | undefined {
  if (byte >= 9 * 5 * 5) return undefined;
  return { lc: byte % 9, lp: Math.floor(byte / 9) % 5, pb: Math.floor(byte / 45) };
}

/** Decodes LZMA from a source into an output, whose bytes from `dictionary` on are the dictionary. */
export class LzmaDecoder {
  private probs = new Uint16Array(0);
  private lc = 0;
  private lpMask = 0;
  private pbMask = 0;
  private state = 0;
  private rep0 = 0;
  private rep1 = 0;
  private rep2 = 0;
  private rep3 = 0;
  /** Signed 32-bit, compared as unsigned. */
  private range = 0;
  private code = 0;
  /** Offset of the next byte of input; past `source.length` it reads as 0, which decode() refuses. */
  private at = 0;
  /** Offset of the first byte of output that matches may use. */
  dictionary = 0;

  constructor(
    private readonly source: Source,
    private readonly out: Output,
    private readonly dictionarySize: number,
  ) {}

  setProps({ lc, lp, pb }: LzmaProps): void {
    this.probs = new Uint16Array(LITERAL + (LITERAL_SIZE << (lc + lp)));
    this.lc = lc;
    this.lpMask = (1 << lp) - 1;
    this.pbMask = (1 << pb) - 1;
  }

  resetState(): void {
    this.probs.fill(PROB_INIT);
    this.state = this.rep0 = this.rep1 = this.rep2 = this.rep3 = 0;
  }

  /** Starts the range coder at an offset of the source. */
  startRange(at: number): void {
    this.source.need(at, RANGE_CODER_INIT, 'start of the LZMA range coder');
    if (this.source.u8(at, 'range coder') !== 0) {
      throw this.source.corrupt(at, 'the LZMA range coder does not start with 0');
    }
    this.range = -1;
    this.code = this.source.view.getInt32(at + 1, false);
    this.at = at + RANGE_CODER_INIT;
  }

  /** Offset of the next byte of input; after normalize() it is the end of the range coder's input. */
  get position(): number {
    return this.at;
  }

  /** Whether the range coder is in the state after a finished stream. */
  get finished(): boolean {
    return this.code === 0;
  }

  /** Reads the pending byte, if any, before a check of the stream's end, as encoders flush it. */
  normalize(): void {
    if (this.range >>> 0 < TOP) {
      this.code = (this.code << 8) | (this.source.bytes[this.at++] ?? 0);
      this.range <<= 8;
    }
  }

  /**
   * Decodes until the output has `end` bytes, or to the end marker, for which it returns true. Input must not extend
   * past `to`.
   *
   * @throws InputError E_TRUNCATED, E_CORRUPT, E_TOO_LARGE.
   */
  decode(end: number, to: number): boolean {
    const { out, source } = this;
    let { bytes, length: d } = out;
    let capacity = bytes.length - MATCH_MAX;
    /** Length of the output that was decoded from existing input. */
    let good = d;
    while (d < end) {
      if (this.at > to) {
        out.length = good;
        throw this.cut(to);
      }
      good = d;
      if (d >= capacity) {
        // The end marker may be next, so no space is reserved beyond the limit.
        out.length = d;
        if (out.remaining < 0) throw out.tooMuch(this.at);
        out.reserveUpTo(Math.min(end - d, bytes.length));
        bytes = out.bytes;
        // Close to the limit each match is checked separately.
        capacity = Math.max(bytes.length - MATCH_MAX, d + 1);
      }
      const posState = (d - this.dictionary) & this.pbMask;
      if (this.bit(IS_MATCH + this.state * POS_STATES_MAX + posState) === 0) {
        bytes[d] = this.literal(bytes, d);
        d++;
        this.state = this.state < 4 ? 0 : this.state - (this.state < 10 ? 3 : 6);
        continue;
      }
      const { state } = this;
      let length: number;
      if (this.bit(IS_REP + state) === 0) {
        this.rep3 = this.rep2;
        this.rep2 = this.rep1;
        this.rep1 = this.rep0;
        length = this.length(MATCH_LEN, posState);
        this.state = state < 7 ? 7 : 10;
        this.rep0 = this.distance(length);
        if (this.rep0 === END_MARKER) {
          this.finish(d, to, good);
          return true;
        }
      } else {
        if (this.bit(IS_REP_G0 + state) === 0) {
          if (this.bit(IS_REP0_LONG + state * POS_STATES_MAX + posState) === 0) {
            this.state = state < 7 ? 9 : 11;
            if (this.rep0 >>> 0 >= d - this.dictionary) throw this.farBack(d);
            bytes[d] = bytes[d - this.rep0 - 1] as number;
            d++;
            continue;
          }
        } else {
          let distance: number;
          if (this.bit(IS_REP_G1 + state) === 0) distance = this.rep1;
          else {
            if (this.bit(IS_REP_G2 + state) === 0) distance = this.rep2;
            else {
              distance = this.rep3;
              this.rep3 = this.rep2;
            }
            this.rep2 = this.rep1;
          }
          this.rep1 = this.rep0;
          this.rep0 = distance;
        }
        length = this.length(REP_LEN, posState);
        this.state = state < 7 ? 8 : 11;
      }
      const distance = (this.rep0 >>> 0) + 1;
      if (distance > d - this.dictionary || distance > this.dictionarySize) throw this.farBack(d);
      const matchEnd = d + length;
      if (matchEnd > end) {
        out.length = d;
        throw source.corrupt(this.at, 'an LZMA match runs past the size announced');
      }
      if (matchEnd > bytes.length) {
        out.length = d;
        bytes = out.reserve(length, this.at);
        capacity = Math.max(bytes.length - MATCH_MAX, matchEnd);
      }
      for (let from = d - distance; d < matchEnd; d++, from++) bytes[d] = bytes[from] as number;
    }
    this.finish(d, to, good);
    return false;
  }

  /** Whether an end marker is next, after data of a known size. */
  decodeMarker(to: number): boolean {
    const { state } = this;
    const posState = (this.out.length - this.dictionary) & this.pbMask;
    if (this.bit(IS_MATCH + state * POS_STATES_MAX + posState) === 0) return false;
    if (this.bit(IS_REP + state) !== 0) return false;
    if (this.distance(this.length(MATCH_LEN, posState)) !== END_MARKER) return false;
    this.normalize();
    return this.at <= to && this.finished;
  }

  private finish(d: number, to: number, good: number): void {
    this.out.length = this.at > to ? good : d;
    if (this.at > to) throw this.cut(to);
    if (this.out.remaining < 0) throw this.out.tooMuch(this.at);
  }

  private cut(to: number): Error {
    return this.source.error(to < this.source.length ? 'E_CORRUPT' : 'E_TRUNCATED', to, {
      reason: 'the LZMA data ends inside its stream',
    });
  }

  private farBack(d: number): Error {
    this.out.length = d;
    const distance = (this.rep0 >>> 0) + 1;
    return this.source.corrupt(
      this.at,
      `LZMA distance ${distance} reaches before its dictionary of ${d - this.dictionary} bytes`,
    );
  }

  /** One bit by the probability at an index (LZMA specification, "Decode bit"). */
  private bit(index: number): number {
    const { probs } = this;
    if (this.range >>> 0 < TOP) {
      this.code = (this.code << 8) | (this.source.bytes[this.at++] as number);
      this.range <<= 8;
    }
    const prob = probs[index] as number;
    const bound = Math.imul(this.range >>> MODEL_BITS, prob);
    if (this.code >>> 0 < bound >>> 0) {
      this.range = bound;
      probs[index] = prob + (((1 << MODEL_BITS) - prob) >>> MOVE_BITS);
      return 0;
    }
    this.range = (this.range - bound) | 0;
    this.code = (this.code - bound) | 0;
    probs[index] = prob - (prob >>> MOVE_BITS);
    return 1;
  }

  private tree(base: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = (node << 1) | this.bit(base + node);
    return node - (1 << bits);
  }

  private reverseTree(base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** Bits of equal probability (LZMA specification, "DecodeDirectBits"). */
  private direct(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      if (this.range >>> 0 < TOP) {
        this.code = (this.code << 8) | (this.source.bytes[this.at++] as number);
        this.range <<= 8;
      }
      this.range >>>= 1;
      const left = (this.code - this.range) | 0;
      if (this.code >>> 0 < this.range >>> 0) value <<= 1;
      else {
        this.code = left;
        value = (value << 1) | 1;
      }
    }
    return value;
  }

  /** A literal; after a match the byte at the last distance predicts its bits. */
  private literal(bytes: Uint8Array, d: number): number {
    const { lc } = this;
    const previous = d > this.dictionary ? (bytes[d - 1] as number) : 0;
    const context = (((d - this.dictionary) & this.lpMask) << lc) + (previous >>> (8 - lc));
    const base = LITERAL + LITERAL_SIZE * context;
    let symbol = 1;
    if (this.state >= 7) {
      if (this.rep0 >>> 0 >= d - this.dictionary) throw this.farBack(d);
      let match = bytes[d - this.rep0 - 1] as number;
      do {
        match <<= 1;
        const matchBit = match & 0x100;
        const bit = this.bit(base + 0x100 + matchBit + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit >>> 8 !== bit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.bit(base + symbol);
    return symbol & 0xff;
  }

  private length(base: number, posState: number): number {
    if (this.bit(base + LEN.choice) === 0) {
      return MATCH_MIN + this.tree(base + LEN.low + posState * 8, 3);
    }
    if (this.bit(base + LEN.choice2) === 0) {
      return MATCH_MIN + 8 + this.tree(base + LEN.mid + posState * 8, 3);
    }
    return MATCH_MIN + 16 + this.tree(base + LEN.high, 8);
  }

  /** A distance minus one, as a signed 32-bit number. */
  private distance(length: number): number {
    const lenState = Math.min(length - MATCH_MIN, LEN_TO_POS_STATES - 1);
    const slot = this.tree(POS_SLOT + lenState * 64, 6);
    if (slot < 4) return slot;
    const bits = (slot >>> 1) - 1;
    const start = (2 | (slot & 1)) << bits;
    if (slot < END_POS_MODEL) {
      return start + this.reverseTree(POS_DECODERS + start - slot, bits);
    }
    const high = this.direct(bits - ALIGN_BITS) << ALIGN_BITS;
    return (start + high + this.reverseTree(ALIGN, ALIGN_BITS)) | 0;
  }
}
