/** The order of WBINVD's write-backs, where lines are dirty under several keys. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../../src/machine/address.js';
import { Cache } from '../../../src/machine/cache/cache.js';
import {
  WRITE_BACK_ORDERS,
  type WriteBackOrder,
} from '../../../src/machine/cache/write-back-order.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import { LINE, line, Memory, put, whole } from './logged-memory.js';

const GUEST = 2 as KeyId;
const WAYS = 4;
const SIZE = 64 * WAYS * LINE;

function made(order?: WriteBackOrder, seed = 'a'): { memory: Memory; cache: Cache } {
  const memory = new Memory();
  const writeBack = order === undefined ? {} : { writeBack: { order, seed } };
  return { memory, cache: new Cache({ store: memory, size: SIZE, ways: WAYS, ...writeBack }) };
}
/** Each line has an origin of its own, so that adjacent ones are not written at once. */
const dirty = (cache: Cache, at: number, key: KeyId, value: number, cpu = 0): void =>
  cache.write(cpu, line(at), key, MEMTYPE.WB, whole(value), 0, LINE, at);
/** The write-backs as `line key`, after lines were dirtied in descending order of address. */
function order(kind: WriteBackOrder | undefined, seed?: string, cpu: number | 'all' = 'all') {
  const { memory, cache } = made(kind, seed);
  for (const at of [9, 6, 4, 2]) dirty(cache, at, KEY_HOST, 1, at % 4 === 2 ? 1 : 0);
  for (const at of [6, 5, 2, 1]) dirty(cache, at, KEY_PLAIN, 1, at === 6 ? 1 : 0);
  dirty(cache, 2, GUEST, 1, 1);
  memory.log.length = 0;
  cache.wbinvd(cpu);
  return memory.log.map((entry) => entry.replace('back ', ''));
}

describe('the order in which WBINVD writes dirty lines back', () => {
  test('ascending: by address, at one address by key; also without a choice', () => {
    const expected = ['1 k0', '2 k0', '2 k1', '2 k2', '4 k1', '5 k0', '6 k0', '6 k1', '9 k1'];
    expect(order('ascending')).toEqual(expected);
    expect(order(undefined)).toEqual(expected);
  });

  test('c0-last: the lines of all keys, then the plaintext ones', () => {
    expect(order('c0-last')).toEqual([
      ...['2 k1', '2 k2', '4 k1', '6 k1', '9 k1'],
      ...['1 k0', '2 k0', '5 k0', '6 k0'],
    ]);
  });

  test('c0-last holds for the WBINVD of one CPU, which writes only its lines', () => {
    expect(order('c0-last', 'a', 1)).toEqual(['2 k1', '2 k2', '6 k1', '6 k0']);
    expect(order('c0-last', 'a', 0)).toEqual(['4 k1', '9 k1', '1 k0', '2 k0', '5 k0']);
  });

  test('seeded: a permutation that the seed gives', () => {
    const first = order('seeded', 'a');
    expect(order('seeded', 'a')).toEqual(first);
    expect([...first].sort()).toEqual([...order('ascending')].sort());
    const seeds = Array.from({ length: 16 }, (_, i) => order('seeded', String(i)).join());
    expect(new Set(seeds).size).toBe(16);
  });

  test('seeded has the same order after a restore of a snapshot', () => {
    const { memory, cache } = made('seeded');
    for (let at = 0; at < 32; at++) dirty(cache, at, at % 3 === 0 ? KEY_HOST : KEY_PLAIN, at);
    const snapshot = cache.snapshot();
    cache.wbinvd('all');
    const log = memory.log.splice(0);
    expect(log.length).toBeGreaterThan(16);
    cache.restore(snapshot);
    cache.wbinvd('all');
    expect(memory.log).toEqual(log);
  });

  test('does not change the write-backs of CLFLUSH and of evictions', () => {
    const logs = WRITE_BACK_ORDERS.map((kind) => {
      const { memory, cache } = made(kind);
      for (let at = 0; at < 1000; at++) {
        dirty(cache, at, KEY_PLAIN, 1);
        dirty(cache, at, KEY_HOST, 1);
      }
      cache.clflush(line(980), KEY_PLAIN, 8 * LINE);
      return memory.log;
    });
    expect(logs[0]?.length).toBeGreaterThan(1000);
    expect(logs[1]).toEqual(logs[0]);
    expect(logs[2]).toEqual(logs[0]);
  });
});

describe('a physical line that is dirty under two keys', () => {
  /** Whether the plaintext line is in memory after WBINVD, for each of `lines` lines that collide. */
  function plainWins(kind: WriteBackOrder | undefined, lines: number, coherent = false): boolean[] {
    const memory = new Memory();
    const writeBack = kind === undefined ? {} : { writeBack: { order: kind, seed: 'a' } };
    const cache = new Cache({ store: memory, size: SIZE, ways: WAYS, coherent, ...writeBack });
    for (let at = 0; at < lines; at++) {
      put(cache, at * LINE, 0x50, MEMTYPE.WB, KEY_PLAIN);
      put(cache, at * LINE, 0x60, MEMTYPE.WB, KEY_HOST);
    }
    cache.wbinvd('all');
    return Array.from({ length: lines }, (_, at) => memory.bytes[at * LINE] === 0x50);
  }

  test('is encrypted in memory by default, and plaintext with c0-last', () => {
    expect(plainWins(undefined, 64).some((plain) => plain)).toBe(false);
    expect(plainWins('ascending', 64).some((plain) => plain)).toBe(false);
    expect(plainWins('c0-last', 64).every((plain) => plain)).toBe(true);
  });

  test('is either with a seed, line by line', () => {
    const wins = plainWins('seeded', 64).filter((plain) => plain).length;
    expect(wins).toBeGreaterThan(16);
    expect(wins).toBeLessThan(48);
  });

  test('cannot be on a machine with coherence between keys: the order has no effect', () => {
    for (const kind of WRITE_BACK_ORDERS) {
      expect(plainWins(kind, 64, true).some((plain) => plain)).toBe(false);
    }
  });
});

test('every order writes each dirty line once and leaves the cache empty', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...WRITE_BACK_ORDERS),
      fc.string(),
      fc.uniqueArray(fc.record({ at: fc.nat(63), key: fc.constantFrom(0, 1, 2) }), {
        selector: ({ at, key }) => at * 4 + key,
      }),
      (kind, seed, lines) => {
        const { memory, cache } = made(kind, seed);
        for (const { at, key } of lines) dirty(cache, at, key as KeyId, at);
        memory.log.length = 0;
        cache.wbinvd('all');
        const expected = lines.map(({ at, key }) => `back ${at} k${key}`);
        expect(memory.log.sort()).toEqual(expected.sort());
        expect(cache.lines).toEqual({ valid: 0, dirty: 0 });
      },
    ),
  );
});

test('high addresses take part in the order of a seed', () => {
  const tops = [0, 2 ** 32, 2 ** 40, 2 ** 45];
  const orders = tops.map((top) => {
    const log: number[] = [];
    const memory = new Memory();
    memory.writeLines = (at) => void log.push(at - top);
    const writeBack = { order: 'seeded', seed: 'a' } as const;
    const cache = new Cache({ store: memory, size: SIZE, ways: WAYS, writeBack });
    for (let at = 0; at < 32; at++) {
      cache.write(0, pa(top + at * LINE), KEY_PLAIN, MEMTYPE.WB, whole(1), 0, LINE, 0);
    }
    cache.wbinvd('all');
    return log.join();
  });
  expect(new Set(orders).size).toBe(tops.length);
});
