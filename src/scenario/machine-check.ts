/** What a scenario's values say together, and only its machine would refuse: with their place in the file. */
import { InputError } from '../base/errors.js';
import type { PathKey } from '../base/yaml-source.js';
import { setsOf } from '../machine/cache/geometry.js';
import { cacheOf } from './cache.js';
import { cpuModelOf } from './memory-layout.js';
import { efiMachine } from './firmware.js';
import type { PlaceOf, Scenario } from './scenario.js';

/** The keys of a path as errors have it: `firmware.e820[3].start`. */
const keysOf = (path: string): PathKey[] =>
  path
    .split(/[.[\]]+/)
    .flatMap((key) => (key === '' ? [] : [/^\d+$/.test(key) ? Number(key) : key]));

/** Throws E_CACHE_GEOMETRY, E_EFI_PAGES and E_EFI_RAM, with the place of the value that they are about. */
export function checkMachine(scenario: Scenario, file: string, placeOf: PlaceOf): void {
  try {
    const { size, ways } = cacheOf(scenario, cpuModelOf(scenario));
    setsOf(size, ways);
    if (scenario.firmware.type === 'efi') efiMachine(scenario);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { path } = error.place;
    const { line, column } = path === undefined ? {} : placeOf(keysOf(path));
    throw error.within({
      file,
      ...(line !== undefined && { line }),
      ...(column !== undefined && { column }),
    });
  }
}
