/** The memory behind the cache: DRAM with its engine, or DRAM and devices on one bus. */
import type { KeyId, Pa } from '../address.js';
import type { Requester } from '../requester.js';
import type { Origin } from '../types.js';

/**
 * Memory as the cache sees it: plaintext in and out, under a key. Lengths and offsets are in bytes; `requester` is the
 * originator of the transaction.
 */
export interface LineStore {
  /** Reads whole lines; `pa` and `length` are multiples of the line size. */
  readLines(
    pa: Pa,
    key: KeyId,
    out: Uint8Array,
    outOffset: number,
    length: number,
    requester: Requester,
  ): void;
  /** Writes whole lines. `origin` is that of their last writer. */
  writeLines(
    pa: Pa,
    key: KeyId,
    data: Uint8Array,
    offset: number,
    length: number,
    origin: Origin,
    requester: Requester,
  ): void;
  /** Fills whole lines with one byte. */
  fillLines(
    pa: Pa,
    key: KeyId,
    byte: number,
    length: number,
    origin: Origin,
    requester: Requester,
  ): void;
  /** Reads with any alignment. */
  read(
    pa: Pa,
    key: KeyId,
    out: Uint8Array,
    offset: number,
    length: number,
    requester: Requester,
  ): void;
  /** Writes with any alignment. */
  write(
    pa: Pa,
    key: KeyId,
    data: Uint8Array,
    offset: number,
    length: number,
    origin: Origin,
    requester: Requester,
  ): void;
}
