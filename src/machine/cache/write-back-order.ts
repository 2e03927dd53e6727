/**
 * The order in which WBINVD writes dirty lines to memory. The manual leaves it open (APM 7.6.3); it matters where a
 * physical line is dirty under several keys, since memory gets the contents of the last write-back.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { KEY_PLAIN, LINE_SIZE } from '../address.js';
import type { LineTags } from './cache-tags.js';

/**
 * `ascending`: by address, at one address by key, so that the encrypted line is written after the plaintext one.
 * `c0-last`: the lines of all keys in that order, then the plaintext ones, so that these are written last. `seeded`: a
 * permutation from a seed.
 */
export const WRITE_BACK_ORDERS = ['ascending', 'c0-last', 'seeded'] as const;
export type WriteBackOrder = (typeof WRITE_BACK_ORDERS)[number];

/** An order and the seed that `seeded` uses. */
export interface WriteBackConfig {
  readonly order: WriteBackOrder;
  readonly seed: string;
}

/** Reorders dirty slots that are ascending by address and key; null: as they are. */
export type Reorder = ((slots: Int32Array, tags: LineTags) => Int32Array) | null;

/** The reordering of an order; null for `ascending`. */
export function reorderOf({ order, seed }: WriteBackConfig): Reorder {
  switch (order) {
    case 'ascending':
      return null;
    case 'c0-last':
      return plaintextLast;
    case 'seeded':
      return seeded(seed);
  }
}

function plaintextLast(slots: Int32Array, tags: LineTags): Int32Array {
  const isPlain = (slot: number): boolean => tags.keyOf(slot) === KEY_PLAIN;
  const out = new Int32Array(slots.length);
  let next = 0;
  for (const slot of slots) if (!isPlain(slot)) out[next++] = slot;
  for (const slot of slots) if (isPlain(slot)) out[next++] = slot;
  return out;
}

const { imul } = Math;
const HIGH_LINE = 2 ** 32;
/** Positions, the lines of 256 MiB; with 31 bits of a hash they fit the 53 bits of a number. */
const POSITIONS = 2 ** 22;

/**
 * Orders lines by a hash of seed, address and key. It has no state, so that a boot that is resumed from a snapshot writes
 * back in the same order; two lines that are dirty together are always written in the same order (our choice).
 */
function seeded(seed: string): (slots: Int32Array, tags: LineTags) => Int32Array {
  const digest = sha256(utf8ToBytes(`sme-boot write-back ${seed}`));
  const start = new DataView(digest.buffer).getInt32(0, true);
  return (slots, tags) => {
    const ranks = new Float64Array(slots.length);
    for (const [position, slot] of slots.entries()) {
      const line = tags.addressOf(slot) / LINE_SIZE;
      let h = start ^ imul((line | 0) + 1, 0x9e37_79b9);
      h = imul(h ^ Math.floor(line / HIGH_LINE), 0x85eb_ca6b);
      h = imul(h ^ (tags.keyOf(slot) + 1), 0x9e37_79b1);
      // The finalizer of MurmurHash3 (public domain).
      h = imul(h ^ (h >>> 16), 0x85eb_ca6b);
      h = imul(h ^ (h >>> 13), 0xc2b2_ae35);
      ranks[position] = ((h ^ (h >>> 16)) >>> 1) * POSITIONS + position;
    }
    ranks.sort();
    return Int32Array.from(ranks, (rank) => slots[rank % POSITIONS] ?? 0);
  };
}
