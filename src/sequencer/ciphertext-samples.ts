/** How much of each region is ciphertext in DRAM after a boot step. */
import { pa } from '../machine/address.js';
import type { CounterSample } from '../trace/perfetto.js';
import type { InspectedBoot } from './inspected-boot.js';

/** The bytes of each region that were last written under a key, by the region's name; none before the first step. */
export function ciphertextSamples(boot: InspectedBoot): CounterSample[] {
  const step = boot.lastLabel;
  if (step === undefined) return [];
  const bytes = new Map<string, number>();
  for (const { name, base, size } of boot.regions()) {
    const { encrypted } = boot.machine.dram.stateOf(pa(base), size);
    bytes.set(name, (bytes.get(name) ?? 0) + encrypted);
  }
  return [...bytes].map(([name, each]) => ({ step, name: `ciphertext: ${name}`, bytes: each }));
}
