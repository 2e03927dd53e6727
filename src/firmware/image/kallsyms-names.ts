/** kallsyms_names and kallsyms_markers: found from the token table backwards, and written out. */
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
/** Bytes that an entry of names takes at most: KSYM_NAME_LEN is 512, the length has two bytes. */
const LARGEST_NAME = 514;
const SMALLEST_NAME = 2;
/** Characters that a name and its letter have at most: KSYM_NAME_LEN with its NUL (include/linux/kallsyms.h, since 6.1). */
const LONGEST_TEXT = 512;
/** Characters of all names at most (our choice; a distribution's 200,000 symbols have 5 million). */
const LARGEST_TEXT = 1 << 26;
/** Bytes between markers and token_table at most: seqs_of_names has 3 per symbol; this is room for a million symbols. */
const FARTHEST_MARKERS = 3 << 20;
/** Bytes of seqs_of_names and padding that may follow a table of one marker. */
const FARTHEST_SINGLE_MARKER = 3 * NAMES_PER_MARKER + 16;
/** Set in the first byte of a length that goes on in a second one, ULEB128 (kernel/kallsyms.c, since 6.1). */
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

/** Finds names through the markers that follow them, looking backwards from token_table. */
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
      // What follows the markers may look like a few more of them.
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

/** How many entries from `place` on are as far apart as 256 names can be. */
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

/** Looks for a num_syms in front of names that agree with the markers. */
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

/** Whether each name's tokens give a text of a length that a kernel's names have, and all together of one. */
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

/** Writes out every name's tokens, one name behind another. */
export function decodeNames(
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
