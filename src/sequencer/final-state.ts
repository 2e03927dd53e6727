/** What DRAM holds when the boot is over, region by region. */
import type { Region } from '../firmware/loader.js';
import { pa } from '../machine/address.js';
import type { DramState } from '../machine/dram.js';
import type { Machine } from '../machine/machine.js';
import type { RegionAtEnd } from '../trace/recorder.js';
import type { RegionState } from '../trace/trace.js';

/** SHA-256 of bytes, in hexadecimal. */
export type Digest = (bytes: Uint8Array) => string;

/** One word for who wrote a region last. */
export function stateName({ plain, encrypted }: DramState): RegionState {
  if (plain === 0 && encrypted === 0) return 'untouched';
  if (encrypted === 0) return 'plaintext';
  return plain === 0 ? 'ciphertext' : 'mixed';
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
    digest: digest(machine.dram.peek(pa(base), size)),
  }));
}
