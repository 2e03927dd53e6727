/** The contents of DRAM at the end of a boot, region by region. */
import type { ByteSource } from '../base/byte-source.js';
import type { Region } from '../firmware/loader.js';
import { KEY_PLAIN, pa } from '../machine/address.js';
import type { DramState } from '../machine/memory/dram.js';
import type { Machine } from '../machine/machine.js';
import type { RegionAtEnd } from '../trace/recorder.js';
import type { RegionState } from '../trace/trace.js';

/** SHA-256 of bytes, or of a source that is read in parts, in hexadecimal. */
export type Digest = (bytes: Uint8Array | ByteSource) => string;

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

/** The bytes of a range on the bus. */
function busBytes(machine: Machine, base: number, length: number): ByteSource {
  const readInto = (at: number, into: Uint8Array): void => {
    machine.dram.read(pa(base + at), KEY_PLAIN, into, 0, into.length);
  };
  const read = (at: number, size: number): Uint8Array => machine.dram.peek(pa(base + at), size);
  return { length, read, readInto };
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
    digest: digest(busBytes(machine, base, size)),
  }));
}
