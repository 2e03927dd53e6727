/** Whether two frozen machines will act alike: everything but who wrote what, and how long ago a line was used. */
import type { MachineSnapshot } from '../machine/machine.js';
import { alike } from './alike.js';

type Tags = MachineSnapshot['cache']['tags'];
type Pages = MachineSnapshot['dram']['pages'];
type Runs = MachineSnapshot['dram']['runs'];
type Page = Pages extends ReadonlyMap<number, infer P> ? P : never;

/** `ways` are those of the cache. */
export function sameMachine(a: MachineSnapshot, b: MachineSnapshot, ways: number): boolean {
  return (
    alike(a.cpus, b.cpus) &&
    alike(a.devices, b.devices) &&
    sameTags(a.cache.tags, b.cache.tags, ways) &&
    alike(a.cache.data, b.cache.data) &&
    sameRuns(a.dram.runs, b.dram.runs) &&
    samePages(a.dram.pages, b.dram.pages)
  );
}

function sameTags(a: Tags, b: Tags, ways: number): boolean {
  return (
    alike(a.low, b.low) &&
    alike(a.high, b.high) &&
    alike(a.dirtyBits, b.dirtyBits) &&
    alike(a.owner, b.owner) &&
    sameOrder(a.used, b.used, ways)
  );
}

/**
 * A cache asks of the lines of a set only which was used longest ago (LRU): where their order is the same, the numbers
 * behind it do not matter.
 */
function sameOrder(a: ArrayLike<number>, b: ArrayLike<number>, ways: number): boolean {
  for (let set = 0; set < a.length; set += ways) {
    for (let x = set; x < set + ways; x++) {
      for (let y = set; y < x; y++) {
        if (Math.sign((a[x] ?? 0) - (a[y] ?? 0)) !== Math.sign((b[x] ?? 0) - (b[y] ?? 0))) {
          return false;
        }
      }
    }
  }
  return true;
}

function sameRuns(a: Runs, b: Runs): boolean {
  return (
    a.length === b.length &&
    a.every(({ first, last, page }, i) => {
      const other = b[i];
      return other?.first === first && other.last === last && samePage(page, other.page);
    })
  );
}

function samePages(a: Pages, b: Pages): boolean {
  if (a.size !== b.size) return false;
  for (const [number, page] of a) {
    const other = b.get(number);
    if (page === other) continue;
    if (other === undefined || !samePage(page, other)) return false;
  }
  return true;
}

function samePage(a: Page, b: Page): boolean {
  return alike(a.bytes, b.bytes) && alike(a.pending, b.pending) && alike(a.owner, b.owner);
}
