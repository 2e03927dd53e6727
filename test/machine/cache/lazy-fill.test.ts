import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, LINE_SIZE, pa } from '../../../src/machine/address.js';
import { LineTags, NO_SLOT } from '../../../src/machine/cache/cache-tags.js';
import { Probes } from '../../../src/machine/probes.js';
import { LazyFill } from '../../../src/machine/cache/lazy-fill.js';
import type { LineStore } from '../../../src/machine/memory/line-store.js';
import { REQUESTER_CACHE } from '../../../src/machine/requester.js';

const SIZE = 8 * LINE_SIZE;
const AT = pa(0x1000);
const fill = new LazyFill(3, AT, KEY_HOST, 0x5a, 7, SIZE);

describe('LazyFill', () => {
  test.each([
    [0x0fff, 1, false],
    [0x0fff, 2, true],
    [0x1000, 1, true],
    [0x11ff, 1, true],
    [0x1200, 64, false],
    [0, 0x4000, true],
  ])('overlaps(%p, %p bytes) is %p', (at, length, expected) => {
    expect(fill.overlaps(at, length)).toBe(expected);
  });

  test('materialize makes dirty lines of its CPU, key and origin', () => {
    const tags = new LineTags(4, 2);
    const data = new Uint8Array(SIZE + 1);
    fill.materialize(tags, data);
    expect([tags.valid, tags.countDirty()]).toEqual([8, 8]);
    const slot = tags.find(pa(AT + 5 * LINE_SIZE), KEY_HOST);
    expect(slot).not.toBe(NO_SLOT);
    expect([tags.originOf(slot), tags.dirtySlotsOf(3).length]).toEqual([7, 8]);
    expect(data).toEqual(new Uint8Array(SIZE + 1).fill(0x5a, 0, SIZE));
  });

  test('writeBack writes one run of the cache’s size', () => {
    const runs: unknown[][] = [];
    const nothing = (): void => {
      throw new RangeError('not a run');
    };
    const store: LineStore = {
      readLines: nothing,
      writeLines: nothing,
      read: nothing,
      write: nothing,
      fillLines: (...args) => runs.push(args),
    };
    const probes = new Probes();
    const reported: unknown[][] = [];
    probes.writtenBack.listen((...args) => reported.push(args));
    fill.writeBack(store, probes);
    expect(runs).toEqual([[AT, KEY_HOST, 0x5a, SIZE, 7, REQUESTER_CACHE]]);
    expect(reported).toEqual([[AT, KEY_HOST, SIZE, 7]]);
  });
});
