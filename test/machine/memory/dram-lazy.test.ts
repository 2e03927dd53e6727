/** What lazy DRAM does not do: encrypt lines that are never read, and store equal pages more than once. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, PAGE_SIZE, pa, type KeyId } from '../../../src/machine/address.js';
import { Probes } from '../../../src/machine/probes.js';
import { Dram } from '../../../src/machine/memory/dram.js';
import type { Page } from '../../../src/machine/memory/dram-page.js';
import { MemoryEngine } from '../../../src/machine/memory/engine.js';
import { pageIn } from '../../../src/machine/memory/page-map.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';

const GUEST = 2 as KeyId;
type Call = [what: 'encrypt' | 'decrypt', key: number, address: number, length: number];

/** DRAM of 32 KiB from 0x1000 on, with the calls of its engine; `called` gives those since it was asked last. */
function recorded(lazy = true, ranges = [{ base: 0x1000, size: 0x8000 }]) {
  const calls: Call[] = [];
  class Recording extends MemoryEngine {
    override encrypt(...call: Parameters<MemoryEngine['encrypt']>): void {
      calls.push(['encrypt', call[0], call[1], call[4]]);
      super.encrypt(...call);
    }
    override decrypt(...call: Parameters<MemoryEngine['decrypt']>): void {
      calls.push(['decrypt', call[0], call[1], call[4]]);
      super.decrypt(...call);
    }
  }
  const engine = new Recording({ cipher: nodeCipher, mode: 'XEX', seed: 'dram' });
  const probes = new Probes();
  const memory = new Dram({ ranges, noiseSeed: 42, engine, lazy, probes });
  return {
    memory,
    probes,
    called: (): Call[] => calls.splice(0),
    page: (number: number): Page | undefined => pageIn(memory.view().pages, number),
    runs: (): [number, number][] => memory.view().runs.map(({ first, last }) => [first, last]),
  };
}

const bytes = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);

const write = (memory: Dram, address: number, key: KeyId, length: number, seed = 1): void =>
  memory.write(pa(address), key, bytes(length, seed), 0, length);

function read(memory: Dram, address: number, key: KeyId, length: number): Uint8Array {
  const out = new Uint8Array(length);
  memory.read(pa(address), key, out, 0, length);
  return out;
}

describe('lines are encrypted', () => {
  test('at a read under another key: the lines that it touches, as one run, once', () => {
    const { memory, called } = recorded();
    write(memory, 0x2000, KEY_HOST, 256);
    expect(read(memory, 0x2000, KEY_HOST, 256)).toEqual(bytes(256));
    expect(called()).toEqual([]);
    memory.peek(pa(0x2050), 0x40);
    expect(called()).toEqual([['encrypt', KEY_HOST, 0x2040, 128]]);
    memory.peek(pa(0x2050), 0x40);
    expect(called()).toEqual([]);
    memory.peek(pa(0x2000), 0x100);
    expect(called()).toEqual([
      ['encrypt', KEY_HOST, 0x2000, 64],
      ['encrypt', KEY_HOST, 0x20c0, 64],
    ]);
  });

  test('each under its own key, if lines under several keys are read', () => {
    const { memory, called } = recorded();
    write(memory, 0x2000, KEY_HOST, 64);
    write(memory, 0x2040, GUEST, 128);
    write(memory, 0x20c0, KEY_PLAIN, 64);
    memory.peek(pa(0x2000), 256);
    expect(called()).toEqual([
      ['encrypt', KEY_HOST, 0x2000, 64],
      ['encrypt', GUEST, 0x2040, 128],
    ]);
  });

  test('by eager DRAM at the write', () => {
    const { memory, called } = recorded(false);
    write(memory, 0x2040, KEY_HOST, 128);
    expect(called()).toEqual([['encrypt', KEY_HOST, 0x2040, 128]]);
    memory.peek(pa(0x2000), 256);
    write(memory, 0x2040, KEY_PLAIN, 128);
    expect(called()).toEqual([]);
  });

  test('never, if they are only written in part under the same key', () => {
    const { memory, called } = recorded();
    write(memory, 0x2000, KEY_HOST, 64);
    write(memory, 0x2010, KEY_HOST, 5, 3);
    expect(called()).toEqual([]);
    const expected = bytes(64);
    expected.set(bytes(5, 3), 16);
    expect(read(memory, 0x2000, KEY_HOST, 64)).toEqual(expected);
  });

  test('when a part is written under another key: that line and no adjacent one', () => {
    const { memory, called } = recorded();
    write(memory, 0x2000, KEY_HOST, 192);
    write(memory, 0x2040, GUEST, 64, 2);
    expect(called()).toEqual([]);
    write(memory, 0x2044, KEY_HOST, 8, 3);
    expect(called()).toEqual([
      ['encrypt', GUEST, 0x2040, 64],
      ['decrypt', KEY_HOST, 0x2040, 16],
      ['encrypt', KEY_HOST, 0x2040, 16],
    ]);
  });

  test.each([KEY_HOST, KEY_PLAIN])('of a fill, where a key other than %i reads them', (key) => {
    const { memory, called, runs } = recorded();
    memory.fillLines(pa(0x2000), key, 0x5a, 0x3000);
    const other = key === KEY_HOST ? KEY_PLAIN : KEY_HOST;
    const around = new Uint8Array(128).fill(0xee);
    memory.read(pa(0x3050), other, around, 32, 64);
    const expected: Call[] =
      key === KEY_HOST ? [['encrypt', KEY_HOST, 0x3040, 128]] : [['decrypt', KEY_HOST, 0x3050, 64]];
    expect(called()).toEqual(expected);
    expect(around.subarray(0, 32)).toEqual(new Uint8Array(32).fill(0xee));
    expect(around.subarray(96)).toEqual(new Uint8Array(32).fill(0xee));
    // The run stays whole.
    expect(runs()).toEqual([[2, 5]]);
    expect(memory.view().pages.size).toBe(0);
  });
});

describe('pages share memory', () => {
  test('if equal ones are written whole one after the other, under one key by one origin', () => {
    const { memory, page } = recorded();
    const same = bytes(PAGE_SIZE);
    for (const address of [0x2000, 0x3000]) memory.write(pa(address), KEY_HOST, same, 0, PAGE_SIZE);
    memory.write(pa(0x4000), KEY_PLAIN, same, 0, PAGE_SIZE);
    memory.write(pa(0x5000), KEY_PLAIN, same, 0, PAGE_SIZE, 4);
    write(memory, 0x6000, KEY_PLAIN, PAGE_SIZE, 2);
    const pages = [2, 3, 4, 5, 6].map(page);
    expect(pages[0]).toBe(pages[1]);
    expect(new Set(pages).size).toBe(4);
    expect(memory.lastWrite(pa(0x4fff))).toEqual({ key: KEY_PLAIN, origin: 0 });
    expect(memory.lastWrite(pa(0x5fff))).toEqual({ key: KEY_PLAIN, origin: 4 });
    expect(read(memory, 0x6000, KEY_PLAIN, PAGE_SIZE)).toEqual(bytes(PAGE_SIZE, 2));
  });

  test('with a snapshot when plain lines are read under a key', () => {
    const { memory, page } = recorded();
    write(memory, 0x2000, KEY_PLAIN, 128);
    const frozen = memory.snapshot();
    expect(read(memory, 0x2000, KEY_HOST, 128)).not.toEqual(bytes(128));
    expect(page(2)).toBe(pageIn(frozen.pages, 2));
  });

  test('if lines fill a page one after the other: the state of its lines', () => {
    const { memory, page } = recorded();
    for (const start of [0x2000, 0x3000]) {
      for (let at = 0; at < PAGE_SIZE; at += 64) write(memory, start + at, KEY_HOST, 64, at);
    }
    expect(page(2)?.owner).toBe(page(3)?.owner);
    expect(page(2)?.bytes).not.toBe(page(3)?.bytes);
  });

  test.each([
    ['starts and ends within pages', 0x1f80, 0x3100, [[2, 5]]],
    ['is the whole range', 0x1000, 0x8000, [[1, 9]]],
    ['is the first page', 0x1000, 0x1000, [[1, 2]]],
    ['is the last page', 0x8000, 0x1000, [[8, 9]]],
    ['has no whole page', 0x1f80, 0x100, []],
    ['has less than a page', 0x1f80, 0x40, []],
    ['starts before the range', 0xfc0, 0x2040, []],
    ['ends after the range', 0x7000, 0x2040, []],
  ])('as one run, if a fill %s', (_what, address, length, expected) => {
    const { memory, runs } = recorded();
    memory.fillLines(pa(address), KEY_HOST, 0x5a, length);
    expect(runs()).toEqual(expected);
    const inside = Math.min(address + length, 0x9000) - Math.max(address, 0x1000);
    expect(memory.stateOf(pa(0), 0x1_0000)).toEqual({
      plain: 0,
      encrypted: inside,
      untouched: 0x1_0000 - inside,
    });
  });

  test('as one run, if a fill is in the second of two ranges', () => {
    const { memory, runs } = recorded(true, [
      { base: 0x1000, size: 0x1000 },
      { base: 0x4000, size: 0x4000 },
    ]);
    memory.fillLines(pa(0x5000), KEY_HOST, 0, 0x3000);
    expect(runs()).toEqual([[5, 8]]);
    memory.fillLines(pa(0x1000), KEY_HOST, 1, 0x4000);
    expect(memory.touched()).toEqual([1, 4, 5, 6, 7]);
  });

  test('as one run, if two fills with the same byte, key and origin adjoin', () => {
    const { memory, runs } = recorded();
    memory.fillLines(pa(0x2000), KEY_HOST, 0, 0x2000, 3);
    memory.fillLines(pa(0x4000), KEY_HOST, 0, 0x2000, 3);
    expect(runs()).toEqual([[2, 6]]);
    memory.fillLines(pa(0x6000), KEY_HOST, 0, 0x1000, 4);
    expect(runs()).toEqual([
      [2, 6],
      [6, 7],
    ]);
  });

  test('never in eager DRAM, nor while changes of keys are reported', () => {
    const [eager, reported] = [recorded(false), recorded()];
    reported.probes.keyChanged.listen(() => undefined);
    for (const { memory, runs } of [eager, reported]) {
      memory.fillLines(pa(0x2000), KEY_HOST, 0, 0x2000);
      expect(runs()).toEqual([]);
      for (const at of [0x4000, 0x5000]) write(memory, at, KEY_HOST, PAGE_SIZE);
      expect(memory.touched()).toEqual([2, 3, 4, 5]);
    }
    expect(eager.page(4)).not.toBe(eager.page(5));
    // Equal pages that follow one another are one object all the same.
    expect(reported.page(4)).toBe(reported.page(5));
  });
});
