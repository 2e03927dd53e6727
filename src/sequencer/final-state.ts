/** The contents of DRAM at the end of a boot, region by region. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Region } from '../firmware/loader.js';
import { KEY_PLAIN, pa } from '../machine/address.js';
import type { DramState } from '../machine/memory/dram.js';
import type { Machine } from '../machine/machine.js';
import type { RegionAtEnd } from '../trace/recorder.js';
import type { RegionState } from '../trace/trace.js';

/**
 * Largest region that is hashed in one chunk, and the chunk size of larger ones (our choice): avoids a copy of a large
 * initrd.
 */
const AT_ONCE = 16 << 20;
const CHUNK = 1 << 20;

/** SHA-256 of bytes, in hexadecimal. */
export type Digest = (bytes: Uint8Array) => string;

/** The state of a region from its lines' keys. */
export function stateName({ plain, encrypted }: DramState): RegionState {
  if (plain === 0 && encrypted === 0) return 'untouched';
  if (encrypted === 0) return 'plaintext';
  return plain === 0 ? 'ciphertext' : 'mixed';
}

/** Writes back all dirty lines. An order that the scenario chose holds across CPUs: their lines are written together. */
export function writeBackAll({ cache, cpus }: Machine): void {
  if (cache.reorder !== null) cache.wbinvd('all');
  for (const cpu of cpus) cpu.wbinvd();
}

/** The digest of bytes in DRAM; of a large region, chunk by chunk. */
function digestOf(machine: Machine, base: number, size: number, digest: Digest): string {
  if (size <= AT_ONCE) return digest(machine.dram.peek(pa(base), size));
  const hash = sha256.create();
  const chunk = new Uint8Array(CHUNK);
  for (let done = 0; done < size; done += CHUNK) {
    const length = Math.min(CHUNK, size - done);
    machine.dram.read(pa(base + done), KEY_PLAIN, chunk, 0, length);
    hash.update(chunk.subarray(0, length));
  }
  return bytesToHex(hash.digest());
}

/** The regions with their states and the digests of their bytes in DRAM. */
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
