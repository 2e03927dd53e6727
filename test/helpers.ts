/** What tests of whole boots share. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { nodeCipher } from '../src/node/node-cipher.js';
import { Boot, type BootOptions } from '../src/sequencer/boot.js';
import { parseScenario, setPath, type Scenario } from '../src/sequencer/scenario.js';
import type { Trace } from '../src/trace/trace.js';

export const sha256 = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** A shipped scenario, with settings. */
export function scenario(name = 'bios-minimal', ...settings: string[]): Scenario {
  const file = join('scenarios', `${name}.yaml`);
  let data = parse(readFileSync(file, 'utf8')) as unknown;
  for (const setting of settings) data = setPath(data, setting);
  return parseScenario(file, data);
}

/** A boot of a small machine: 64 MiB of RAM is enough for everything but sizes. */
export function boot(options: Partial<BootOptions> = {}): Boot {
  return new Boot({
    scenario: scenario(),
    scenarioDigest: 'test',
    stage: 18,
    activate: false,
    cipher: nodeCipher,
    digest: sha256,
    ...options,
  });
}

/** Whether a consumer got what was produced; undefined where nobody consumed it. */
export function intact(trace: Trace, name: string): boolean | undefined {
  return trace.consumed.find((consumed) => consumed.name === name)?.intact;
}

/** What DRAM holds of a region at the end. */
export function stateOf(trace: Trace, name: string): string | undefined {
  return trace.final.regions.find((region) => region.name === name)?.state;
}
