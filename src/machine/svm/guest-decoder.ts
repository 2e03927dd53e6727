/** Fetches the bytes of a guest's instruction, and the form of what executes it. */
import { isFault } from '../cpu/fault.js';
import { VECTOR, type Fault } from '../types.js';
import type { Guest, GuestStop } from './guest.js';
import type { Vmexit } from './nested-paging.js';

const NONE = 0n;
/** A #VMEXIT; `info1` and `info2` are 0 unless given. */
export const exit = (code: bigint, info1 = NONE, info2 = NONE): Vmexit => ({ code, info1, info2 });
export const invalidOpcode = (bytes: number): Fault => ({
  vector: VECTOR.UD,
  error: 0,
  why: `no instruction of the guest begins with 0x${bytes.toString(16)}`,
});

/** Fetches instruction bytes one by one. */
export class Decoder {
  length = 0;

  constructor(private readonly guest: Guest) {}

  /** The next byte. */
  byte(): number | GuestStop {
    const at = this.guest.linear('CS', this.guest.get('RIP') + BigInt(this.length));
    if (isFault(at)) return at;
    const byte = new Uint8Array(1);
    const stop = this.guest.access('fetch', at, byte);
    if (stop !== null) return stop;
    this.length++;
    return byte[0] ?? 0;
  }

  /** A little-endian immediate of `bytes` bytes. */
  immediate(bytes: number): bigint | GuestStop {
    let value = 0n;
    for (let i = 0; i < bytes; i++) {
      const byte = this.byte();
      if (typeof byte !== 'number') return byte;
      value |= BigInt(byte) << BigInt(i * 8);
    }
    return value;
  }
}

/** Executes an instruction whose first byte was fetched; returns what stopped it, or null. */
export type Instruction = (guest: Guest, decoder: Decoder, opcode: number) => GuestStop | null;
