/** Who and what is in a range of physical memory: what the map tells about a tile. */
import { lineOf, LINE_SIZE, PAGE_SIZE, pa } from '../machine/address.js';
import { UNTOUCHED } from '../machine/memory/dram-page.js';
import { namesIn, ownersOf } from '../inspect/exposure/owners.js';
import { writerName } from '../inspect/writer.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import type { RangeDetails } from './messages.js';

/** Origins of the last writes to the lines of a range in DRAM, by the first line of each. */
function originsIn({ machine }: InspectedBoot, base: number, size: number): Set<number> {
  const origins = new Set<number>();
  for (const page of machine.dram.touched()) {
    const at = page * PAGE_SIZE;
    if (at + PAGE_SIZE <= base || at >= base + size) continue;
    const lines = machine.dram.lastWrites(page);
    for (const [i, origin] of lines?.origins.entries() ?? []) {
      const line = at + i * LINE_SIZE;
      if (line + LINE_SIZE <= base || line >= base + size) continue;
      if (lines?.keys[i] !== UNTOUCHED) origins.add(origin);
    }
  }
  return origins;
}

/** The details of a range of whole blocks. Has no side effects. */
export function rangeDetails(boot: InspectedBoot, base: number, size: number): RangeDetails {
  const owners = ownersOf(boot).filter(({ start, end }) => start < base + size && base < end);
  const origins = [...originsIn(boot, base, size)];
  const first = lineOf(pa(base));
  const lines = boot.machine.cache.linesOf(first, base + size - first);
  const names = owners.flatMap(({ start, end, owner }) => {
    const from = Math.max(start, base);
    const bytes = Math.min(end, base + size) - from;
    return namesIn(boot, { start: from, bytes, origin: origins[0] ?? 0, owner });
  });
  return {
    base,
    owners: [...new Set(owners.map(({ owner }) => owner.text))],
    names: [...new Set(names)],
    writers: [...new Set(origins.map((origin) => writerName(boot, origin)))],
    cached: lines.length,
    dirty: lines.filter(({ dirty }) => dirty !== undefined).length,
  };
}
