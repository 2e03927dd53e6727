/** kallsyms_names and kallsyms_markers: the search, backwards from the token table, and the decoder. */
import { LIMITS } from '../../base/limits.js';
import {
  alignDown,
  alignUp,
  byteAt,
  type Align,
  type Bytes,
  type Names,
  type SearchBudget,
  type TokenTable,
} from './kallsyms-types.js';
import type { SymbolTexts } from './symbols.js';

const NAMES_PER_MARKER = 256;
/** The largest entry of names in bytes: KSYM_NAME_LEN is 512, the length has two bytes. */
const LARGEST_NAME = 514;
const SMALLEST_NAME = 2;
/** The most characters of a name with its letter: KSYM_NAME_LEN with its NUL (include/linux/kallsyms.h, since 6.1). */
const LONGEST_TEXT = 512;
const LARGEST_TEXT = LIMITS.symbolNames.most;
/** The most bytes between markers and token_table: seqs_of_names has 3 per symbol; enough for a million symbols. */
const FARTHEST_MARKERS = 3 << 20;
/** Bytes of seqs_of_names and padding that may follow a table of one marker. */
const FARTHEST_SINGLE_MARKER = 3 * NAMES_PER_MARKER + 16;
/** Set in the first byte of a length of two bytes, ULEB128 (kernel/kallsyms.c, since 6.1). */
const BIG_LENGTH = 0x80;
const TWO_32 = 2 ** 32;

/** Markers are 32-bit since 4.20, 64-bit before. */
const MARKER_WIDTHS = [4, 8] as const;
type MarkerWidth = (typeof MARKER_WIDTHS)[number];

interface Markers {
  readonly at: number;
  readonly width: MarkerWidth;
  readonly count: number;
}

/** Finds the names by the markers that follow them, searching backwards from token_table. */
export function findNames(
  at: Bytes,
  { start: tokenTable, tokens }: TokenTable,
  align: Align,
  budget: SearchBudget,
): Names | undefined {
  const lengths = Uint16Array.from(tokens, ({ length }) => length);
  const lowest = Math.max(0, tokenTable - FARTHEST_MARKERS);
  for (let place = tokenTable - align; place >= lowest; place -= align) {
    if (budget.spent) return undefined;
    budget.spend(1);
    if (at.view.getUint32(place, true) !== 0) continue; // the first name is at 0
    for (const width of MARKER_WIDTHS) {
      if (width > align) continue;
      const most = countMarkers(at, place, width, tokenTable);
      budget.spend(most);
      // The bytes after the markers may resemble a few more markers.
      for (let count = most; count > 0 && count > most - 4; count--) {
        if (count === 1 && tokenTable - place > FARTHEST_SINGLE_MARKER) break;
        const markers = { at: place, width, count };
        const names = findNamesBefore(at, markers, align, budget);
        if (names !== undefined) return areTexts(at.u8, names, lengths) ? names : undefined;
      }
    }
  }
  return undefined;
}

function marker({ view }: Bytes, { at, width }: Omit<Markers, 'count'>, index: number): number {
  const place = at + index * width;
  const high = width === 8 ? view.getUint32(place + 4, true) : 0;
  return high * TWO_32 + view.getUint32(place, true);
}

/** The number of entries from `place` on whose differences are possible for 256 names. */
function countMarkers(at: Bytes, place: number, width: MarkerWidth, end: number): number {
  const markers = { at: place, width };
  if (place + width > end) return 0;
  let previous = marker(at, markers, 0);
  if (previous !== 0) return 0;
  let count = 1;
  while (place + (count + 1) * width <= end) {
    const next = marker(at, markers, count);
    const step = next - previous;
    if (step < NAMES_PER_MARKER * SMALLEST_NAME || step > NAMES_PER_MARKER * LARGEST_NAME) break;
    previous = next;
    count++;
  }
  return count;
}

/** Searches for a num_syms that is followed by names in agreement with the markers. */
function findNamesBefore(
  at: Bytes,
  markers: Markers,
  align: Align,
  budget: SearchBudget,
): Names | undefined {
  const most = markers.count * NAMES_PER_MARKER;
  const least = most - NAMES_PER_MARKER + 1;
  const last = marker(at, markers, markers.count - 1);
  // num_syms is padded to the alignment.
  const highest = alignDown(markers.at - last - align, align);
  const lowest = Math.max(0, highest - NAMES_PER_MARKER * LARGEST_NAME - align);
  for (let numSyms = highest; numSyms >= lowest; numSyms -= align) {
    if (budget.spent) return undefined;
    budget.spend(1);
    const count = at.view.getUint32(numSyms, true);
    if (count < least || count > most) continue;
    if (!walkNames(at, numSyms + align, count, markers, align, budget)) continue;
    const starts = new Uint32Array(count);
    const ends = new Uint32Array(count);
    walkNames(at, numSyms + align, count, markers, align, budget, (index, start, end) => {
      starts[index] = start;
      ends[index] = end;
    });
    return { numSyms, count, starts, ends };
  }
  return undefined;
}

/** Walks `count` names from `first` on: false unless every marker agrees and they end where the markers start. */
function walkNames(
  { u8, view }: Bytes,
  first: number,
  count: number,
  markers: Markers,
  align: Align,
  budget: SearchBudget,
  visit?: (index: number, start: number, end: number) => void,
): boolean {
  const at = { u8, view, vaddr: 0 };
  let place = first;
  for (let index = 0; index < count; index++) {
    if (index % NAMES_PER_MARKER === 0) {
      if (budget.spent) return false;
      budget.spend(Math.min(NAMES_PER_MARKER, count - index));
      if (marker(at, markers, index / NAMES_PER_MARKER) !== place - first) return false;
    }
    let length = byteAt(u8, place++);
    if ((length & BIG_LENGTH) !== 0) {
      length = (length & ~BIG_LENGTH) | (byteAt(u8, place++) << 7);
    }
    if (length === 0) return false;
    visit?.(index, place, place + length);
    place += length;
    if (place > markers.at) return false;
  }
  return alignUp(place, align) === markers.at;
}

/** Whether the texts of all names are within LONGEST_TEXT each and LARGEST_TEXT together. */
function areTexts(u8: Uint8Array, { count, starts, ends }: Names, lengths: Uint16Array): boolean {
  let total = 0;
  for (let index = 0; index < count; index++) {
    const end = ends[index] ?? 0;
    let length = 0;
    for (let at = starts[index] ?? 0; at < end; at++) length += lengths[byteAt(u8, at)] ?? 0;
    if (length > LONGEST_TEXT) return false;
    total += length;
  }
  return total <= LARGEST_TEXT;
}

/** Expands the tokens of all names into one array. */
export function decodeNames(
  bytes: Uint8Array,
  { count, starts: from, ends: to }: Names,
  tokens: readonly string[],
): SymbolTexts {
  const units = tokens.map((token) => Uint16Array.from(token, (char) => char.charCodeAt(0)));
  const none = new Uint16Array(0);
  const starts = new Uint32Array(count + 1);
  let length = 0;
  for (let index = 0; index < count; index++) {
    const end = to[index] ?? 0;
    for (let at = from[index] ?? 0; at < end; at++) {
      length += units[byteAt(bytes, at)]?.length ?? 0;
    }
    starts[index + 1] = length;
  }
  const text = new Uint16Array(length);
  let unit = 0;
  for (let index = 0; index < count; index++) {
    const end = to[index] ?? 0;
    for (let at = from[index] ?? 0; at < end; at++) {
      for (const code of units[byteAt(bytes, at)] ?? none) text[unit++] = code;
    }
  }
  return { text, starts };
}
