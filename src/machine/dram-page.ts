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

/** A page that was written whole under a key. */
export function uniformPage(bytes: Uint8Array, key: KeyId, origin: number): Page {
  return {
    bytes,
    pending: new Uint16Array(LINES).fill(key),
    owner: new Uint16Array(LINES).fill(key),
    writer: new Uint16Array(LINES).fill(origin),
  };
}

/** Whether some line of a page was last written through a key. */
export function throughKey({ owner }: Page): boolean {
  return owner.some((key) => key !== 0 && key !== UNTOUCHED);
}
