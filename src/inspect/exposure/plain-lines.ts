/** The lines that are plaintext on the memory bus now, or will be when the cache writes them back. */
import { KEY_PLAIN, LINE_SIZE, PAGE_SIZE, pa, type Pa } from '../../machine/address.js';
import type { CachedLine } from '../../machine/cache/cache.js';
import type { Machine } from '../../machine/machine.js';
import type { Origin } from '../../machine/types.js';

/** A line that is plaintext. */
export interface PlainLine {
  readonly pa: Pa;
  /** The code that wrote it last. */
  readonly origin: Origin;
  /** `cache`: dirty there without a key, while DRAM has no plaintext; it gets there with the write-back. */
  readonly where: 'dram' | 'cache';
  /** Of a line in DRAM: a newer dirty line in the cache will replace it by plaintext or ciphertext. */
  readonly replacedBy?: 'plaintext' | 'ciphertext';
}

/** After all memory: physical addresses have at most 52 bits (APM 5.3). */
const END = 2 ** 52;

const byWrite = (a: CachedLine, b: CachedLine): number => (a.dirty ?? 0) - (b.dirty ?? 0);

/** Calls `visit` for each line whose last write had no key, in DRAM or dirty in the cache, ascending. */
export function eachPlainLine(machine: Machine, visit: (line: PlainLine) => void): void {
  const { dram } = machine;
  /** The dirty lines by page; at one address the last one was written last. */
  const dirty = new Map<number, Map<Pa, { plain: boolean; origin: Origin }>>();
  for (const { pa: at, key, origin, dirty: written } of machine.cache
    .linesOf(pa(0), END)
    .sort(byWrite)) {
    if (written === undefined) continue;
    // A write of a device's registers is not memory.
    if (!dram.has(at)) continue;
    const page = Math.floor(at / PAGE_SIZE);
    const inPage = dirty.get(page) ?? new Map<Pa, { plain: boolean; origin: Origin }>();
    dirty.set(page, inPage.set(at, { plain: key === KEY_PLAIN, origin }));
  }
  const pages = new Set([...dram.touched(), ...dirty.keys()]);
  for (const page of [...pages].sort((a, b) => a - b)) {
    const lines = dram.lastWrites(page);
    const cached = dirty.get(page);
    if (cached === undefined && lines?.keys.includes(KEY_PLAIN) !== true) continue;
    for (let i = 0; i < PAGE_SIZE / LINE_SIZE; i++) {
      const at = pa(page * PAGE_SIZE + i * LINE_SIZE);
      const newer = cached?.get(at);
      if (lines?.keys[i] === KEY_PLAIN) {
        const origin = lines.origins[i] ?? 0;
        const line = { pa: at, origin, where: 'dram' as const };
        if (newer === undefined) visit(line);
        else visit({ ...line, replacedBy: newer.plain ? 'plaintext' : 'ciphertext' });
      } else if (newer?.plain === true) visit({ pa: at, origin: newer.origin, where: 'cache' });
    }
  }
}
