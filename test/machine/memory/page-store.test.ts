import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, PAGE_SIZE } from '../../../src/machine/address.js';
import { PageStore } from '../../../src/machine/memory/page-store.js';

const bytes = (value: number): Uint8Array => new Uint8Array(PAGE_SIZE).fill(value);

/** Writes one byte, as DRAM would. */
function poke(store: PageStore, number: number, value: number): void {
  const page = store.writable(number, false, false);
  page.bytes[0] = value;
  store.written(page);
}

describe('the pages of DRAM', () => {
  test('one that was not touched has no page but its noise, and is made of it', () => {
    const store = new PageStore(7);
    expect(store.at(3)).toBeUndefined();
    const noise = store.noiseOf(3).slice();
    expect(noise).not.toEqual(store.noiseOf(4));
    expect(store.writable(3, false, false).bytes).toEqual(noise);
    expect(store.touched()).toEqual([3]);
  });

  test('a snapshot shares pages until one is written', () => {
    const store = new PageStore(7);
    poke(store, 1, 5);
    poke(store, 2, 6);
    const before = store.snapshot();
    const [one, two] = [store.at(1), store.at(2)];
    poke(store, 1, 9);
    expect([store.at(1) === one, store.at(2) === two]).toEqual([false, true]);
    expect([one?.bytes[0], store.at(1)?.bytes[0]]).toEqual([5, 9]);
    store.restore(before);
    expect(store.at(1)).toBe(one);
  });

  test('whole pages that are equal are one page until one of them is written', () => {
    const store = new PageStore(7);
    for (const number of [1, 2, 3]) store.put(number, bytes(5), KEY_HOST, 9);
    expect(store.at(1)).toBe(store.at(2));
    poke(store, 2, 1);
    expect([1, 2, 3].map((number) => store.at(number)?.bytes[0])).toEqual([5, 1, 5]);
  });

  test('a fill is one page for all, with pages of its own where one is written', () => {
    const store = new PageStore(7);
    poke(store, 5, 1);
    store.fill(4, 8, 0xcc, KEY_HOST, 2);
    expect(store.touched()).toEqual([4, 5, 6, 7]);
    expect(store.at(5)).toBe(store.at(7));
    expect([store.inRun(5), store.inRun(8)]).toEqual([true, false]);
    poke(store, 5, 1);
    expect([store.inRun(5), store.at(5)?.bytes[0], store.at(6)?.bytes[0]]).toEqual([
      false,
      1,
      0xcc,
    ]);
  });

  test.each([
    [false, 0xcc],
    [true, 0],
  ])(
    'the bytes of a shared page that is about to be written whole (%p) begin as %p',
    (all, was) => {
      const store = new PageStore(7);
      store.fill(1, 2, 0xcc, KEY_HOST, 2);
      expect(store.writable(1, all, false).bytes[9]).toBe(was);
    },
  );

  test('it knows whether a line was last written through a key', () => {
    const store = new PageStore(7);
    poke(store, 1, 5);
    expect(store.encrypted).toBe(false);
    store.fill(2, 4, 0, KEY_HOST, 1);
    expect(store.encrypted).toBe(true);
  });
});
