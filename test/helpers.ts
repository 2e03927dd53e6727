/** Shared by tests of whole boots. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { buildBuiltInImage } from '../src/firmware/image/built-in.js';
import { builtInInitrd } from '../src/firmware/initrd.js';
import { BASE_VARIABLES } from '../src/linux/index.js';
import type { Kernel } from '../src/kernel/kernel.js';
import type { PatchedKernel } from '../src/kernel/table.js';
import { nodeCipher } from '../src/node/node-cipher.js';
import { Boot, type BootOptions } from '../src/sequencer/boot.js';
import { packageRoot } from '../src/node/package-files.js';
import { parseScenario, setPath, type Scenario } from '../src/scenario/scenario.js';
import { link } from '../src/series/link.js';
import type { Trace } from '../src/trace/trace.js';
import { sha256 } from './sha256.js';

export { sha256 };

/** A shipped scenario with some settings changed (`path=value`). */
export function scenario(name = 'bios-minimal', ...settings: string[]): Scenario {
  const file = join('scenarios', `${name}.yaml`);
  let data = parse(readFileSync(join(packageRoot(), file), 'utf8')) as unknown;
  for (const setting of settings) data = setPath(data, setting);
  return parseScenario(file, data);
}

/** The built-in image and initrd, made once for all tests of a file. */
const image = buildBuiltInImage(link([]).baseFunctions, BASE_VARIABLES, sha256);
const initrd = builtInInitrd();

/** A kernel typed with the names that patches add; a name that its build lacks is undefined. */
export function patched(kernel: Kernel): PatchedKernel {
  return kernel as PatchedKernel;
}

/** A boot with default options: bios-minimal at stage 18, unless `options` has others. */
export function boot(options: Partial<BootOptions> = {}): Boot {
  return new Boot({
    scenario: scenario(),
    scenarioDigest: 'test',
    stage: 18,
    activate: false,
    image,
    initrd,
    cipher: nodeCipher,
    digest: sha256,
    ...options,
  });
}

/** Whether the last read of a name was intact; undefined if it was not read. */
export function intact(trace: Trace, name: string): boolean | undefined {
  return trace.consumed.filter((consumed) => consumed.name === name).at(-1)?.intact;
}

/** The state of a region in DRAM at the end; undefined if there is no such region. */
export function stateOf(trace: Trace, name: string): string | undefined {
  return trace.final.regions.find((region) => region.name === name)?.state;
}
