/**
 * The symbol table in a kernel's read-only data, for its own messages (CONFIG_KALLSYMS), decoded from a stripped image.
 * Nothing in the image points to the tables: they are recognised by their structure.
 *
 * The order of scripts/kallsyms.c, each table at a multiple of 8 bytes, from 7.0 on of 4:
 * - until 6.4: addresses, or offsets and relative_base; num_syms; names; markers; (6.2 to 6.4: seqs_of_names);
 *   token_table; token_index;
 * - from 6.5: num_syms; names; markers; token_table; token_index; offsets; relative_base; seqs_of_names;
 * - from 7.0: the same without relative_base: each offset is relative to its own address.
 *
 * A name is a length and that many tokens; the first character of their text is nm's letter. Each of the 256 tokens is
 * a string in token_table, at its offset from token_index. markers has the offset of every 256th name.
 */
import { latin1 } from '../../base/bytes.js';
import type { ImageSegment } from './elf.js';
import { readAddresses } from './kallsyms-addresses.js';
import { decodeNames, findNames } from './kallsyms-names.js';
import {
  ALIGNS,
  alignUp,
  byteAt,
  SearchBudget,
  type Align,
  type Bytes,
  type TokenTable,
} from './kallsyms-types.js';
import { SymbolTable } from './symbols.js';

const TOKENS = 256;
/** token_index has 16 bits for an offset in token_table. */
const LARGEST_TOKEN_TABLE = 1 << 16;

const DIGIT_ZERO = 0x30;
const DIGIT_NINE = 0x39;
const DIGITS = 10;
const PRINTABLE_FIRST = 0x20;
const PRINTABLE_LAST = 0x7e;

/**
 * Finds and decodes kallsyms; undefined if no segment has it. Names are decoded at their first use. Segments start at
 * page boundaries, so that alignment in memory is alignment in their bytes.
 *
 * The search has a budget of steps proportional to the image, far above the need of any kernel: in an image full of
 * look-alikes it ends without a result.
 */
export function readKallsyms(segments: readonly ImageSegment[]): SymbolTable | undefined {
  // Segments may share their bytes in the file: one budget for all of them.
  const budget = new SearchBudget(segments.reduce((sum, { bytes }) => sum + bytes.length, 0));
  for (const { bytes, vaddr } of segments) {
    const at: Bytes = {
      u8: bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      vaddr,
    };
    for (const digits of findDigits(bytes)) {
      const ends = tokensEnd(at, digits, budget);
      if (budget.spent) return undefined;
      if (ends === undefined) continue;
      for (const align of ALIGNS) {
        const table = readTokenTable(at, digits, ends, align);
        if (table === undefined) continue;
        const names = findNames(at, table, align, budget);
        if (names === undefined) continue;
        const addresses = readAddresses(at, names, table.end, align);
        if (addresses === undefined) continue;
        return new SymbolTable({ addresses, load: () => decodeNames(bytes, names, table.tokens) });
      }
    }
  }
  return undefined;
}

/**
 * Offsets of the ten digits as consecutive strings of one character. Each character that occurs in names is a token
 * (scripts/kallsyms.c, insert_real_symbols_in_table), so token_table has all ten digits in a row.
 */
function* findDigits(bytes: Uint8Array): Generator<number> {
  const length = 2 * DIGITS;
  const isDigit = (byte: number): boolean => byte >= DIGIT_ZERO && byte <= DIGIT_NINE;
  // Of two adjacent bytes in the pattern one is a digit and one NUL, so one check per 19 bytes is enough.
  for (let at = 0; at + 1 < bytes.length; at += length - 1) {
    const first = byteAt(bytes, at);
    const second = byteAt(bytes, at + 1);
    let start: number;
    if (second === 0 && isDigit(first)) start = at - 2 * (first - DIGIT_ZERO);
    else if (first === 0 && isDigit(second)) start = at + 1 - 2 * (second - DIGIT_ZERO);
    else continue;
    if (start < 0 || start + length > bytes.length) continue;
    let matched = 0;
    while (matched < length) {
      const expected = matched % 2 === 0 ? DIGIT_ZERO + matched / 2 : 0;
      if (byteAt(bytes, start + matched) !== expected) break;
      matched++;
    }
    if (matched === length) yield start;
  }
}

/** Offset of the end of the tokens from "0" on; undefined if token_table would be too large. */
function tokensEnd({ u8 }: Bytes, digits: number, budget: SearchBudget): number | undefined {
  const limit = Math.min(u8.length, digits + LARGEST_TOKEN_TABLE);
  let remaining = TOKENS - DIGIT_ZERO;
  let at = digits;
  while (remaining > 0 && at < limit) if (byteAt(u8, at++) === 0) remaining--;
  budget.spend(at - digits);
  return remaining === 0 ? at : undefined;
}

/** Reads token_table and token_index around the token "0"; undefined if they do not agree. */
function readTokenTable(
  { u8, view }: Bytes,
  digits: number,
  end: number,
  align: Align,
): TokenTable | undefined {
  const index = alignUp(end, align);
  if (index + 2 * TOKENS > u8.length) return undefined;
  const start = digits - view.getUint16(index + 2 * DIGIT_ZERO, true);
  if (start < 0 || start % align !== 0) return undefined;

  const tokens: string[] = [];
  let at = start;
  for (let token = 0; token < TOKENS; token++) {
    if (view.getUint16(index + 2 * token, true) !== at - start) return undefined;
    const from = at;
    for (let byte = byteAt(u8, at); byte !== 0; byte = byteAt(u8, ++at)) {
      if (byte < PRINTABLE_FIRST || byte > PRINTABLE_LAST) return undefined;
    }
    tokens.push(latin1(u8.subarray(from, at)));
    at++;
  }
  return at === end ? { start, end: index + 2 * TOKENS, tokens } : undefined;
}
