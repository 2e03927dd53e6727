/** Decrypts bytes on the bus for a read under a key. Consecutive small reads in a page decrypt it once. */
import { BLOCK_SIZE, PAGE_SIZE, paOfPage, type KeyId } from '../address.js';
import type { MemoryEngine } from './engine.js';

export class PageDecryption {
  /** The plaintext of page `number` under `key`, if `full`. */
  private readonly plain = new Uint8Array(PAGE_SIZE);
  private number = -1;
  private key = 0;
  private full = false;

  constructor(private readonly engine: MemoryEngine) {}

  /** Reads `length` bytes at offset `inPage` of a page, whose bytes on the bus are `raw`, into `out` at `at`. */
  read(
    number: number,
    raw: Uint8Array,
    inPage: number,
    length: number,
    key: KeyId,
    out: Uint8Array,
    at: number,
  ): void {
    if (key === 0) {
      out.set(raw.subarray(inPage, inPage + length), at);
      return;
    }
    if (inPage % BLOCK_SIZE === 0 && length % BLOCK_SIZE === 0) {
      out.set(raw.subarray(inPage, inPage + length), at);
      this.engine.decrypt(key, paOfPage(number, inPage), out, at, length);
      return;
    }
    const known = this.whole(number, raw, key);
    if (known !== undefined) {
      out.set(known.subarray(inPage, inPage + length), at);
      return;
    }
    // Whole blocks are decrypted; the requested part of them is copied.
    const first = Math.floor(inPage / BLOCK_SIZE) * BLOCK_SIZE;
    const last = Math.ceil((inPage + length) / BLOCK_SIZE) * BLOCK_SIZE;
    const blocks = raw.slice(first, last);
    this.engine.decrypt(key, paOfPage(number, first), blocks, 0, blocks.length);
    out.set(blocks.subarray(inPage - first, inPage - first + length), at);
  }

  /** Drops the cached plaintext of a page, or of any: its bytes may change. */
  forget(number: number | 'all'): void {
    if (number === 'all' || number === this.number) this.number = -1;
  }

  /** A page's plaintext, from the second call in a row for that page and key on; before that undefined (too costly). */
  private whole(number: number, raw: Uint8Array, key: KeyId): Uint8Array | undefined {
    if (number !== this.number || key !== this.key) {
      this.number = number;
      this.key = key;
      this.full = false;
      return undefined;
    }
    if (!this.full) {
      this.plain.set(raw);
      this.engine.decrypt(key, paOfPage(number, 0), this.plain, 0, PAGE_SIZE);
      this.full = true;
    }
    return this.plain;
  }
}
