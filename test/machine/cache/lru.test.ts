import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LRU, type LruState } from '../../../src/machine/cache/lru.js';
import type { Replacement } from '../../../src/machine/cache/replacement.js';

const WAYS = 4;
const SETS = 2;
const SLOTS = WAYS * SETS;

function after(uses: readonly number[]): Replacement<LruState> {
  const policy = LRU.create(SLOTS);
  for (let slot = 0; slot < SLOTS; slot++) policy.use(slot);
  for (const slot of uses) policy.use(slot);
  return policy;
}
/** The order in which the lines of a set are evicted, each slot being used when it gets a new line. */
function victims(policy: Replacement<LruState>, set: number): number[] {
  return Array.from({ length: WAYS }, () => {
    const slot = policy.victim(set * WAYS, (set + 1) * WAYS);
    policy.use(slot);
    return slot;
  });
}
const slots = fc.array(fc.nat(SLOTS - 1), { maxLength: 40 });

describe('true LRU', () => {
  test('evicts the line whose last use is the oldest', () => {
    expect(victims(after([0, 2, 5]), 0)).toEqual([1, 3, 0, 2]);
    expect(victims(after([0, 2, 5]), 1)).toEqual([4, 6, 7, 5]);
  });

  test('leavesBefore is the order of eviction in a set', () => {
    fc.assert(
      fc.property(slots, (uses) => {
        const policy = after(uses);
        const sorted = [0, 1, 2, 3].sort((a, b) => policy.leavesBefore(a, b));
        expect(victims(policy, 0)).toEqual(sorted);
      }),
    );
  });

  test('sameChoices compares the order of eviction in every set', () => {
    fc.assert(
      fc.property(slots, slots, (one, other) => {
        const [a, b] = [after(one), after(other)];
        const same = LRU.sameChoices(a.view(), b.view(), WAYS);
        const orders = [a, b].map((policy) => [victims(policy, 0), victims(policy, 1)]);
        expect(same).toBe(JSON.stringify(orders[0]) === JSON.stringify(orders[1]));
      }),
    );
  });

  test('counts an allocation as a use', () => {
    const policy = after([]);
    policy.fill(0);
    expect(victims(policy, 0)).toEqual([1, 2, 3, 0]);
  });

  test.each([
    // Uses of the slots of the first set; the same if the last use of each is in the same order.
    [[0, 1, 2, 3], [3, 0, 1, 0, 1, 2, 3], true],
    [[1, 0, 3, 2], [3, 1, 0, 2], false],
    [[0, 2, 1, 3], [0, 3, 1, 2], false],
    [[3, 2, 1, 0], [3, 2, 0, 1], false],
    [[1, 3, 0, 2], [3, 1, 2, 0], false],
  ])('sameChoices after uses of %j and of %j is %p', (one, other, same) => {
    for (const set of [0, WAYS]) {
      const [a, b] = [one, other].map((uses) => after(uses.map((slot) => slot + set)).view());
      if (a === undefined || b === undefined) throw new RangeError('two states');
      expect([LRU.sameChoices(a, b, WAYS), LRU.sameChoices(b, a, WAYS)]).toEqual([same, same]);
    }
  });

  test('snapshot is not changed by later uses and can be restored', () => {
    const policy = after([0]);
    const state = policy.snapshot();
    policy.use(1);
    expect(state).not.toEqual(policy.view());
    policy.restore(state);
    expect(policy.view()).toEqual(state);
    expect(policy.victim(0, WAYS)).toBe(1);
  });

  test('a fill of the turnover replaces all lines of every set, regardless of earlier uses', () => {
    fc.assert(
      fc.property(slots, (uses) => {
        const policy = after(uses);
        const given = new Set(victims(policy, 0));
        expect(given.size).toBe(WAYS);
        expect(LRU.turnover).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});
