import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addPcp,
  freeBlock,
  freeRun,
  MAX_ORDER,
  MAX_ORDER_SIZE,
  orderOf,
  sizeOf,
  takeBlock,
  type Zone,
} from '../../../../src/linux/mm/page_alloc/buddy.js';
import { freeRanges } from '../../../../src/linux/mm/page_alloc/page_alloc.js';

const PAGE = 4096;
const zone = (start: number, end: number): Zone => {
  const made: Zone = {
    end: Infinity,
    managed: 0,
    batch: 7,
    high: 42,
    pcp: {},
    blocks: Array.from({ length: MAX_ORDER }, () => []),
    runs: [],
  };
  freeRun(made, start, end);
  return made;
};
const freeOf = (subject: Zone) => freeRanges({ ready: true, zones: [subject] });
const bytes = (subject: Zone): number => freeOf(subject).reduce((sum, { size }) => sum + size, 0);

describe('the buddy system', () => {
  test('takeBlock() splits the last block from below: pages ascend, the upper halves stay free', () => {
    const subject = zone(4 * MAX_ORDER_SIZE, 6 * MAX_ORDER_SIZE);
    expect(takeBlock(subject, 0)).toBe(5 * MAX_ORDER_SIZE);
    expect(takeBlock(subject, 0)).toBe(5 * MAX_ORDER_SIZE + PAGE);
    expect(takeBlock(subject, 1)).toBe(5 * MAX_ORDER_SIZE + 2 * PAGE);
    expect(takeBlock(subject, MAX_ORDER)).toBe(4 * MAX_ORDER_SIZE);
    expect(takeBlock(subject, MAX_ORDER)).toBe(0);
  });

  test('takeBlock() returns the block freed last first; freeBlock() merges buddies', () => {
    const subject = zone(MAX_ORDER_SIZE, 2 * MAX_ORDER_SIZE);
    const pages = [0, 0, 0, 0].map(() => takeBlock(subject, 0));
    const [a = 0, b = 0, c = 0] = pages;
    freeBlock(subject, a, 0);
    freeBlock(subject, c, 0);
    expect(takeBlock(subject, 0)).toBe(c);
    freeBlock(subject, b, 0);
    expect(takeBlock(subject, 1)).toBe(a);
  });

  test('freeBlock() and addPcp() reject a page that is free already', () => {
    const subject = zone(MAX_ORDER_SIZE, 2 * MAX_ORDER_SIZE);
    const page = takeBlock(subject, 0);
    takeBlock(subject, 0);
    expect(freeBlock(subject, page, 0)).toBe(true);
    expect(freeBlock(subject, page, 0)).toBe(false);
    expect(addPcp(subject, 0, page)).toBe(false);
  });

  test.each([1, 41, 42, 43, 200])(
    'addPcp() of %i pages equals freeing them one by one',
    (count) => {
      const [together, each] = [
        zone(MAX_ORDER_SIZE, 2 * MAX_ORDER_SIZE),
        zone(MAX_ORDER_SIZE, 2 * MAX_ORDER_SIZE),
      ];
      for (const subject of [together, each]) while (takeBlock(subject, 0) !== 0);
      const first = MAX_ORDER_SIZE + 5 * PAGE;
      expect(addPcp(together, 0, first, count)).toBe(true);
      for (let i = 0; i < count; i++) expect(addPcp(each, 0, first + i * PAGE)).toBe(true);
      expect(together).toEqual(each);
      // One of them is free already: none is freed.
      const before = structuredClone(together);
      expect(addPcp(together, 0, first - PAGE, 3)).toBe(false);
      expect(together).toEqual(before);
    },
  );

  test('addPcp() returns the oldest batch to the zone at the list’s limit', () => {
    const subject = zone(MAX_ORDER_SIZE, 3 * MAX_ORDER_SIZE);
    const pages = Array.from({ length: 42 }, () => takeBlock(subject, 0));
    for (const page of pages.slice(0, 41)) addPcp(subject, 0, page);
    expect(subject.pcp[0]).toHaveLength(41);
    addPcp(subject, 0, pages[41] ?? 0);
    expect(subject.pcp[0]).toEqual(pages.slice(7).reverse());
    expect(bytes(subject)).toBe(2 * MAX_ORDER_SIZE);
  });

  test.each([
    [1, 0],
    [PAGE, 0],
    [PAGE + 1, 1],
    [4 * PAGE, 2],
    [MAX_ORDER_SIZE, MAX_ORDER],
  ])('%i bytes need order %i', (size, order) => {
    expect(orderOf(size)).toBe(order);
  });

  test('freeRun() frees a range in the largest aligned blocks that fit', () => {
    const start = MAX_ORDER_SIZE - 3 * PAGE;
    const subject = zone(start, 3 * MAX_ORDER_SIZE + 5 * PAGE);
    expect(freeOf(subject)).toEqual([{ base: start, size: 2 * MAX_ORDER_SIZE + 8 * PAGE }]);
    expect(subject.runs).toEqual([{ base: MAX_ORDER_SIZE, size: 2 * MAX_ORDER_SIZE }]);
    expect(subject.blocks[0]).toHaveLength(2);
  });

  test('allocates no page twice and none outside the zone, and merges fully when all is freed', () => {
    const steps = fc.array(fc.record({ order: fc.nat(4), free: fc.boolean() }), { maxLength: 80 });
    fc.assert(
      fc.property(steps, (list) => {
        const start = 3 * MAX_ORDER_SIZE + 7 * PAGE;
        const subject = zone(start, start + MAX_ORDER_SIZE);
        const held: { at: number; order: number }[] = [];
        for (const { order, free } of list) {
          const last = free ? held.pop() : undefined;
          if (last !== undefined) {
            freeBlock(subject, last.at, last.order);
            continue;
          }
          const at = takeBlock(subject, order);
          if (at === 0) continue;
          expect(at % sizeOf(order)).toBe(0);
          expect(at >= start && at + sizeOf(order) <= start + MAX_ORDER_SIZE).toBe(true);
          for (const other of held) {
            expect(at >= other.at + sizeOf(other.order) || other.at >= at + sizeOf(order)).toBe(
              true,
            );
          }
          held.push({ at, order });
        }
        for (const { at, order } of held) freeBlock(subject, at, order);
        expect(freeOf(subject)).toEqual([{ base: start, size: MAX_ORDER_SIZE }]);
      }),
    );
  });
});
