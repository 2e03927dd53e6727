/** What DRAM holds when the boot is over, region by region. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Region } from '../firmware/loader.js';
import { KEY_PLAIN, pa } from '../machine/address.js';
import type { DramState } from '../machine/memory/dram.js';
import type { Machine } from '../machine/machine.js';
import type { RegionAtEnd } from '../trace/recorder.js';
import type { RegionState } from '../trace/trace.js';

/** Bytes that are hashed at once, and the pieces of what is more (our choice): of a large initrd there is no other copy. */
const AT_ONCE = 16 << 20;
const PIECE = 1 << 20;

/** SHA-256 of bytes, in hexadecimal. */
export type Digest = (bytes: Uint8Array) => string;

/** One word for who wrote a region last. */
export function stateName({ plain, encrypted }: DramState): RegionState {
  if (plain === 0 && encrypted === 0) return 'untouched';
  if (encrypted === 0) return 'plaintext';
  return plain === 0 ? 'ciphertext' : 'mixed';
}

/** The digest of bytes on the bus; of many, piece by piece. */
function digestOf(machine: Machine, base: number, size: number, digest: Digest): string {
  if (size <= AT_ONCE) return digest(machine.dram.peek(pa(base), size));
  const hash = sha256.create();
  const piece = new Uint8Array(PIECE);
  for (let done = 0; done < size; done += PIECE) {
    const length = Math.min(PIECE, size - done);
    machine.dram.read(pa(base + done), KEY_PLAIN, piece, 0, length);
    hash.update(piece.subarray(0, length));
  }
  return bytesToHex(hash.digest());
}

/** The regions with their states and the digests of their bytes on the bus. */
export function finalRegions(
  machine: Machine,
  regions: readonly Region[],
  digest: Digest,
): RegionAtEnd[] {
  return regions.map(({ name, base, size }) => ({
    name,
    pa: { space: 'pa', start: base, length: size },
    state: stateName(machine.dram.stateOf(pa(base), size)),
    digest: digestOf(machine, base, size, digest),
  }));
}
