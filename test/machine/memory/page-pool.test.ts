import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa } from '../../../src/machine/address.js';
import { Dram } from '../../../src/machine/memory/dram.js';
import { MemoryEngine } from '../../../src/machine/memory/engine.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';

const PAGE = 4096;

/** Small DRAM, lazy or eager. */
function dram(lazy: boolean): Dram {
  const engine = new MemoryEngine({ cipher: nodeCipher, mode: 'XEX', seed: 'pages' });
  return new Dram({ ranges: [{ base: 0, size: 64 * PAGE }], noiseSeed: 7, engine, lazy });
}

const page = (byte: number): Uint8Array => new Uint8Array(PAGE).fill(byte);
const read = (of: Dram, at: number, length: number, key = KEY_HOST): Uint8Array => {
  const out = new Uint8Array(length);
  of.read(pa(at), key, out, 0, length);
  return out;
};

describe('Dram with pages written whole', () => {
  test('stores equal pages as one page object until one of them changes', () => {
    const it = dram(true);
    for (const number of [1, 2, 3]) it.write(pa(number * PAGE), KEY_HOST, page(5), 0, PAGE, 9);
    const { pages } = it.view();
    const [one, two] = [pages.get(0)?.get(1), pages.get(0)?.get(2)];
    expect(one).toBe(two);
    it.write(pa(2 * PAGE + 70), KEY_HOST, Uint8Array.of(1, 2, 3), 0, 3, 4);
    expect(read(it, PAGE, PAGE)).toEqual(page(5));
    expect(read(it, 3 * PAGE, PAGE)).toEqual(page(5));
    expect(read(it, 2 * PAGE + 69, 5)).toEqual(Uint8Array.of(5, 1, 2, 3, 5));
    expect(it.lastWrite(pa(2 * PAGE + 70))).toEqual({ key: KEY_HOST, origin: 4 });
    expect(it.lastWrite(pa(2 * PAGE))).toEqual({ key: KEY_HOST, origin: 9 });
  });

  test('stores pages of another key or origin separately', () => {
    const it = dram(true);
    it.write(pa(PAGE), KEY_HOST, page(5), 0, PAGE, 9);
    it.write(pa(2 * PAGE), KEY_PLAIN, page(5), 0, PAGE, 9);
    it.write(pa(3 * PAGE), KEY_PLAIN, page(5), 0, PAGE, 8);
    const { pages } = it.view();
    expect(new Set([1, 2, 3].map((number) => pages.get(0)?.get(number))).size).toBe(3);
  });

  test('has the same bytes on the bus as eager DRAM, before and after a partial write', () => {
    const [lazy, eager] = [dram(true), dram(false)];
    for (const it of [lazy, eager]) {
      for (let number = 0; number < 8; number++) {
        it.write(pa(number * PAGE), KEY_HOST, page(0), 0, PAGE);
      }
      it.fillLines(pa(8 * PAGE), KEY_HOST, 0xcc, 16 * PAGE);
      it.write(pa(3 * PAGE + 5), KEY_HOST, new Uint8Array(2 * PAGE).fill(1), 0, 2 * PAGE);
    }
    expect(lazy.peek(pa(0), 24 * PAGE)).toEqual(eager.peek(pa(0), 24 * PAGE));
    expect(read(lazy, 0, 24 * PAGE)).toEqual(read(eager, 0, 24 * PAGE));
  });

  test('restores the contents of equal pages from a snapshot', () => {
    const it = dram(true);
    for (const number of [1, 2]) it.write(pa(number * PAGE), KEY_HOST, page(5), 0, PAGE);
    const before = it.snapshot();
    for (const number of [1, 2]) it.write(pa(number * PAGE), KEY_HOST, page(6), 0, PAGE);
    it.restore(before);
    expect(read(it, PAGE, 2 * PAGE)).toEqual(new Uint8Array(2 * PAGE).fill(5));
  });

  test('shares line state between pages when all their lines have the same', () => {
    const it = dram(true);
    for (const number of [1, 2]) {
      for (let at = 0; at < PAGE; at += 64) {
        it.write(pa(number * PAGE + at), KEY_HOST, new Uint8Array(64).fill(at / 64), 0, 64, 9);
      }
    }
    const { pages } = it.view();
    const [one, two] = [pages.get(0)?.get(1), pages.get(0)?.get(2)];
    expect(one).not.toBe(two);
    expect(one?.sameContents).toBe(true);
    expect(one?.owner).toBe(two?.owner);
    it.write(pa(PAGE), KEY_PLAIN, new Uint8Array(64), 0, 64, 4);
    expect(pages.get(0)?.get(1)?.sameContents).toBe(false);
    expect(it.lastWrite(pa(PAGE))).toEqual({ key: KEY_PLAIN, origin: 4 });
    expect(it.lastWrite(pa(2 * PAGE))).toEqual({ key: KEY_HOST, origin: 9 });
  });
});
