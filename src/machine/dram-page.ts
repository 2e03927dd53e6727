/** A page of DRAM as it is kept, with what is known of each of its lines. */
import { LINE_SIZE, PAGE_SIZE, type KeyId } from './address.js';

/** Lines of a page. */
export const LINES = PAGE_SIZE / LINE_SIZE;

/** A page that was touched. */
export interface Page {
  readonly bytes: Uint8Array;
  /** Per line: the key whose plaintext `bytes` holds; 0 where they are the bytes on the bus. */
  readonly pending: Uint16Array;
  /** Per line: the key of the last writer; UNTOUCHED where nobody wrote. Known to reports only. */
  readonly owner: Uint16Array;
  /** Per line: the origin of the last write. Known to reports only. */
  readonly writer: Uint16Array;
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

/** The bytes of a page, four at a time. */
export function wordsOf({ bytes }: Page): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, PAGE_SIZE / 4);
}
