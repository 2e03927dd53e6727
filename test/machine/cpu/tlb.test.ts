import { describe, expect, test } from '@jest/globals';
import { KEY_PLAIN, PAGE_SIZE, pa, PMD_SIZE, PUD_SIZE, va } from '../../../src/machine/address.js';
import { Tlb, TLB_KIND, type TlbEntry } from '../../../src/machine/cpu/tlb.js';
import { MEMTYPE } from '../../../src/machine/types.js';

const entry = (at: number, size: number, more: Partial<TlbEntry> = {}): TlbEntry => ({
  va: va(at),
  size,
  pageSize: size,
  pa: pa(0),
  key: KEY_PLAIN,
  rw: true,
  us: false,
  nx: false,
  global: false,
  dirty: true,
  type: MEMTYPE.WB,
  ...more,
});
const has = (tlb: Tlb, at: number): boolean => tlb.lookup(va(at), TLB_KIND.read) !== undefined;

test('Tlb.lookup finds pages of all sizes, in both halves of the address space', () => {
  const tlb = new Tlb();
  tlb.insert(entry(PAGE_SIZE, PAGE_SIZE));
  tlb.insert(entry(4 * PMD_SIZE, PMD_SIZE));
  tlb.insert(entry(-PUD_SIZE, PUD_SIZE));
  const found = [PAGE_SIZE, 2 * PAGE_SIZE - 1, 4 * PMD_SIZE + 5, -1, -PUD_SIZE];
  expect(found.every((at) => has(tlb, at))).toBe(true);
  const missing = [0, 2 * PAGE_SIZE, 5 * PMD_SIZE, -PUD_SIZE - 1];
  expect(missing.some((at) => has(tlb, at))).toBe(false);
});

test.each([PAGE_SIZE, PMD_SIZE, PUD_SIZE])(
  'a translation of %i bytes is found from its first to its last byte, by each kind of access',
  (size) => {
    for (const kind of Object.values(TLB_KIND)) {
      for (const [offset, inside] of [
        [-1, false],
        [0, true],
        [size - 1, true],
        [size, false],
      ] as const) {
        // Alone in the TLB, and looked up first: no other translation is found before it.
        const tlb = new Tlb();
        tlb.insert(entry(3 * size, size));
        expect(tlb.lookup(va(3 * size + offset), kind) !== undefined).toBe(inside);
        // The lookup after it goes by the last one used.
        tlb.lookup(va(3 * size), kind);
        expect(tlb.lookup(va(3 * size + offset), kind) !== undefined).toBe(inside);
      }
    }
  },
);

test('Tlb.insert evicts the oldest translation of a full TLB and holds a page once', () => {
  const tlb = new Tlb(2);
  tlb.insert(entry(0, PAGE_SIZE));
  tlb.insert(entry(PAGE_SIZE, PAGE_SIZE));
  tlb.insert(entry(PAGE_SIZE, PAGE_SIZE, { rw: false }));
  expect(tlb.size).toBe(2);
  tlb.insert(entry(2 * PAGE_SIZE, PAGE_SIZE));
  expect([has(tlb, 0), has(tlb, PAGE_SIZE), has(tlb, 2 * PAGE_SIZE)]).toEqual([false, true, true]);
});

test('INVLPG invalidates all parts of a page with several MTRR types, a global one too', () => {
  const tlb = new Tlb();
  tlb.insert(entry(0, PAGE_SIZE, { pageSize: PMD_SIZE, global: true }));
  tlb.insert(entry(PAGE_SIZE, PAGE_SIZE, { pageSize: PMD_SIZE }));
  tlb.insert(entry(PMD_SIZE, PAGE_SIZE));
  tlb.invlpg(va(5 * PAGE_SIZE));
  expect(tlb.entries().map((e) => e.va)).toEqual([PMD_SIZE]);
});

test.each([
  ['the first byte of the page', PMD_SIZE, []],
  ['its last byte', 2 * PMD_SIZE - 1, []],
  ['the byte before it', PMD_SIZE - 1, [PMD_SIZE + PAGE_SIZE]],
  ['the byte after it', 2 * PMD_SIZE, [PMD_SIZE + PAGE_SIZE]],
])('INVLPG of %s and a translated part of the page', (_where, at, left) => {
  const tlb = new Tlb();
  tlb.insert(entry(PMD_SIZE + PAGE_SIZE, PAGE_SIZE, { pageSize: PMD_SIZE }));
  tlb.invlpg(va(at));
  expect(tlb.entries().map((e) => e.va)).toEqual(left);
});

// APM 5.5.2: software that changed an entry in the tables relies on it that no stale translation is used afterwards.
test.each<[string, (tlb: Tlb) => void, boolean]>([
  ['INVLPG', (tlb) => tlb.invlpg(va(PAGE_SIZE + 5)), false],
  ['MOV CR3', (tlb) => tlb.flushNonGlobal(), false],
  ['a flush of everything', (tlb) => tlb.flushAll(), false],
  ['the eviction by a new translation', (tlb) => tlb.insert(entry(PUD_SIZE, PAGE_SIZE)), false],
  ['a restored state', (tlb) => tlb.restore([]), false],
  ['INVLPG of another page', (tlb) => tlb.invlpg(va(0)), true],
])('the last translation used is gone after %s', (_what, invalidate, stays) => {
  for (const kind of Object.values(TLB_KIND)) {
    const tlb = new Tlb(1);
    tlb.insert(entry(PAGE_SIZE, PAGE_SIZE));
    expect(tlb.lookup(va(PAGE_SIZE), kind)).toBeDefined();
    invalidate(tlb);
    expect(tlb.lookup(va(PAGE_SIZE), kind) !== undefined).toBe(stays);
  }
});

test('MOV CR3 preserves global translations, a full flush none', () => {
  const tlb = new Tlb();
  tlb.insert(entry(0, PAGE_SIZE, { global: true }));
  tlb.insert(entry(PMD_SIZE, PMD_SIZE));
  has(tlb, PMD_SIZE); // the short cut to the last one used goes as well
  tlb.flushNonGlobal();
  expect([has(tlb, 0), has(tlb, PMD_SIZE)]).toEqual([true, false]);
  tlb.flushAll();
  expect([tlb.size, has(tlb, 0)]).toEqual([0, false]);
});

test('a restored TLB has the same entries and order of eviction', () => {
  const tlb = new Tlb(2);
  tlb.insert(entry(PAGE_SIZE, PAGE_SIZE));
  tlb.insert(entry(0, PMD_SIZE));
  const other = new Tlb(2);
  other.restore(tlb.entries());
  for (const it of [tlb, other]) {
    it.insert(entry(PUD_SIZE, PAGE_SIZE));
    expect(it.entries().map((e) => [e.va, e.size])).toEqual([
      [0, PMD_SIZE],
      [PUD_SIZE, PAGE_SIZE],
    ]);
  }
});

test('Tlb.peek finds what the next lookup finds, and changes no later one', () => {
  const tlb = new Tlb();
  tlb.insert(entry(0, PMD_SIZE));
  has(tlb, 5);
  // A smaller page over it is found first.
  tlb.insert(entry(0, PAGE_SIZE));
  tlb.insert(entry(PUD_SIZE, PAGE_SIZE));
  expect(tlb.peek(va(PUD_SIZE))?.size).toBe(PAGE_SIZE);
  expect(tlb.peek(va(5))?.size).toBe(PAGE_SIZE);
  expect(tlb.lookup(va(5), TLB_KIND.read)?.size).toBe(PAGE_SIZE);
  // What a lookup finds is not what the next peek of another address changes.
  expect(tlb.peek(va(PAGE_SIZE))?.size).toBe(PMD_SIZE);
  expect(tlb.peek(va(5))?.size).toBe(PAGE_SIZE);
  expect(tlb.peek(va(2 * PUD_SIZE))).toBeUndefined();
});

test('a small page inserted beside a large one is found at once, as in a restored TLB', () => {
  const tlb = new Tlb();
  tlb.insert(entry(0, PMD_SIZE));
  expect(tlb.lookup(va(PAGE_SIZE), TLB_KIND.read)?.size).toBe(PMD_SIZE);
  tlb.insert(entry(PAGE_SIZE, PAGE_SIZE));
  const restored = new Tlb();
  restored.restore(tlb.entries());
  for (const each of [tlb, restored]) {
    expect(each.lookup(va(PAGE_SIZE), TLB_KIND.read)?.size).toBe(PAGE_SIZE);
  }
});

describe('Tlb.onRemove is called', () => {
  const removed = (act: (tlb: Tlb) => void): (number | null)[] => {
    const tlb = new Tlb(2);
    tlb.insert(entry(0x1000, PAGE_SIZE));
    tlb.insert(entry(0x20_0000, PMD_SIZE));
    const seen: (number | null)[] = [];
    tlb.onRemove = (each) => seen.push(each === null ? null : each.va);
    act(tlb);
    return seen;
  };

  test.each<[string, (tlb: Tlb) => void, (number | null)[]]>([
    ['INVLPG', (tlb) => tlb.invlpg(va(0x1fff)), [0x1000]],
    ['a flush of all entries', (tlb) => tlb.flushAll(), [null]],
    ['a flush of those that are not global', (tlb) => tlb.flushNonGlobal(), [0x1000, 0x20_0000]],
    ['an eviction', (tlb) => tlb.insert(entry(0x5000, PAGE_SIZE)), [0x1000]],
    ['a new translation of the same page', (tlb) => tlb.insert(entry(0x1000, PAGE_SIZE)), [0x1000]],
    [
      'a smaller page in a larger one',
      (tlb) => tlb.insert(entry(0x20_1000, PAGE_SIZE)),
      [0x1000, 0x20_1000],
    ],
  ])('on %s', (_name, act, expected) => {
    expect(removed(act)).toEqual(expected);
  });
});
