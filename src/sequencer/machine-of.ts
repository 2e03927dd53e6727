/** The machine of a scenario, with its devices. */
import { Machine } from '../machine/machine.js';
import { MEMTYPE, type BlockCipherFactory } from '../machine/types.js';
import { cacheOf } from '../scenario/cache.js';
import { attachDevices, syscfgOf } from '../scenario/devices.js';
import { cpuModelOf, ramOf } from '../scenario/memory-layout.js';
import type { Scenario } from '../scenario/scenario.js';

/** @param lazy encrypt on the first read of the ciphertext, or at once. */
export function machineOf(scenario: Scenario, cipher: BlockCipherFactory, lazy = true): Machine {
  const model = cpuModelOf(scenario);
  const { cpus, mtrr, engine, seed } = scenario.machine;
  const machine = new Machine({
    model,
    cpus,
    ram: ramOf(scenario, model),
    mtrr: { enabled: mtrr, default: MEMTYPE.WB, uncached: [] },
    cache: cacheOf(scenario, model),
    engine: { mode: engine, seed, cipher, lazy },
    syscfgMemEncrypt: syscfgOf(scenario),
  });
  attachDevices(machine, scenario);
  return machine;
}
