/** Untouched DRAM after power-on: noise from a seed (our choice: a 32-bit integer hash of word addresses). */
import { PAGE_SIZE } from '../address.js';

// Read once: a lookup through the global object costs more than the multiplication on some hosts.
const { imul } = Math;

/** Fills `out`, the words of a page, with the noise of page number `page`. */
export function noise(seed: number, page: number, out: Uint32Array): void {
  const high = Math.floor(page / 2 ** 22);
  let base = (seed ^ imul(high + 1, 0x9e37_79b1)) | 0;
  base = imul(base ^ ((page * (PAGE_SIZE / 4)) | 0), 0x85eb_ca6b);
  for (let i = 0; i < PAGE_SIZE / 4; i++) {
    // The finalizer of MurmurHash3 (public domain).
    let h = (base + imul(i + 1, 0x9e37_79b9)) | 0;
    h = imul(h ^ (h >>> 16), 0x85eb_ca6b);
    h = imul(h ^ (h >>> 13), 0xc2b2_ae35);
    out[i] = h ^ (h >>> 16);
  }
}
