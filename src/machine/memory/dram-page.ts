/** A page of DRAM as it is kept, with what is known of each of its lines. */
import { LINE_SIZE, PAGE_SIZE, type KeyId } from '../address.js';

/** Lines of a page. */
export const LINES = PAGE_SIZE / LINE_SIZE;

/** What is known of the lines of a page. */
export interface Lines {
  /** Per line: the key whose plaintext the page's bytes hold; 0 where they are the bytes on the bus. */
  pending: Uint16Array;
  /** Per line: the key of the last writer; UNTOUCHED where nobody wrote. Known to reports only. */
  owner: Uint16Array;
  /** Per line: the origin of the last write. Known to reports only. */
  writer: Uint16Array;
}

/** A page that was touched. */
export interface Page extends Lines {
  readonly bytes: Uint8Array;
  /** Its lines are all alike and shared with other pages: before one changes, the page gets lines of its own. */
  sameContents: boolean;
}

// Above every key id: the largest part has 1006 guests (PPR, CPUID Fn8000_001F ECX).
export const UNTOUCHED = 0xffff;

/** Pages that are all one byte, written under one key on behalf of one writer: one stands for all that are alike. */
export class UniformPages {
  private readonly made = new Map<string, Page>();

  /** It is shared: whoever writes to it copies it first. */
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

/** Whether some line of a page was last written through a key. */
export function throughKey({ owner }: Page): boolean {
  for (const key of owner) if (key !== 0 && key !== UNTOUCHED) return true;
  return false;
}

/** Visits the pages that a stretch of bytes lies in: the page's number, where in it, how many bytes, and those before. */
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

/** Whether a page has just these bytes and these lines. */
export function isWhole(page: Page, bytes: Uint8Array, lines: Lines): boolean {
  if (page.pending !== lines.pending || page.owner !== lines.owner) return false;
  if (page.writer !== lines.writer) return false;
  for (let at = 0; at < PAGE_SIZE; at++) if (page.bytes[at] !== bytes[at]) return false;
  return true;
}

/** The bytes of a page, four at a time. */
export function wordsOf({ bytes }: Page): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, PAGE_SIZE / 4);
}
