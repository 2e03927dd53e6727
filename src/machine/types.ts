/**
 * The interfaces between the blocks of the machine: faults, origins, memory readers.
 */
import type { KeyId, Pa, Va } from './address.js';

/** Exception vectors (APM 8.2). */
export const VECTOR = { UD: 6, DF: 8, GP: 13, PF: 14 } as const;

/** An exception that the CPU raised; an architectural event, not an error of the simulator. */
export interface Fault {
  readonly vector: number;
  /** The error code, for vectors that push one (APM 8.4.2 for #PF). */
  readonly error: number;
  /** CR2 of a #PF: the linear address. For a #GP of a non-canonical address, its low 64 bits. */
  readonly address?: number | bigint;
  /** The cause that the page walk found (`not-present`, `reserved`, `write`, `user`, `fetch`), for reports only. */
  readonly why: string;
  /** An interrupt, which pushes no error code: from outside the processor, or by INT n and INT3. Absent: an exception. */
  readonly source?: 'external' | 'software';
  /** The address that the handler returns to, where it is not that of the instruction (a trap, INT n). */
  readonly returnTo?: Va;
  /** For a #PF of a page walk: the entry at which the walk stopped, for reports only. */
  readonly read?: EntryRead;
}

/** A table entry as the walker read it. */
export interface EntryRead {
  readonly level: 'PGD' | 'PUD' | 'PMD' | 'PTE';
  /** Physical address of the entry, and the key that it was read under. */
  readonly at: Pa;
  readonly key: KeyId;
  readonly value: bigint;
  /** The bits of the entry that are set and must be zero. */
  readonly reserved: bigint;
  /** Neither DRAM nor a device answers at the address: the value is not an entry. */
  readonly absent: boolean;
}

/** Bits of a #PF error code (APM 8.4.2). */
export const PF = { P: 1, W: 2, U: 4, RSVD: 8, I: 16 } as const;

/** Memory types (APM 7.4), with the PAT's encodings (APM 7.8.1). */
export const MEMTYPE = { UC: 0, WC: 1, WT: 4, WP: 5, WB: 6, UC_MINUS: 7 } as const;
export type MemType = (typeof MEMTYPE)[keyof typeof MEMTYPE];

/** The code that an access is attributed to: an interned name (function, hunk, device). 0: hardware. */
export type Origin = number;

/** Bulk AES-128 on whole 16-byte blocks, ECB, no padding: the primitive of a memory engine. */
export interface BlockCipher {
  /** Encrypts `blocks` in place; its length is a multiple of 16. */
  encrypt(blocks: Uint8Array): void;
  /** Decrypts `blocks` in place; its length is a multiple of 16. */
  decrypt(blocks: Uint8Array): void;
}

/** Makes a block cipher from a 16-byte key: @noble/ciphers on any host, node:crypto in node/. */
export type BlockCipherFactory = (key: Uint8Array) => BlockCipher;

/** Reads memory for a page walker: 8-byte entries at a physical address under a key, as two u32. */
export interface TableReader {
  /** Reads the entry; the low half is the result, the high half is in `high` afterwards. */
  readEntry(pa: Pa, key: KeyId): number;
  readonly high: number;
  /** Whether memory or a device answers at an address; without this method: always. */
  answers?(pa: Pa): boolean;
  /** ORs bits into the low half of an entry (accessed and dirty; APM 5.4.2). */
  setBits(pa: Pa, key: KeyId, bits: number): void;
}
