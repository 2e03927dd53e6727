/** A page of DRAM as it is stored, with the state of each of its lines. */
import { LINE_SIZE, PAGE_SIZE, type KeyId } from '../address.js';

/** Lines in a page. */
export const LINES = PAGE_SIZE / LINE_SIZE;

/** The state of the lines of a page; each array has one element per line. */
export interface Lines {
  /** The key under which the page's bytes are plaintext; 0 where they are the bytes on the bus. */
  pending: Uint16Array;
  /** The key of the last write; UNTOUCHED where there was none. Used by reports only. */
  owner: Uint16Array;
  /** The origin of the last write. Used by reports only. */
  writer: Uint16Array;
}

/** A page that has been accessed. */
export interface Page extends Lines {
  readonly bytes: Uint8Array;
  /** All its lines have the same state, in arrays shared with other pages: the page gets its own before one changes. */
  sameContents: boolean;
}

// Above every key id: the largest part has 1006 guests (PPR, CPUID Fn8000_001F ECX).
export const UNTOUCHED = 0xffff;

/** Pages filled with one byte, under one key, by one origin: one shared page object for each such triple. */
export class UniformPages {
  private readonly made = new Map<string, Page>();

  /** The shared page for a byte, key and origin. Not to be changed: copy it before a write. */
  of(byte: number, key: KeyId, origin: number): Page {
    const id = [byte, key, origin].join(' ');
    let page = this.made.get(id);
    if (page === undefined) {
      page = {
        bytes: new Uint8Array(PAGE_SIZE).fill(byte),
        pending: new Uint16Array(LINES).fill(key),
        owner: new Uint16Array(LINES).fill(key),
        writer: new Uint16Array(LINES).fill(origin),
        sameContents: true,
      };
      this.made.set(id, page);
    }
    return page;
  }
}

/** Whether any line of a page was last written under a key other than KEY_PLAIN. */
export function throughKey({ owner }: Page): boolean {
  for (const key of owner) if (key !== 0 && key !== UNTOUCHED) return true;
  return false;
}

/**
 * Visits the pages of a range of bytes, ascending.
 *
 * @param visit gets the page's number, the offset in it, the number of bytes, and the number of bytes visited before.
 */
export function eachPage(
  address: number,
  length: number,
  visit: (number: number, inPage: number, run: number, done: number) => void,
): void {
  for (let done = 0; done < length;) {
    const at = address + done;
    const inPage = at % PAGE_SIZE;
    const run = Math.min(PAGE_SIZE - inPage, length - done);
    visit((at - inPage) / PAGE_SIZE, inPage, run, done);
    done += run;
  }
}

/** The end of a run of lines with equal states: `line` and those after it, below `last`. */
export function endOfRun(states: Uint16Array, line: number, last: number): number {
  let end = line + 1;
  while (end < last && states[end] === states[line]) end++;
  return end;
}

/** Whether the bytes of two pages are equal. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  // Pages of a file begin at any offset.
  if (a.byteOffset % 4 !== 0 || b.byteOffset % 4 !== 0) return equalBytes(a, b);
  const [left, right] = [words(a), words(b)];
  for (let at = 0; at < PAGE_SIZE / 4; at++) if (left[at] !== right[at]) return false;
  return true;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < PAGE_SIZE; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** Whether a page has exactly these bytes and this shared state of its lines. */
export function isWhole(page: Page, bytes: Uint8Array, lines: Lines): boolean {
  // A shared state is made, given to a page and replaced whole, so one of its arrays tells.
  return page.owner === lines.owner && equal(page.bytes, bytes);
}

/** The bytes of a page as 32-bit words. */
export const wordsOf = ({ bytes }: Page): Uint32Array => words(bytes);

function words({ buffer, byteOffset }: Uint8Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, PAGE_SIZE / 4);
}
