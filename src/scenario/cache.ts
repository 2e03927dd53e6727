/** The cache of a scenario's machine: its size in bytes, its ways and its order of write-backs. */
import { InputError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { LINE_SIZE } from '../machine/address.js';
import type { CacheConfig } from '../machine/cache/cache.js';
import type { CpuModel } from '../machine/cpu/cpuid.js';
import type { TraceHeader } from '../trace/trace.js';
import type { Scenario } from './scenario.js';

/**
 * Bytes of L3 that a scenario names, before it is rounded to a size that the cache can have; undefined if it has the size
 * in bytes. Throws E_CACHE_GEOMETRY for a processor without L3.
 */
export function namedSize({ machine }: Scenario, model: CpuModel): number | undefined {
  const { size } = machine.cache;
  if (typeof size === 'number') return undefined;
  const { l3 } = model;
  if (l3 === undefined) {
    throw new InputError({
      code: 'E_CACHE_GEOMETRY',
      place: { path: 'machine.cache.size' },
      reason: `${machine.cpu} has no L3`,
      expected: 'a size in bytes',
      found: size,
    });
  }
  return size === 'l3' ? l3.complexes * l3.bytes : l3.bytes;
}

/** The largest size of `ways` ways that is at most `bytes` and within the limit; the number of sets is a power of two. */
function rounded(bytes: number, ways: number): number {
  const set = LINE_SIZE * ways;
  return set * 2 ** Math.floor(Math.log2(Math.min(bytes, LIMITS.cacheSize.most) / set));
}

/** The cache for the machine. Throws E_CACHE_GEOMETRY for the L3 of a processor without one. */
export function cacheOf(
  scenario: Scenario,
  model: CpuModel,
): Pick<CacheConfig, 'size' | 'ways' | 'writeBack'> {
  const { cache, seed } = scenario.machine;
  const { ways, writeBack: order } = cache;
  const named = namedSize(scenario, model);
  return {
    size: named === undefined ? Number(cache.size) : rounded(named, ways),
    ways,
    ...(order !== undefined && { writeBack: { order, seed } }),
  };
}

/** The cache in the header of a trace: the bytes of a size by name, and an order that the scenario has; {} for neither. */
export function cacheHeader(
  { machine: { cache } }: Scenario,
  bytes: number,
): Pick<TraceHeader, 'cache'> {
  const { size, writeBack } = cache;
  const named = { ...(typeof size === 'string' && { size: bytes }) };
  const shown = { ...named, ...(writeBack !== undefined && { writeBack }) };
  return Object.keys(shown).length === 0 ? {} : { cache: shown };
}
