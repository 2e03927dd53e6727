/** What a person would recognise in bytes: text, and the signatures of well-known formats. A guess, and said as one. */
import { formatAt, isPageTable, SIGNATURE_ROOM } from './signatures.js';

/** A run of printable characters. */
export interface FoundText {
  /** Offset in bytes. */
  readonly at: number;
  readonly text: string;
}

/** What looks like a known format. */
export interface FoundFormat {
  readonly name: string;
  /** Offset of the first one. */
  readonly at: number;
  readonly count: number;
}

export interface Contents {
  /** Bytes that are 0. */
  readonly zero: number;
  /** The longest texts, in their order in memory, cut after {@link TEXT_LENGTH} characters. */
  readonly texts: readonly FoundText[];
  /** Number of texts in all. */
  readonly textCount: number;
  readonly formats: readonly FoundFormat[];
  /** The bytes have no pattern: noise, ciphertext or compressed data. */
  readonly random: boolean;
}

/** Fewest characters of a text: `strings -n 6`. */
export const LEAST_TEXT = 6;
/** Most texts of a range, and most characters of one (our choice). */
const MOST_TEXTS = 20;
const TEXT_LENGTH = 64;
/** Bytes that are examined together (our choice). */
const CHUNK = 1 << 20;
/**
 * Fewest bytes whose distribution means something, and the part of the entropy and of the distinct values of random bytes
 * from which on they look random (our choice).
 */
const RANDOM_LEAST = 64;
const RANDOM_PART = 0.93;
const VALUES = 256;
const PAGE = 4096;

/** Reads `length` bytes from an offset on. */
export type Read = (offset: number, length: number) => Uint8Array;

export interface Examined {
  /** Bytes in all. */
  readonly length: number;
  /** The address of the first byte. */
  readonly address: number;
  /** Bytes that `read` has replaced by 0 because they do not count. */
  readonly masked: number;
  /** The addresses that a page-table entry may have, C-bit included. */
  readonly physicalBits: number;
}

/** Collects texts; of more than MOST_TEXTS it keeps the longest. */
class Texts {
  count = 0;
  private found: FoundText[] = [];
  private open = '';
  private openAt = 0;
  private openLength = 0;

  add(byte: number, at: number): void {
    if (this.openLength === 0) {
      this.open = '';
      this.openAt = at;
    }
    this.openLength++;
    if (this.open.length < TEXT_LENGTH) this.open += String.fromCharCode(byte);
  }

  end(): void {
    if (this.openLength >= LEAST_TEXT) {
      this.count++;
      const more = this.openLength > this.open.length ? '…' : '';
      this.found.push({ at: this.openAt, text: this.open + more });
      if (this.found.length > 2 * MOST_TEXTS) this.found = longest(this.found);
    }
    this.openLength = 0;
  }

  list(): FoundText[] {
    this.end();
    return longest(this.found);
  }
}

const longest = (found: readonly FoundText[]): FoundText[] =>
  [...found]
    .sort((a, b) => b.text.length - a.text.length || a.at - b.at)
    .slice(0, MOST_TEXTS)
    .sort((a, b) => a.at - b.at);

/** Whether bytes are distributed as random ones: as many values as expected, and none much more often. */
function looksRandom(counts: Uint32Array, total: number): boolean {
  if (total < RANDOM_LEAST) return false;
  let distinct = 0;
  let bits = 0;
  for (const count of counts) {
    if (count === 0) continue;
    distinct++;
    bits -= (count / total) * Math.log2(count / total);
  }
  const expected = VALUES * (1 - (1 - 1 / VALUES) ** total);
  return distinct >= RANDOM_PART * expected && bits >= RANDOM_PART * Math.log2(expected);
}

/** Examines bytes chunk by chunk. */
export function recognise(
  { length, address, masked, physicalBits }: Examined,
  read: Read,
): Contents {
  const texts = new Texts();
  const counts = new Uint32Array(256);
  const formats = new Map<string, { at: number; count: number }>();
  const add = (name: string, at: number): void => {
    const known = formats.get(name);
    if (known === undefined) formats.set(name, { at, count: 1 });
    else known.count++;
  };
  for (let done = 0; done < length; done += CHUNK) {
    const size = Math.min(CHUNK, length - done);
    const bytes = read(done, Math.min(size + SIGNATURE_ROOM, length - done));
    for (let i = 0; i < size; i++) {
      const byte = bytes[i] ?? 0;
      if (byte === 0) {
        const from = i;
        while (i + 1 < size && bytes[i + 1] === 0) i++;
        counts[0] = (counts[0] ?? 0) + i + 1 - from;
        texts.end();
        continue;
      }
      counts[byte] = (counts[byte] ?? 0) + 1;
      if (byte >= 0x20 && byte < 0x7f) texts.add(byte, done + i);
      else texts.end();
      const name = formatAt(bytes, i, address + done + i);
      if (name !== undefined) add(name, done + i);
    }
    const first = (PAGE - ((address + done) % PAGE)) % PAGE;
    for (let page = first; page + PAGE <= size; page += PAGE) {
      if (isPageTable(bytes, page, physicalBits)) add('page table', done + page);
    }
  }
  const zero = (counts[0] ?? 0) - masked;
  counts[0] = zero;
  return {
    zero,
    texts: texts.list(),
    textCount: texts.count,
    formats: [...formats].map(([name, { at, count }]) => ({ name, at, count })),
    random: looksRandom(counts, length - masked),
  };
}
