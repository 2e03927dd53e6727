/**
 * The symbol table that a kernel carries in its read-only data for its own messages (CONFIG_KALLSYMS), decoded from a
 * stripped image: nothing says where it is, so its tables are recognised by their structure.
 *
 * scripts/kallsyms.c lays out, each table on a multiple of 8 bytes:
 * - until 6.4: addresses, or offsets and relative_base; num_syms; names; markers; (6.2 to 6.4: seqs_of_names);
 *   token_table; token_index;
 * - from 6.5: num_syms; names; markers; token_table; token_index; offsets; relative_base; seqs_of_names.
 *
 * A name is a length and that many tokens; the first character that they give is nm's letter. Each of the 256 tokens is
 * a string in token_table, at the offset that token_index has for it. markers has the place of every 256th name.
 */
import type { ImageSegment } from './elf.js';
import { SymbolTable, type SymbolTexts } from './symbols.js';

const TOKENS = 256;
const NAMES_PER_MARKER = 256;
/** Alignment of the tables (ALGN in scripts/kallsyms.c). */
const ALIGN = 8;
/** Bytes that an entry of names takes at most: KSYM_NAME_LEN is 512, the length has two bytes. */
const LARGEST_NAME = 514;
const SMALLEST_NAME = 2;
/** Bytes between markers and token_table at most: seqs_of_names has 3 per symbol; this is room for a million symbols. */
const FARTHEST_MARKERS = 3 << 20;
/** Bytes of seqs_of_names and padding that may follow a table of one marker. */
const FARTHEST_SINGLE_MARKER = 3 * NAMES_PER_MARKER + 2 * ALIGN;
/** Set in the first byte of a length that goes on in a second one, ULEB128 (kernel/kallsyms.c, since 6.1). */
const BIG_LENGTH = 0x80;

const DIGIT_ZERO = 0x30;
const DIGIT_NINE = 0x39;
const DIGITS = 10;
const PRINTABLE_FIRST = 0x20;
const PRINTABLE_LAST = 0x7e;
const TWO_32 = 2 ** 32;

/** The image's bytes in which the tables stand, and a view of them. */
interface Bytes {
  readonly u8: Uint8Array;
  readonly view: DataView;
}

interface TokenTable {
  /** Where token_table starts. */
  readonly start: number;
  /** Where token_index ends. */
  readonly end: number;
  readonly tokens: readonly string[];
}

interface Names {
  /** Where num_syms stands. */
  readonly numSyms: number;
  readonly count: number;
  /** Where each name's tokens start, and where they end. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

const alignUp = (at: number): number => Math.ceil(at / ALIGN) * ALIGN;
const alignDown = (at: number): number => Math.floor(at / ALIGN) * ALIGN;
const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/**
 * Finds and decodes kallsyms, or gives undefined where no segment has it. Names are made when first asked for. Segments
 * start on pages, so what is aligned in memory is aligned in their bytes.
 */
export function readKallsyms(segments: readonly ImageSegment[]): SymbolTable | undefined {
  for (const { bytes } of segments) {
    const at: Bytes = {
      u8: bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    };
    for (const digits of findDigits(bytes)) {
      const table = readTokenTable(at, digits);
      if (table === undefined) continue;
      const names = findNames(at, table.start);
      if (names === undefined) continue;
      const addresses = readAddresses(at, names, table.end);
      if (addresses === undefined) continue;
      return new SymbolTable({ addresses, load: () => decodeNames(bytes, names, table.tokens) });
    }
  }
  return undefined;
}

/**
 * Places where the ten digits stand as strings of one character. Characters that occur in names are tokens of their own
 * (scripts/kallsyms.c, insert_real_symbols_in_table), so token_table has all ten, one behind another.
 */
function* findDigits(bytes: Uint8Array): Generator<number> {
  const length = 2 * DIGITS;
  const isDigit = (byte: number): boolean => byte >= DIGIT_ZERO && byte <= DIGIT_NINE;
  // Of every two neighbouring bytes in the pattern one is a digit and one NUL, so one look per 19 bytes is enough.
  for (let at = 0; at + 1 < bytes.length; at += length - 1) {
    const first = byteAt(bytes, at);
    const second = byteAt(bytes, at + 1);
    let start: number;
    if (second === 0 && isDigit(first)) start = at - 2 * (first - DIGIT_ZERO);
    else if (first === 0 && isDigit(second)) start = at + 1 - 2 * (second - DIGIT_ZERO);
    else continue;
    if (start < 0 || start + length > bytes.length) continue;
    let same = 0;
    while (same < length) {
      const wanted = same % 2 === 0 ? DIGIT_ZERO + same / 2 : 0;
      if (byteAt(bytes, start + same) !== wanted) break;
      same++;
    }
    if (same === length) yield start;
  }
}

/** Reads token_table and token_index around the token "0", or gives undefined where they do not agree. */
function readTokenTable({ u8, view }: Bytes, digits: number): TokenTable | undefined {
  let end = digits;
  for (let token = DIGIT_ZERO; token < TOKENS; token++) {
    const nul = u8.indexOf(0, end);
    if (nul === -1) return undefined;
    end = nul + 1;
  }
  const index = alignUp(end);
  if (index + 2 * TOKENS > u8.length) return undefined;
  const start = digits - view.getUint16(index + 2 * DIGIT_ZERO, true);
  if (start < 0 || start % ALIGN !== 0) return undefined;

  const tokens: string[] = [];
  let at = start;
  for (let token = 0; token < TOKENS; token++) {
    if (view.getUint16(index + 2 * token, true) !== at - start) return undefined;
    const from = at;
    for (let byte = byteAt(u8, at); byte !== 0; byte = byteAt(u8, ++at)) {
      if (byte < PRINTABLE_FIRST || byte > PRINTABLE_LAST) return undefined;
    }
    tokens.push(String.fromCharCode(...u8.subarray(from, at)));
    at++;
  }
  return at === end ? { start, end: index + 2 * TOKENS, tokens } : undefined;
}

/** Markers are 32-bit since 4.20, 64-bit before. */
const MARKER_WIDTHS = [4, 8] as const;
type MarkerWidth = (typeof MARKER_WIDTHS)[number];

/** Finds names through the markers that follow them, looking backwards from token_table. */
function findNames(at: Bytes, tokenTable: number): Names | undefined {
  const lowest = Math.max(0, tokenTable - FARTHEST_MARKERS);
  for (let markers = tokenTable - ALIGN; markers >= lowest; markers -= ALIGN) {
    if (at.view.getUint32(markers, true) !== 0) continue; // the first name is at 0
    for (const width of MARKER_WIDTHS) {
      const most = countMarkers(at, markers, width, tokenTable);
      // What follows the markers may look like a few more of them.
      for (let count = most; count > 0 && count > most - 4; count--) {
        if (count === 1 && tokenTable - markers > FARTHEST_SINGLE_MARKER) break;
        const names = findNamesBefore(at, markers, width, count);
        if (names !== undefined) return names;
      }
    }
  }
  return undefined;
}

function marker({ view }: Bytes, markers: number, width: MarkerWidth, index: number): number {
  const place = markers + index * width;
  const high = width === 8 ? view.getUint32(place + 4, true) : 0;
  return high * TWO_32 + view.getUint32(place, true);
}

/** How many entries from `markers` on are as far apart as 256 names can be. */
function countMarkers(at: Bytes, markers: number, width: MarkerWidth, end: number): number {
  let previous = marker(at, markers, width, 0);
  if (previous !== 0) return 0;
  let count = 1;
  while (markers + (count + 1) * width <= end) {
    const next = marker(at, markers, width, count);
    const step = next - previous;
    if (step < NAMES_PER_MARKER * SMALLEST_NAME || step > NAMES_PER_MARKER * LARGEST_NAME) break;
    previous = next;
    count++;
  }
  return count;
}

/** Looks for a num_syms in front of names that agree with `count` markers. */
function findNamesBefore(
  at: Bytes,
  markers: number,
  width: MarkerWidth,
  count: number,
): Names | undefined {
  const most = count * NAMES_PER_MARKER;
  const least = most - NAMES_PER_MARKER + 1;
  const last = marker(at, markers, width, count - 1);
  const highest = alignDown(markers - last - ALIGN);
  const lowest = Math.max(0, highest - NAMES_PER_MARKER * LARGEST_NAME - ALIGN);
  for (let numSyms = highest; numSyms >= lowest; numSyms -= ALIGN) {
    const found = at.view.getUint32(numSyms, true);
    if (found < least || found > most) continue;
    const names = walkNames(at, numSyms, found, markers, width);
    if (names !== undefined) return names;
  }
  return undefined;
}

/** Walks `count` names behind num_syms; undefined unless every marker agrees and they end where the markers start. */
function walkNames(
  at: Bytes,
  numSyms: number,
  count: number,
  markers: number,
  width: MarkerWidth,
): Names | undefined {
  const { u8 } = at;
  const first = numSyms + ALIGN;
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let place = first;
  for (let index = 0; index < count; index++) {
    if (
      index % NAMES_PER_MARKER === 0 &&
      marker(at, markers, width, index / NAMES_PER_MARKER) !== place - first
    ) {
      return undefined;
    }
    let length = byteAt(u8, place++);
    if ((length & BIG_LENGTH) !== 0) {
      length = (length & ~BIG_LENGTH) | (byteAt(u8, place++) << 7);
    }
    if (length === 0) return undefined;
    starts[index] = place;
    place += length;
    ends[index] = place;
    if (place > markers) return undefined;
  }
  return alignUp(place) === markers ? { numSyms, count, starts, ends } : undefined;
}

/** Reads the addresses from where each layout has them; undefined where none gives ascending ones. */
function readAddresses(at: Bytes, names: Names, tokensEnd: number): Float64Array | undefined {
  const { numSyms, count } = names;
  const offsetsSize = alignUp(4 * count);
  return (
    readAbsolute(at, numSyms - 8 * count, count) ??
    readRelative(at, numSyms - 8 - offsetsSize, numSyms - 8, count) ??
    readRelative(at, alignUp(tokensEnd), alignUp(tokensEnd) + offsetsSize, count)
  );
}

/** kallsyms_addresses: 64 bits each (without CONFIG_KALLSYMS_BASE_RELATIVE). */
function readAbsolute({ view }: Bytes, table: number, count: number): Float64Array | undefined {
  if (table < 0) return undefined;
  const addresses = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const place = table + 8 * index;
    addresses[index] = view.getInt32(place + 4, true) * TWO_32 + view.getUint32(place, true);
  }
  return areKernelAddresses(addresses) ? addresses : undefined;
}

/**
 * kallsyms_offsets and kallsyms_relative_base (CONFIG_KALLSYMS_BASE_RELATIVE): 32 bits each. With
 * CONFIG_KALLSYMS_ABSOLUTE_PERCPU an offset that is not negative is an address itself, a negative one counts down from
 * the base less one (kernel/kallsyms.c, kallsyms_sym_address); without, offsets are unsigned and none reaches 2 GiB.
 */
function readRelative(
  { u8, view }: Bytes,
  offsets: number,
  relativeBase: number,
  count: number,
): Float64Array | undefined {
  if (offsets < 0 || relativeBase + 8 > u8.length) return undefined;
  const base = view.getInt32(relativeBase + 4, true) * TWO_32 + view.getUint32(relativeBase, true);
  if (!isKernelText(base)) return undefined;
  const addresses = new Float64Array(count);
  let absolutePercpu = false;
  for (let index = 0; index < count; index++) {
    const offset = view.getInt32(offsets + 4 * index, true);
    addresses[index] = offset;
    if (offset < 0) absolutePercpu = true;
  }
  for (let index = 0; index < count; index++) {
    const offset = addresses[index] ?? 0;
    if (!absolutePercpu) addresses[index] = base + offset;
    else if (offset < 0) addresses[index] = base - 1 - offset;
  }
  return areKernelAddresses(addresses) ? addresses : undefined;
}

/** Whether an address is in the topmost 2 GiB, where the kernel is linked (Documentation/x86/x86_64/mm.txt). */
function isKernelText(address: number): boolean {
  return address >= -(TWO_32 / 2) && address < 0;
}

/** Whether addresses are what kallsyms sorts: ascending as unsigned numbers, per-CPU ones below 2 GiB, then the kernel's. */
function areKernelAddresses(addresses: Float64Array): boolean {
  let previous = 0;
  for (const address of addresses) {
    if (address >= 0 ? previous < 0 || address >= TWO_32 / 2 : !isKernelText(address)) return false;
    if (address < previous && !(address < 0 && previous >= 0)) return false;
    previous = address;
  }
  return previous < 0;
}

/** Writes out every name's tokens, one name behind another. */
function decodeNames(
  bytes: Uint8Array,
  { count, starts: from, ends: to }: Names,
  tokens: readonly string[],
): SymbolTexts {
  const pieces = tokens.map((token) => Uint16Array.from(token, (char) => char.charCodeAt(0)));
  const none = new Uint16Array(0);
  const starts = new Uint32Array(count + 1);
  let length = 0;
  for (let index = 0; index < count; index++) {
    const end = to[index] ?? 0;
    for (let at = from[index] ?? 0; at < end; at++) {
      length += pieces[byteAt(bytes, at)]?.length ?? 0;
    }
    starts[index + 1] = length;
  }
  const text = new Uint16Array(length);
  let unit = 0;
  for (let index = 0; index < count; index++) {
    const end = to[index] ?? 0;
    for (let at = from[index] ?? 0; at < end; at++) {
      const piece = pieces[byteAt(bytes, at)] ?? none;
      for (const code of piece) text[unit++] = code;
    }
  }
  return { text, starts };
}
