/** True LRU: the victim is the line whose last use is the oldest (our choice of policy). */
import type { Arena } from '../../base/arena.js';
import type { Replacement, ReplacementPolicy } from './replacement.js';

export interface LruState {
  /** The number of the last use of each slot, counted over all uses. */
  readonly used: Float64Array;
  /** Uses so far. */
  readonly clock: number;
}

class Lru implements Replacement<LruState> {
  /** The number of the last use of each slot. */
  used: Float64Array;
  /** Its element counts all uses. */
  clock: Float64Array = new Float64Array(1);

  constructor(slots: number) {
    this.used = new Float64Array(slots);
  }

  moveTo(arena: Arena): void {
    const { used, clock } = this;
    this.used = arena.float64(used.length);
    this.used.set(used);
    this.clock = arena.float64(1);
    this.clock.set(clock);
  }

  /** An allocation counts as a use. */
  fill(slot: number): void {
    this.use(slot);
  }

  use(slot: number): void {
    const now = (this.clock[0] ?? 0) + 1;
    this.clock[0] = now;
    this.used[slot] = now;
  }

  victim(first: number, end: number): number {
    const { used } = this;
    let oldest = first;
    let age = Infinity;
    for (let slot = first; slot < end; slot++) {
      const lastUse = used[slot] ?? 0;
      if (lastUse < age) {
        age = lastUse;
        oldest = slot;
      }
    }
    return oldest;
  }

  leavesBefore(a: number, b: number): number {
    return (this.used[a] ?? 0) - (this.used[b] ?? 0);
  }

  view(): LruState {
    return { used: this.used, clock: this.clock[0] ?? 0 };
  }

  snapshot(): LruState {
    return { used: this.used.slice(), clock: this.clock[0] ?? 0 };
  }

  restore({ used, clock }: LruState): void {
    this.used.set(used);
    this.clock[0] = clock;
  }
}

const orders = new WeakMap<Float64Array, Int32Array>();

/** The slots of each set, least recently used first. */
function orderOf(used: Float64Array, ways: number): Int32Array {
  const known = orders.get(used);
  if (known !== undefined) return known;
  const order = Int32Array.from(used, (_, slot) => slot);
  for (let set = 0; set < order.length; set += ways) {
    order.subarray(set, set + ways).sort((x, y) => (used[x] ?? 0) - (used[y] ?? 0));
  }
  orders.set(used, order);
  return order;
}

export const LRU: ReplacementPolicy<LruState, Lru> = {
  // A fill of the cache's size puts as many new lines into each set as it has ways, which replaces all old ones; twice
  // that is our choice, so that only fills which gain by it take the special path.
  turnover: 2,
  create: (slots) => new Lru(slots),
  /** Compares the order of uses within each set; their numbers do not matter. */
  sameChoices({ used: a }, { used: b }, ways) {
    const order = orderOf(b, ways);
    for (let i = 1; i < order.length; i++) {
      if (i % ways === 0) continue;
      const [x, y] = [order[i - 1] ?? 0, order[i] ?? 0];
      const [before, after] = [(a[x] ?? 0) - (a[y] ?? 0), (b[x] ?? 0) - (b[y] ?? 0)];
      if (Math.sign(before) !== Math.sign(after)) return false;
    }
    return true;
  },
};
