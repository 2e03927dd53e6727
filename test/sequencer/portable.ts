/** A boot without Node APIs: bundled and run in other environments by tests. */
import { nobleCipher } from '../../src/machine/memory/noble-cipher.js';
import { deserialize } from '../../src/machine/codec.js';
import { Boot, type BootSnapshot } from '../../src/sequencer/boot.js';
import { parseScenario } from '../../src/scenario/scenario.js';
import { digestOf } from '../../src/trace/integrity.js';
import { printTrace } from '../../src/trace/yaml-out.js';

/** The trace of a scenario's whole series, from the start or from a snapshot's bytes. */
export function trace(scenario: unknown, snapshot?: Uint8Array): string {
  const boot = new Boot({
    scenario: parseScenario('scenario', scenario),
    scenarioDigest: 'test',
    stage: 18,
    activate: false,
    cipher: nobleCipher,
    digest: digestOf,
  });
  if (snapshot !== undefined) boot.restore(deserialize(snapshot) as BootSnapshot);
  return printTrace(boot.run());
}
