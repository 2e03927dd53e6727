/** The cache in front of a memory model that logs the accesses that reach it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../../src/machine/address.js';
import { Cache } from '../../../src/machine/cache/cache.js';
import { Probes } from '../../../src/machine/probes.js';
import type { LineStore } from '../../../src/machine/memory/line-store.js';
import { pciRequester, REQUESTER_CACHE, type Requester } from '../../../src/machine/requester.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import { get, LINE, line, Memory, put, setup, whole } from './logged-memory.js';

describe('a cache access by memory type (APM table 7-3)', () => {
  const { UC, WC, WT, WP, WB } = MEMTYPE;

  test.each([
    ['UC', UC, ['read 0 k0', 'read 0 k0'], ['write 0 k0']],
    ['WC', WC, ['read 0 k0', 'read 0 k0'], ['write 0 k0']],
    ['WP', WP, ['fill 0 k0'], ['write 0 k0']],
    ['WT', WT, ['fill 0 k0'], ['write 0 k0']],
    ['WB', WB, ['fill 0 k0'], ['fill 0 k0']],
  ])('%s', (_name, type, reads, writes) => {
    const reading = setup();
    get(reading.cache, 0, type);
    get(reading.cache, 0, type);
    expect(reading.memory.log).toEqual(reads);
    const writing = setup();
    put(writing.cache, 0, 7, type);
    expect(writing.memory.log).toEqual(writes);
    expect(get(writing.cache, 0, type)).toBe(7);
  });

  test('a WT write updates a cached line, a WP write invalidates it', () => {
    for (const [type, again] of [
      [WT, []],
      [WP, ['fill 0 k0']],
    ] as const) {
      const { memory, cache } = setup();
      get(cache, 0, type);
      put(cache, 0, 9, type);
      memory.log.length = 0;
      expect(get(cache, 0, type)).toBe(9);
      expect(memory.log).toEqual(again);
      expect(memory.bytes[0]).toBe(9);
    }
  });

  test('a WB write of a whole line does not read memory, and a WP one writes a dirty line back first', () => {
    const { memory, cache } = setup();
    cache.write(0, line(0), KEY_PLAIN, WB, whole(3), 0, LINE, 0);
    expect(memory.log).toEqual([]);
    expect(cache.lines).toEqual({ valid: 1, dirty: 1 });
    put(cache, 1, 4, WP);
    expect(memory.log).toEqual(['back 0 k0', 'write 1 k0']);
    expect([...memory.bytes.subarray(0, 3)]).toEqual([3, 4, 3]);
    expect(cache.lines).toEqual({ valid: 0, dirty: 0 });
  });

  test('without a cache each access goes to memory', () => {
    const { memory, cache } = setup(0, 0);
    put(cache, 5, 1, WB);
    get(cache, 5, WB);
    cache.wbinvd('all');
    expect(memory.log).toEqual(['write 5 k0', 'read 5 k0']);
  });
});

describe('cache replacement', () => {
  // Our choice: LRU counts each hit as a use, of whatever memory type.
  test.each<[string, (cache: Cache) => void]>([
    ['WB read', (cache) => void get(cache, 0, MEMTYPE.WB)],
    ['WT read', (cache) => void get(cache, 0, MEMTYPE.WT)],
    ['WP read', (cache) => void get(cache, 0, MEMTYPE.WP)],
    ['WB write', (cache) => put(cache, 0, 1, MEMTYPE.WB)],
    ['WT write', (cache) => put(cache, 0, 1, MEMTYPE.WT)],
    [
      'WB read of two lines',
      (cache) => cache.read(0, pa(32), KEY_PLAIN, MEMTYPE.WB, new Uint8Array(64), 0, 64, 0),
    ],
  ])('counts a %s as a use of the line', (_what, use) => {
    const { memory, cache } = setup(); // 4 sets of 2: lines 0, 4, 8 share one.
    get(cache, 0, MEMTYPE.WB);
    get(cache, 4 * LINE, MEMTYPE.WB);
    use(cache);
    get(cache, 8 * LINE, MEMTYPE.WB); // evicts 4, the line not used since
    memory.log.length = 0;
    get(cache, 0, MEMTYPE.WB);
    expect(memory.log).toEqual([]);
    get(cache, 4 * LINE, MEMTYPE.WB);
    expect(memory.log).toContain('fill 4 k0');
  });

  test.each<[string, (cache: Cache) => void]>([
    ['a table walk', (c) => c.peekCoherent(0, pa(0), KEY_PLAIN, new Uint8Array(8), 0, 8)],
    ['a WT write that finds no line', (c) => put(c, 0, 1, MEMTYPE.WT, KEY_HOST)],
  ])('does not count %s', (_what, access) => {
    const { memory, cache } = setup();
    get(cache, 0, MEMTYPE.WB);
    get(cache, 4 * LINE, MEMTYPE.WB);
    access(cache);
    get(cache, 8 * LINE, MEMTYPE.WB); // evicts 0
    memory.log.length = 0;
    get(cache, 4 * LINE, MEMTYPE.WB);
    expect(memory.log).toEqual([]);
  });

  test('evicts the least recently used line of the set, a dirty one with a write-back', () => {
    const { memory, cache } = setup(); // 4 sets of 2: lines 0, 4, 8 share one.
    put(cache, 0, 1, MEMTYPE.WB);
    get(cache, 4 * LINE, MEMTYPE.WB);
    get(cache, 0, MEMTYPE.WB);
    memory.log.length = 0;
    get(cache, 8 * LINE, MEMTYPE.WB); // evicts 4, which is clean
    expect(memory.log).toEqual(['fill 8 k0']);
    get(cache, 4 * LINE, MEMTYPE.WB); // evicts 0, which is dirty
    expect(memory.log).toEqual(['fill 8 k0', 'back 0 k0', 'fill 4 k0']);
  });

  test('a read longer than the cache replaces all its lines', () => {
    const { memory, cache } = setup();
    memory.bytes.forEach((_, i) => (memory.bytes[i] = i & 0xff));
    const out = new Uint8Array(4096);
    cache.read(0, pa(0), KEY_PLAIN, MEMTYPE.WB, out, 0, 4096, 0);
    expect(out).toEqual(memory.bytes.slice(0, 4096));
    expect(cache.lines.valid).toBe(8);
  });

  test.each([
    [100, 2],
    [192, 1],
    [512, 3],
    [512, 0],
    [-128, -2],
    [64, 2],
    [96, 1.5],
  ])('%p bytes in %p ways is refused', (size, ways) => {
    expect(() => setup(size, ways)).toThrow(
      'E_CACHE_GEOMETRY: machine.cache: the number of sets is not a power of two; ' +
        `expected a size of 64 bytes × ways × 2^n, or 0, found ${size} bytes in ${ways} ways`,
    );
  });

  test.each([
    [128, 2],
    [64, 1],
    [4096, 64],
  ])('%i bytes in %i ways may be one set', (size, ways) => {
    const { cache } = setup(size, ways);
    for (let n = 0; n < 2 * ways; n++) get(cache, n * LINE, MEMTYPE.WB);
    expect(cache.lines).toEqual({ valid: ways, dirty: 0 });
  });
});

describe('cache lines of one address under two keys (APM 7.10.6)', () => {
  test('are cached at once; WBINVD writes them back by ascending key', () => {
    const { memory, cache } = setup();
    put(cache, 0, 0x11, MEMTYPE.WB, KEY_HOST);
    put(cache, 0, 0x22, MEMTYPE.WB, KEY_PLAIN);
    expect(cache.lines.valid).toBe(2);
    memory.log.length = 0;
    cache.wbinvd('all');
    expect(memory.log).toEqual(['back 0 k0', `back 0 k${KEY_HOST}`]);
  });

  test('evict each other with HwEnfCacheCoh', () => {
    const { memory, cache } = setup(8 * LINE, 2, true);
    put(cache, 0, 0x11, MEMTYPE.WB, KEY_HOST);
    get(cache, 0, MEMTYPE.WB, KEY_PLAIN);
    expect(cache.lines.valid).toBe(1);
    expect(memory.log).toEqual([`fill 0 k${KEY_HOST}`, `back 0 k${KEY_HOST}`, 'fill 0 k0']);
  });

  test('CLFLUSH flushes the line of its key only', () => {
    const { memory, cache } = setup();
    put(cache, 0, 1, MEMTYPE.WB, KEY_HOST);
    put(cache, 0, 2, MEMTYPE.WB, KEY_PLAIN);
    memory.log.length = 0;
    cache.clflush(pa(5), KEY_HOST);
    expect(memory.log).toEqual([`back 0 k${KEY_HOST}`]);
    expect(cache.lines.valid).toBe(1);
  });

  test.each([false, true])('a table walker reads lines of its key (coherent: %s)', (coherent) => {
    const { memory, cache } = setup(8 * LINE, 2, coherent);
    put(cache, 60, 5, MEMTYPE.WB, KEY_HOST);
    put(cache, 64, 6, MEMTYPE.WB, KEY_HOST);
    const out = new Uint8Array(8);
    cache.peekCoherent(0, pa(60), KEY_HOST, out, 0, 8);
    expect([out[0], out[4]]).toEqual([5, 6]);
    cache.peekCoherent(0, pa(60), KEY_PLAIN, out, 0, 8);
    // Another key's view: stale memory, unless the hardware wrote the line back.
    expect(out[0]).toBe(coherent ? 5 ^ KEY_HOST : 0);
    expect(memory.bytes[60]).toBe(coherent ? 5 ^ KEY_HOST : 0);
  });
});

test("WBINVD of one CPU does not flush other CPUs' lines", () => {
  const { memory, cache } = setup();
  put(cache, 0, 1, MEMTYPE.WB, KEY_PLAIN, 0);
  put(cache, 64, 2, MEMTYPE.WB, KEY_PLAIN, 1);
  memory.log.length = 0;
  cache.wbinvd(1);
  expect(memory.log).toEqual(['back 1 k0']);
  expect(cache.lines).toEqual({ valid: 1, dirty: 1 });
});

test('Cache.deviceWrite invalidates lines of its key before it writes memory', () => {
  const { memory, cache } = setup();
  put(cache, 0, 1, MEMTYPE.WB);
  memory.log.length = 0;
  cache.deviceWrite(pciRequester(0x100), pa(1), KEY_PLAIN, Uint8Array.of(8), 0, 1, 0);
  expect(memory.log).toEqual(['back 0 k0', 'write 1 k0']);
  expect([get(cache, 0, MEMTYPE.WB), get(cache, 1, MEMTYPE.WB)]).toEqual([1, 8]);
});

describe('the requester that the cache passes to memory', () => {
  /** The accesses that reach memory, and their requesters. */
  function reported(access: (cache: Cache) => void): [string, Requester][] {
    const log: [string, Requester][] = [];
    const store: LineStore = {
      readLines: (_at, _key, _out, _offset, _length, requester) => log.push(['fill', requester]),
      writeLines: (_at, _key, _data, _offset, _length, _origin, requester) =>
        log.push(['back', requester]),
      fillLines: (_at, _key, _byte, _length, _origin, requester) => log.push(['run', requester]),
      read: (_at, _key, _out, _offset, _length, requester) => log.push(['read', requester]),
      write: (_at, _key, _data, _offset, _length, _origin, requester) =>
        log.push(['write', requester]),
    };
    const cache = new Cache({ store, size: 8 * LINE, ways: 2 });
    put(cache, 0, 1, MEMTYPE.WB, KEY_PLAIN, 1);
    log.length = 0;
    access(cache);
    return log;
  }
  const { UC, WT, WP, WB } = MEMTYPE;
  const out = new Uint8Array(LINE);
  const pci = pciRequester(0x100);

  test.each<[string, (cache: Cache) => void, [string, Requester][]]>([
    ['a UC read', (c) => c.read(2, line(9), KEY_PLAIN, UC, out, 0, 4, 0), [['read', 2]]],
    ['a WB read', (c) => c.read(2, line(9), KEY_PLAIN, WB, out, 0, 4, 0), [['fill', 2]]],
    [
      'a WB read of two lines',
      (c) => c.read(2, pa(9 * LINE + 32), KEY_PLAIN, WB, out, 0, 64, 0),
      [['fill', 2]],
    ],
    ['a WB write of a part of a line', (c) => put(c, 9 * LINE, 1, WB, KEY_PLAIN, 2), [['fill', 2]]],
    ['a UC write', (c) => put(c, 9 * LINE, 1, UC, KEY_PLAIN, 2), [['write', 2]]],
    ['a WT write', (c) => put(c, 9 * LINE, 1, WT, KEY_PLAIN, 2), [['write', 2]]],
    [
      'a WP write of a dirty line',
      (c) => put(c, 0, 1, WP, KEY_PLAIN, 2),
      [
        ['back', REQUESTER_CACHE],
        ['write', 2],
      ],
    ],
    ['a table walk', (c) => c.peekCoherent(2, line(9), KEY_PLAIN, out, 0, 8), [['read', 2]]],
    ['a long walk', (c) => c.peekCoherent(2, line(1), KEY_PLAIN, out, 0, LINE), [['read', 2]]],
    [
      'a read that begins before a line of the cache and ends after it',
      (c) => c.peekCoherent(pci, pa(0), KEY_PLAIN, new Uint8Array(3 * LINE), 0, 3 * LINE),
      [['read', pci]],
    ],
    [
      'a write of a device',
      (c) => c.deviceWrite(pci, pa(0), KEY_PLAIN, out, 0, 1, 0),
      [
        ['back', REQUESTER_CACHE],
        ['write', pci],
      ],
    ],
    ['WBINVD', (c) => c.wbinvd('all'), [['back', REQUESTER_CACHE]]],
    [
      'a long fill',
      (c) => c.fillRun(2, line(16), KEY_PLAIN, 1, c.longFill, 0),
      [
        ['back', REQUESTER_CACHE],
        ['run', REQUESTER_CACHE],
      ],
    ],
  ])('%s', (_name, access, expected) => {
    expect(reported(access)).toEqual(expected);
  });
});

test('the probe points report fills, overwritten lines, and write-backs of a run as one', () => {
  const { cache, probes } = setup();
  const reported: string[] = [];
  probes.filled.listen((at, _key, length, overwritten) =>
    reported.push(`${overwritten ? 'over' : 'fill'} ${at} ${length}`),
  );
  probes.writtenBack.listen((at, _key, length) => reported.push(`back ${at} ${length}`));
  cache.write(0, pa(0), KEY_PLAIN, MEMTYPE.WB, new Uint8Array(200), 0, 200, 0);
  cache.wbinvd('all');
  expect(reported).toEqual(['fill 192 64', 'over 0 192', 'back 0 256']);
});

test('the probe points report what memory was read for, with the origin of the access', () => {
  const { cache, probes } = setup(64 * LINE);
  const reported: string[] = [];
  probes.filled.listen((at, key, length, overwritten, origin) =>
    reported.push(`${at / LINE}+${length / LINE} k${key} ${overwritten} o${origin}`),
  );
  const out = new Uint8Array(4 * LINE);
  cache.read(0, line(1), KEY_HOST, MEMTYPE.WB, out, 0, 8, 1);
  cache.read(0, pa(8), KEY_HOST, MEMTYPE.WB, out, 0, 3 * LINE, 2);
  cache.write(0, line(9), KEY_HOST, MEMTYPE.WB, out, 0, 8, 3);
  cache.write(0, pa(19 * LINE + 60), KEY_HOST, MEMTYPE.WB, out, 0, LINE + 8, 4);
  cache.peekCoherent(0, line(40), KEY_HOST, out, 0, LINE);
  // Line 1 is cached already; line 20 of the last write is overwritten whole, lines 19 and 21 in part.
  expect(reported).toEqual([
    ...['1+1 k1 false o1', '0+1 k1 false o2', '2+2 k1 false o2', '9+1 k1 false o3'],
    ...['19+1 k1 false o4', '21+1 k1 false o4', '20+1 k1 true o4'],
  ]);
});

test('the last write to a line is told with its key and origin, the newest of several', () => {
  const { cache } = setup();
  expect(cache.lastWrite(pa(5))).toBeUndefined();
  get(cache, 0, MEMTYPE.WB);
  expect(cache.lastWrite(pa(5))).toBeUndefined();
  cache.write(0, pa(0), KEY_HOST, MEMTYPE.WB, Uint8Array.of(1), 0, 1, 7);
  cache.write(0, pa(3), KEY_PLAIN, MEMTYPE.WB, Uint8Array.of(1), 0, 1, 8);
  get(cache, 0, MEMTYPE.WB, KEY_HOST);
  expect(cache.lastWrite(pa(63))).toEqual({ key: KEY_PLAIN, origin: 8 });
  cache.write(0, pa(0), KEY_HOST, MEMTYPE.WB, Uint8Array.of(1), 0, 1, 9);
  expect(cache.lastWrite(pa(63))).toEqual({ key: KEY_HOST, origin: 9 });
});

describe('write-backs of one flush', () => {
  /** Writes a whole line for each origin, from line `first` on, and flushes; `back address length key origin` each. */
  function flushed(first: number, lines: readonly (readonly [KeyId, origin: number])[]): string[] {
    const log: string[] = [];
    const memory: LineStore = Object.assign(new Memory(), {
      writeLines: ((at, key, _data, _offset, length, origin) => {
        log.push(`${at / LINE}+${length / LINE} k${key} o${origin}`);
      }) satisfies LineStore['writeLines'],
    });
    const probes = new Probes();
    const cache = new Cache({ store: memory, size: 256 * LINE, ways: 2, probes });
    const reported: string[] = [];
    probes.writtenBack.listen((at, key, length, origin) =>
      reported.push(`${at / LINE}+${length / LINE} k${key} o${origin}`),
    );
    lines.forEach(([key, origin], i) =>
      cache.write(0, line(first + i), key, MEMTYPE.WB, whole(i), 0, LINE, origin),
    );
    cache.wbinvd('all');
    expect(reported).toEqual(log);
    return log;
  }

  // Who wrote a line is told by the line's origin: lines of two writers are not one write.
  test('are one write for adjacent lines of one key and origin only', () => {
    const [p, h] = [KEY_PLAIN, KEY_HOST];
    expect(
      flushed(3, [
        [p, 5],
        [p, 5],
        [p, 6],
        [h, 6],
        [h, 6],
        [h, 5],
      ]),
    ).toEqual([...['3+2 k0 o5', '5+1 k0 o6', `6+2 k${h} o6`, `8+1 k${h} o5`]]);
  });

  test('are not longer than a page', () => {
    const lines = Array.from({ length: 130 }, () => [KEY_HOST, 7] as const);
    expect(flushed(64, lines)).toEqual(['64+64 k1 o7', '128+64 k1 o7', '192+2 k1 o7']);
  });

  test('carry each line’s bytes', () => {
    const { memory, cache } = setup();
    for (let n = 0; n < 8; n++)
      cache.write(0, line(n), KEY_PLAIN, MEMTYPE.WB, whole(n + 1), 0, LINE, n >> 1);
    cache.wbinvd('all');
    for (let n = 0; n < 8; n++)
      expect(memory.bytes.slice(n * LINE, (n + 1) * LINE)).toEqual(whole(n + 1));
  });
});

test('Cache.restore restores the bytes of every line, and a snapshot does not change', () => {
  const { cache } = setup();
  for (let n = 0; n < 8; n++)
    cache.write(0, line(n), KEY_PLAIN, MEMTYPE.WB, whole(n + 1), 0, LINE, n);
  const snapshot = cache.snapshot();
  cache.write(0, line(7), KEY_PLAIN, MEMTYPE.WB, whole(99), 0, LINE, 99);
  const other = setup().cache;
  other.restore(snapshot);
  for (let n = 0; n < 8; n++) {
    const out = whole(0);
    other.read(0, line(n), KEY_PLAIN, MEMTYPE.WB, out, 0, LINE, 0);
    expect(out).toEqual(whole(n + 1));
    expect(other.lastWrite(line(n))).toEqual({ key: KEY_PLAIN, origin: n });
  }
  expect(other.lines).toEqual({ valid: 8, dirty: 8 });
});

test('Cache.restore restores lines, dirty state and order of use', () => {
  const { memory, cache } = setup();
  put(cache, 0, 1, MEMTYPE.WB);
  get(cache, 4 * LINE, MEMTYPE.WB);
  const snapshot = cache.snapshot();
  const other = setup();
  other.memory.bytes.set(memory.bytes);
  other.cache.restore(snapshot);
  for (const it of [{ memory, cache }, other]) {
    it.memory.log.length = 0;
    get(it.cache, 8 * LINE, MEMTYPE.WB);
    expect(it.memory.log).toEqual(['back 0 k0', 'fill 8 k0']);
  }
});

test('reads under one key return the last write, for all memory types and sizes', () => {
  const types = [MEMTYPE.UC, MEMTYPE.WC, MEMTYPE.WT, MEMTYPE.WP, MEMTYPE.WB];
  const op = fc.record({
    at: fc.nat(8 * 1024),
    len: fc.integer({ min: 1, max: 400 }),
    type: fc.constantFrom(...types),
    value: fc.option(fc.nat(255), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(op, { maxLength: 60 }), fc.boolean(), (ops, coherent) => {
      const { cache, memory } = setup(16 * LINE, 4, coherent);
      const truth = new Uint8Array(16 * 1024);
      for (const { at, len: requested, type, value } of ops) {
        const len = Math.min(requested, 4096 - (at % 4096));
        if (value === undefined) {
          const out = new Uint8Array(len);
          cache.read(0, pa(at), KEY_PLAIN, type, out, 0, len, 0);
          expect(out).toEqual(truth.slice(at, at + len));
        } else {
          truth.fill(value, at, at + len);
          cache.write(0, pa(at), KEY_PLAIN, type, truth.slice(at, at + len), 0, len, 0);
        }
      }
      cache.wbinvd('all');
      expect(memory.bytes.slice(0, truth.length)).toEqual(truth);
    }),
    { numRuns: 30 },
  );
});
