/** The keys of the memory engine that are in use. */
import { KEY_HOST, KEY_PLAIN, type KeyId } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';

/** What uses a key now. */
export interface KeyUse {
  readonly id: KeyId;
  /** CPUs with SYSCFG[23] set: a C-bit in their page tables selects the key (APM 7.10.1). */
  readonly cpus: readonly number[];
  /** Lines of DRAM that were last written under it. */
  readonly dramLines: number;
  /** Lines in the cache under it. */
  readonly cacheLines: number;
}

/** The keys that a CPU, a line of DRAM or a line of the cache uses, by id. */
export function keysInUse({ cpus, dram, cache }: Machine): KeyUse[] {
  const users = cpus.filter((cpu) => cpu.encryption).map(({ id }) => id);
  const [inDram, inCache] = [dram.keys(), cache.keys];
  const ids = new Set([
    ...(users.length > 0 ? [KEY_HOST] : []),
    ...inDram.keys(),
    ...inCache.keys(),
  ]);
  return [...ids]
    .filter((id) => id !== KEY_PLAIN)
    .sort((a, b) => a - b)
    .map((id) => ({
      id,
      cpus: id === KEY_HOST ? users : [],
      dramLines: inDram.get(id) ?? 0,
      cacheLines: inCache.get(id) ?? 0,
    }));
}
