/** The lines of a summary for a cache whose size or order of write-backs the scenario names. */
import { namedSize } from '../scenario/cache.js';
import type { Boot } from '../sequencer/boot.js';

const MIB = 2 ** 20;
const mib = (bytes: number): string => `${String(bytes / MIB)} MiB`;

/** None for a cache with a size in bytes and the default order. */
export function cacheLines({ options: { scenario }, machine }: Boot): string[] {
  const { model } = machine.config;
  const { writeBack } = scenario.machine.cache;
  const named = namedSize(scenario, model);
  const { size } = machine.cache;
  const whole =
    size === named ? `${mib(size)}, the L3` : `${mib(size)} of the ${mib(named ?? 0)} L3`;
  const complex = scenario.machine.cache.size === 'l3' ? '' : ' of one complex';
  return [
    ...(named === undefined ? [] : [`cache: ${whole}${complex} of ${model.name}`]),
    ...(writeBack === undefined ? [] : [`WBINVD writes back: ${writeBack}`]),
  ];
}
