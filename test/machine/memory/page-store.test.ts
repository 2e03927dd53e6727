import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, PAGE_SIZE } from '../../../src/machine/address.js';
import { PageStore } from '../../../src/machine/memory/page-store.js';

const bytes = (value: number): Uint8Array => new Uint8Array(PAGE_SIZE).fill(value);

/** Writes one byte, as DRAM would. */
function poke(store: PageStore, number: number, value: number): void {
  const page = store.writable(number, false);
  page.bytes[0] = value;
  store.written(page);
}

describe('PageStore', () => {
  test('returns no page for an untouched number, and its noise for a write', () => {
    const store = new PageStore(7);
    expect(store.at(3)).toBeUndefined();
    const noise = store.noiseOf(3).slice();
    expect(noise).not.toEqual(store.noiseOf(4));
    expect(store.writable(3, false).bytes).toEqual(noise);
    expect(store.touched()).toEqual([3]);
  });

  test('shares pages with a snapshot until one is written', () => {
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

  test('shares one page object between equal whole pages until one is written', () => {
    const store = new PageStore(7);
    for (const number of [1, 2, 3]) store.put(number, bytes(5), KEY_HOST, 9);
    expect(store.at(1)).toBe(store.at(2));
    poke(store, 2, 1);
    expect([1, 2, 3].map((number) => store.at(number)?.bytes[0])).toEqual([5, 1, 5]);
  });

  test('uses bytes that never change until the page is written, also if their key changes', () => {
    const store = new PageStore(7);
    const constant = bytes(5);
    store.putShared(1, constant, KEY_PLAIN, 9);
    expect([store.at(1)?.bytes === constant, store.isOwn(1)]).toEqual([true, false]);
    store.put(1, bytes(5), KEY_HOST, 8);
    expect(store.at(1)).toMatchObject({ owner: new Uint16Array(64).fill(KEY_HOST) });
    expect([store.at(1)?.bytes === constant, store.isOwn(1)]).toEqual([true, false]);
    poke(store, 1, 1);
    expect([constant[0], store.at(1)?.bytes[0], store.isOwn(1)]).toEqual([5, 1, true]);
    store.put(1, bytes(5), KEY_PLAIN, 8);
    expect([store.at(1)?.bytes === constant, store.isOwn(1)]).toEqual([false, true]);
  });

  test('represents a fill by one page object, and copies it for a write', () => {
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
  ])('writable of a shared page with whole %p starts with byte %p', (all, was) => {
    const store = new PageStore(7);
    store.fill(1, 2, 0xcc, KEY_HOST, 2);
    expect(store.writable(1, all).bytes[9]).toBe(was);
  });

  test('encrypted is whether a line was last written under a key', () => {
    const store = new PageStore(7);
    poke(store, 1, 5);
    expect(store.encrypted).toBe(false);
    store.fill(2, 4, 0, KEY_HOST, 1);
    expect(store.encrypted).toBe(true);
  });
});
