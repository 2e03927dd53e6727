import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId, type Pa } from '../../../src/machine/address.js';
import { lineOfSlot, LineTags, NO_SLOT } from '../../../src/machine/cache/cache-tags.js';

const LINE = 64;
const GUEST = 1006 as KeyId;
/** Where the low part of a tag gets its sign bit, and where it is full: 2^31 and 2^32 lines. */
const [SIGN, HIGH] = [2 ** 37, 2 ** 38];
const LAST = 2 ** 52 - LINE;

/** Puts a line into the slot that the policy chooses; returns the slot. */
function take(tags: LineTags, at: number, key = KEY_PLAIN, cpu = 0, origin = 0): number {
  const slot = tags.victim(pa(at));
  tags.take(slot, pa(at), key, cpu, origin);
  return slot;
}
function takeDirty(tags: LineTags, at: number, key = KEY_PLAIN, cpu = 0, origin = 0): number {
  const slot = take(tags, at, key, cpu, origin);
  tags.dirty(slot, cpu, origin);
  return slot;
}
const linesOf = (tags: LineTags, slots: Iterable<number>): [Pa, KeyId][] =>
  [...slots].map((slot) => [tags.addressOf(slot), tags.keyOf(slot)]);

describe('a tag', () => {
  const ADDRESSES = [0, LINE, SIGN - LINE, SIGN, HIGH - LINE, HIGH, HIGH + LINE, 2 ** 45, LAST];
  const KEYS = [KEY_PLAIN, KEY_HOST, GUEST];

  test('holds any address of 52 bits and any key', () => {
    for (const at of ADDRESSES) {
      for (const key of KEYS) {
        const tags = new LineTags(4, 2);
        const slot = take(tags, at, key);
        expect([tags.addressOf(slot), tags.keyOf(slot)]).toEqual([at, key]);
        expect(lineOfSlot(tags.view(), slot)).toBe(at / LINE);
        expect(lineOfSlot(tags.view(), slot ^ 1)).toBeUndefined();
        expect([tags.find(pa(at), key), tags.find(pa(at + LINE - 1), key)]).toEqual([slot, slot]);
      }
    }
  });

  test('differs for each address and key', () => {
    const all = ADDRESSES.flatMap((at) => KEYS.map((key) => [at, key] as const));
    for (const [at, key] of all) {
      const tags = new LineTags(1, 1);
      take(tags, at, key);
      const found = all.filter(([other, under]) => tags.find(pa(other), under) !== NO_SLOT);
      expect(found).toEqual([[at, key]]);
    }
  });
});

describe('a set', () => {
  test('gives its empty slots first, then the line used least recently', () => {
    const tags = new LineTags(4, 3);
    const at = (n: number): number => (2 + 4 * n) * LINE;
    expect([0, 1, 2].map((n) => take(tags, at(n)))).toEqual([6, 7, 8]);
    tags.touch(6);
    expect(tags.victim(pa(at(3)))).toBe(7);
    tags.invalidate(8);
    expect(tags.victim(pa(at(3)))).toBe(8);
    // Full or not, other sets do not matter.
    for (const set of [0, 1, 3]) for (let n = 0; n < 3; n++) take(tags, (set + 4 * n) * LINE);
    expect(tags.victim(pa(at(3)))).toBe(8);
    take(tags, at(3));
    expect([tags.valid, tags.victim(pa(at(4)))]).toEqual([12, 7]);
  });

  test('finds each of its lines, and none of another set', () => {
    const tags = new LineTags(2, 4);
    const slots = [0, 2, 4, 6, 1, 3].map((n) => take(tags, n * LINE));
    expect(slots).toEqual([0, 1, 2, 3, 4, 5]);
    for (const order of [
      [0, 1, 2, 3, 4, 6],
      [6, 4, 3, 2, 1, 0],
    ]) {
      for (const n of order) {
        expect(tags.find(pa(n * LINE), KEY_PLAIN)).toBe(slots[[0, 2, 4, 6, 1, 3].indexOf(n)]);
      }
    }
    expect([5, 7, 8, 9].map((n) => tags.find(pa(n * LINE), KEY_PLAIN))).toEqual([-1, -1, -1, -1]);
    tags.invalidate(3);
    expect(tags.find(pa(6 * LINE), KEY_PLAIN)).toBe(NO_SLOT);
  });
});

describe('the state of a line', () => {
  test('counts as valid once, and as dirty until it is invalidated or replaced', () => {
    const tags = new LineTags(4, 2);
    const [first, second] = [takeDirty(tags, 0), takeDirty(tags, LINE)];
    take(tags, 2 * LINE);
    expect([tags.valid, tags.countDirty()]).toEqual([3, 2]);
    tags.take(first, pa(4 * LINE), KEY_PLAIN, 0, 0);
    expect([tags.valid, tags.countDirty(), tags.isDirty(first)]).toEqual([3, 1, false]);
    tags.invalidate(second);
    tags.invalidate(second);
    expect([tags.valid, tags.countDirty(), tags.isDirty(second)]).toEqual([2, 0, false]);
  });

  test('is invalidated for all CPUs or for its owner: the last that wrote it, else that allocated it', () => {
    const tags = new LineTags(4, 2);
    take(tags, 0, KEY_PLAIN, 1);
    takeDirty(tags, LINE, KEY_PLAIN, 2);
    tags.dirty(take(tags, 2 * LINE, KEY_PLAIN, 1), 2, 5);
    tags.invalidateOwned(2);
    expect([tags.valid, tags.countDirty()]).toEqual([1, 0]);
    expect(tags.find(pa(0), KEY_PLAIN)).not.toBe(NO_SLOT);
    takeDirty(tags, 3 * LINE, KEY_PLAIN, 1);
    tags.invalidateOwned('all');
    expect([tags.valid, tags.countDirty()]).toEqual([0, 0]);
    expect(tags.find(pa(0), KEY_PLAIN)).toBe(NO_SLOT);
  });

  test('has the origin of its last write, also through to memory', () => {
    const tags = new LineTags(4, 4);
    const slot = take(tags, 0, KEY_PLAIN, 0, 3);
    expect(tags.originOf(slot)).toBe(3);
    tags.dirty(slot, 0, 4);
    expect(tags.originOf(slot)).toBe(4);
    tags.wroteThrough(slot, 5);
    expect(tags.originOf(slot)).toBe(5);
  });

  test('the newest dirty line of an address is that of its last write, under any key', () => {
    const tags = new LineTags(4, 8);
    expect(tags.newestDirty(pa(0))).toBeUndefined();
    const plain = takeDirty(tags, 0, KEY_PLAIN);
    const host = takeDirty(tags, 0, KEY_HOST);
    take(tags, 0, GUEST);
    takeDirty(tags, HIGH, KEY_HOST);
    takeDirty(tags, 4 * LINE, KEY_HOST);
    expect(tags.newestDirty(pa(0))).toBe(host);
    tags.dirty(host, 0, 0);
    tags.wroteThrough(plain, 1);
    tags.touch(host);
    expect(tags.newestDirty(pa(0))).toBe(plain);
    tags.dirty(host, 0, 0);
    expect(tags.newestDirty(pa(0))).toBe(host);
    tags.invalidate(host);
    expect(tags.newestDirty(pa(0))).toBe(plain);
    // A write through a clean line leaves it clean.
    tags.wroteThrough(tags.find(pa(0), GUEST), 1);
    expect(tags.newestDirty(pa(0))).toBe(plain);
  });

  test('the lines of an address under other keys are found', () => {
    const tags = new LineTags(4, 4);
    for (const key of [KEY_PLAIN, KEY_HOST, GUEST]) take(tags, 5 * LINE, key);
    take(tags, 9 * LINE, GUEST);
    take(tags, 6 * LINE, GUEST);
    const others = tags.sameLineOtherKey(pa(5 * LINE), KEY_HOST);
    expect(linesOf(tags, others)).toEqual([
      [5 * LINE, KEY_PLAIN],
      [5 * LINE, GUEST],
    ]);
    expect(tags.sameLineOtherKey(pa(9 * LINE), GUEST)).toEqual([]);
    expect(tags.sameLineOtherKey(pa(5 * LINE + HIGH), GUEST)).toEqual([]);
  });
});

/** Lines around the places where the parts of a tag and the sets end. */
const lines = fc.uniqueArray(
  fc.record({
    at: fc
      .constantFrom(0, 16 * LINE, SIGN, HIGH, 3 * HIGH, LAST - 6 * LINE)
      .chain((base) => fc.integer({ min: 0, max: 6 }).map((n) => base + n * LINE)),
    key: fc.constantFrom(KEY_PLAIN, KEY_HOST, GUEST),
    cpu: fc.nat(2),
    dirty: fc.boolean(),
  }),
  { maxLength: 40, selector: ({ at, key }) => `${at} ${key}` },
);

test('lines are listed by address: those of a range under a key, and dirty ones of a CPU or of all', () => {
  fc.assert(
    fc.property(lines, (taken) => {
      // More ways than lines, so that none is evicted.
      const tags = new LineTags(4, 40);
      for (const { at, key, cpu, dirty } of taken) {
        const slot = take(tags, at, key, cpu);
        if (dirty) tags.dirty(slot, cpu, 0);
      }
      const sorted = [...taken].sort((a, b) => a.at - b.at || a.key - b.key);
      const expected = (keep: (each: (typeof taken)[number]) => boolean): [number, number][] =>
        sorted.filter(keep).map(({ at, key }) => [at, key]);
      for (const cpu of ['all', 0, 1, 2] as const) {
        expect(linesOf(tags, tags.dirtySlotsOf(cpu))).toEqual(
          expected((each) => each.dirty && (cpu === 'all' || each.cpu === cpu)),
        );
      }
      // At one address in the order of the last use.
      taken.reverse();
      for (const { at, key } of taken) tags.touch(tags.find(pa(at), key));
      const used = taken.map(({ at, key }) => `${at} ${key}`);
      const dirty = linesOf(tags, tags.dirtySlots());
      const order = dirty.map(([at, key]) => [at, used.indexOf(`${at} ${key}`)] as const);
      expect(order).toEqual([...order].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
      expect(dirty).toHaveLength(tags.countDirty());
      for (const [start, end] of [
        [LINE, 5 * LINE],
        [SIGN, SIGN + 7 * LINE],
        [0, 2 ** 52],
      ] as const) {
        expect(linesOf(tags, tags.slotsIn(start, end, KEY_HOST))).toEqual(
          expected(({ at, key }) => at >= start && at < end && key === KEY_HOST),
        );
      }
    }),
  );
});

test('lines of a range include that at its start and not that at its end', () => {
  const tags = new LineTags(4, 2);
  for (const n of [6, 3, 4, 5]) take(tags, n * LINE, KEY_HOST);
  const found = tags.slotsIn(4 * LINE, 6 * LINE, KEY_HOST);
  expect(linesOf(tags, found)).toEqual([
    [4 * LINE, KEY_HOST],
    [5 * LINE, KEY_HOST],
  ]);
});

describe('takeRun', () => {
  test.each([
    [0, 8],
    [5 * LINE, 8],
    [HIGH - 3 * LINE, 8],
    [5 * LINE, 3],
    [5 * LINE, 7],
  ])('from %i on, %i lines: equals take and dirty of each', (at, count) => {
    const [run, each] = [new LineTags(4, 2), new LineTags(4, 2)];
    run.takeRun(pa(at), KEY_HOST, 3, 9, count);
    for (let n = 0; n < count; n++) takeDirty(each, at + n * LINE, KEY_HOST, 3, 9);
    const [a, b] = [run.view(), each.view()];
    // Uses are numbered twice for each line there; their order is what matters.
    expect({ ...a, replacement: 0 }).toEqual({ ...b, replacement: 0 });
    for (let n = 0; n < 8; n++) {
      expect(run.victim(pa(at + n * LINE))).toBe(each.victim(pa(at + n * LINE)));
      expect(takeDirty(run, at + HIGH + n * LINE)).toBe(takeDirty(each, at + HIGH + n * LINE));
    }
  });
});

test('a snapshot is not changed by later writes, and restores every part of the state', () => {
  const tags = new LineTags(4, 2);
  for (let n = 0; n < 6; n++) takeDirty(tags, n * LINE, KEY_HOST, n, n);
  const snapshot = tags.snapshot();
  const other = new LineTags(4, 2);
  other.restore(snapshot);
  expect(other.view()).toEqual(tags.view());
  const frozen = structuredClone(snapshot);
  for (let n = 0; n < 16; n++) takeDirty(tags, n * 3 * LINE, GUEST, 7, 7);
  tags.wroteThrough(0, 8);
  expect(snapshot).toEqual(frozen);
  for (const key of Object.keys(frozen)) expect(tags.view()).toHaveProperty(key);
  tags.restore(snapshot);
  expect(tags.view()).toEqual(frozen);
  expect(takeDirty(other, 20 * LINE)).toBe(takeDirty(tags, 20 * LINE));
  expect(other.view()).toEqual(tags.view());
});

test('slotsOf has the lines of a range under every key, whether the range is short or long', () => {
  const tags = new LineTags(4, 2);
  takeDirty(tags, 2 * LINE, KEY_HOST, 3, 9);
  take(tags, 2 * LINE, KEY_PLAIN);
  take(tags, 0, GUEST);
  take(tags, HIGH + LINE);
  const within = (start: number, end: number): [Pa, KeyId][] =>
    linesOf(tags, tags.slotsOf(pa(start), end));
  const both = [
    [2 * LINE, KEY_PLAIN],
    [2 * LINE, KEY_HOST],
  ];
  expect(within(LINE, 2 * LINE)).toEqual([]);
  expect(within(2 * LINE, 2 * LINE + 1)).toEqual(both);
  expect(within(2 * LINE, 3 * LINE)).toEqual(both);
  expect(within(0, 64 * LINE)).toEqual([[0, GUEST], ...both]);
  expect(within(0, 2 * LINE)).toEqual([[0, GUEST]]);
  expect(within(HIGH, HIGH + 2 * LINE)).toEqual([[HIGH + LINE, KEY_PLAIN]]);
  const slot = tags.find(pa(2 * LINE), KEY_HOST);
  expect([tags.ownerOf(slot), tags.originOf(slot), tags.writeOf(slot)]).toEqual([3, 9, 1]);
  expect(tags.keys()).toEqual(
    new Map([
      [KEY_PLAIN, 2],
      [KEY_HOST, 1],
      [GUEST, 1],
    ]),
  );
});
