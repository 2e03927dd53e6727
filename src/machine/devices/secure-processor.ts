/**
 * The secure processor: it makes the keys and tweak constants at reset, which software cannot read.
 * Our choice: both are SHA-256 of a label and the scenario's seed, so that a run can be repeated.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { BLOCK_SIZE, type KeyId } from '../address.js';

/** The lowest address bit that has a tweak constant (SEVurity §III: blocks of 16 bytes). */
export const FIRST_TWEAK_BIT = 4;
/** The highest: physical addresses have at most 52 bits. */
export const LAST_TWEAK_BIT = 51;

export class SecureProcessor {
  constructor(readonly seed: string) {}

  /** The 16-byte AES key of a key id. */
  key(id: KeyId): Uint8Array {
    return this.derive(`key ${String(id)}`);
  }

  /** The 16-byte constant t_i of address bit i. */
  tweak(bit: number): Uint8Array {
    return this.derive(`tweak ${String(bit)}`);
  }

  /** A 32-bit seed for the power-on noise of DRAM. */
  noiseSeed(): number {
    const bytes = this.derive('noise');
    return new DataView(bytes.buffer).getUint32(0, true);
  }

  private derive(label: string): Uint8Array {
    return sha256(utf8ToBytes(`sme-boot ${label} ${this.seed}`)).slice(0, BLOCK_SIZE);
  }
}
