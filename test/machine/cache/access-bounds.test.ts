/** What an access to the cache touches: its own lines and bytes, and none beside them. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../../src/machine/address.js';
import { Cache } from '../../../src/machine/cache/cache.js';
import { pciRequester } from '../../../src/machine/requester.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import { get, LINE, line, Memory, put, setup, whole } from './logged-memory.js';

const { UC, WT, WP, WB } = MEMTYPE;
const DEVICE = pciRequester(0x100);
const bytes = (length: number, seed = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff);

type Access = (cache: Cache, at: number, key: KeyId, data: Uint8Array) => void;
const ACCESSES: readonly (readonly [name: string, access: Access])[] = [
  ['WB read', (c, at, key, data) => c.read(0, pa(at), key, WB, data, 0, data.length, 99)],
  ['UC read', (c, at, key, data) => c.read(0, pa(at), key, UC, data, 0, data.length, 99)],
  ['WB write', (c, at, key, data) => c.write(0, pa(at), key, WB, data, 0, data.length, 99)],
  ['WT write', (c, at, key, data) => c.write(0, pa(at), key, WT, data, 0, data.length, 99)],
  ['WP write', (c, at, key, data) => c.write(0, pa(at), key, WP, data, 0, data.length, 99)],
  ['peek', (c, at, key, data) => c.peekCoherent(0, pa(at), key, data, 0, data.length)],
  [
    'device write',
    (c, at, key, data) => c.deviceWrite(DEVICE, pa(at), key, data, 0, data.length, 99),
  ],
  ['flush', (c, at, key, data) => c.clflush(pa(at), key, data.length)],
];

describe.each(ACCESSES)('a %s', (_name, access) => {
  // Whole lines, and to the last byte of a line from within it.
  test.each([
    [5 * LINE, LINE],
    [5 * LINE, 2 * LINE],
    [5 * LINE + 60, 4],
    [5 * LINE + 60, 4 + LINE],
  ])('leaves the lines before and after it as they are (%i, %i bytes)', (at, length) => {
    for (const coherent of [false, true]) {
      for (const key of [KEY_HOST, KEY_PLAIN]) {
        const { memory, cache } = setup(32 * LINE, 2, coherent);
        const end = Math.ceil((at + length) / LINE);
        const beside = [4, end];
        for (const n of beside) cache.write(0, line(n), KEY_HOST, WB, whole(n), 0, LINE, n);
        access(cache, at, key, bytes(length));
        for (const n of beside) {
          expect(cache.lastWrite(line(n))).toEqual({ key: KEY_HOST, origin: n });
          expect(memory.bytes.slice(n * LINE, (n + 1) * LINE)).toEqual(whole(0));
        }
      }
    }
  });

  test.each([false, true])('of a clean line writes nothing back (coherent: %p)', (coherent) => {
    for (const key of [KEY_HOST, KEY_PLAIN]) {
      const { memory, cache } = setup(8 * LINE, 2, coherent);
      get(cache, 5 * LINE, WB, KEY_HOST);
      memory.log.length = 0;
      access(cache, 5 * LINE, key, whole(1));
      expect(memory.log.filter((text) => text.startsWith('back'))).toEqual([]);
    }
  });
});

test.each([false, true])(
  'a write of a device to more bytes than the cache has drops the lines in them (coherent: %p)',
  (coherent) => {
    const { memory, cache } = setup(8 * LINE, 2, coherent);
    for (const n of [12, 3, 20]) put(cache, n * LINE, n, WB, KEY_HOST);
    put(cache, 5 * LINE, 5, WB, KEY_PLAIN);
    memory.log.length = 0;
    cache.deviceWrite(DEVICE, line(3), KEY_HOST, bytes(17 * LINE), 0, 17 * LINE, 0);
    const backs = coherent ? ['back 3 k1', 'back 5 k0', 'back 12 k1'] : ['back 3 k1', 'back 12 k1'];
    expect(memory.log).toEqual([...backs, `write ${3 * LINE} k1`]);
    expect(cache.lastWrite(line(20))).toBeDefined();
    expect(cache.lastWrite(line(5)) === undefined).toBe(coherent);
  },
);

describe('a read or peek of some bytes', () => {
  // Lines 3 and 5 are cached under the key, line 4 under another one.
  test.each([
    ['within a cached line', 3 * LINE + 5, 9],
    ['of a whole cached line', 5 * LINE, LINE],
    ['to the end of a cached line', 3 * LINE + 50, 14],
    ['within a line that is not cached', 4 * LINE + 5, 9],
    ['from a cached line into one that is not', 3 * LINE + 60, 20],
    ['into a cached line from one that is not', 4 * LINE + 60, 20],
    ['of cached lines and of those between and beside them', 2 * LINE + 9, 5 * LINE],
  ])('%s gets these and leaves the buffer around them', (_what, at, length) => {
    for (const peek of [true, false]) {
      const { memory, cache } = setup(32 * LINE, 4);
      memory.bytes.set(bytes(8 * LINE));
      const seen = bytes(8 * LINE).map((byte) => byte ^ KEY_HOST);
      for (const n of [3, 5]) {
        cache.write(0, line(n), KEY_HOST, WB, bytes(LINE, n * 11), 0, LINE, 0);
        seen.set(bytes(LINE, n * 11), n * LINE);
      }
      put(cache, 4 * LINE + 7, 0xaa, WB, KEY_PLAIN);
      const out = new Uint8Array(length + 100).fill(0xee);
      if (peek) cache.peekCoherent(0, pa(at), KEY_HOST, out, 50, length);
      else cache.read(0, pa(at), KEY_HOST, WB, out, 50, length, 0);
      const expected = new Uint8Array(length + 100).fill(0xee);
      expected.set(seen.subarray(at, at + length), 50);
      expect(out).toEqual(expected);
    }
  });

  test('of several lines leaves each of them in the cache with its bytes', () => {
    const { memory, cache } = setup(16 * LINE, 4);
    memory.bytes.set(bytes(8 * LINE));
    cache.read(0, pa(8), KEY_HOST, WB, new Uint8Array(4 * LINE), 0, 4 * LINE, 0);
    memory.log.length = 0;
    for (let n = 0; n < 5; n++) {
      const out = whole(0);
      cache.read(0, line(n), KEY_HOST, WB, out, 0, LINE, 0);
      expect(out).toEqual(bytes(LINE, n * LINE * 7).map((byte) => byte ^ KEY_HOST));
    }
    expect(memory.log).toEqual([]);
  });

  test('of a device reads adjacent lines that are not cached at once, and none that is', () => {
    const { memory, cache } = setup(32 * LINE, 4);
    put(cache, 3 * LINE, 1, WB);
    put(cache, 6 * LINE, 1, WB);
    const spans: [number, number][] = [];
    memory.read = (at, _key, _out, offset, length): void => {
      expect(offset).toBe(10 + at - 70);
      spans.push([at, length]);
    };
    cache.peekCoherent(DEVICE, pa(70), KEY_PLAIN, new Uint8Array(1000), 10, 7 * LINE - 70);
    cache.peekCoherent(DEVICE, pa(70), KEY_PLAIN, new Uint8Array(1000), 10, 3 * LINE - 70);
    expect(spans).toEqual([
      [70, 3 * LINE - 70],
      [4 * LINE, 2 * LINE],
      [70, 3 * LINE - 70],
    ]);
  });
});

test.each([1, 4, 8, 15, 16, 17, 40])(
  'a WB write of %i bytes from one line into the next',
  (length) => {
    for (const before of [1, length >> 1, length - 1, length]) {
      // One way: the bytes of adjacent lines are adjacent in the cache.
      const { cache } = setup(32 * LINE, 1);
      const at = 4 * LINE - before;
      cache.write(0, line(2), KEY_HOST, WB, bytes(4 * LINE), 0, 4 * LINE, 0);
      cache.write(0, pa(at), KEY_HOST, WB, bytes(100, 5), 30, length, 0);
      const expected = bytes(4 * LINE);
      expected.set(bytes(100, 5).subarray(30, 30 + length), at - 2 * LINE);
      const out = new Uint8Array(4 * LINE);
      cache.read(0, line(2), KEY_HOST, WB, out, 0, 4 * LINE, 0);
      expect(out).toEqual(expected);
    }
  },
);

describe('a WT write', () => {
  test('updates the bytes that are cached, from line to line, and is their last write', () => {
    // One way: the bytes of adjacent lines are adjacent in the cache.
    const { memory, cache } = setup(32 * LINE, 1);
    for (const n of [3, 5, 6]) cache.write(0, line(n), KEY_HOST, WB, whole(n), 0, LINE, n);
    cache.write(0, pa(3 * LINE + 60), KEY_HOST, WT, bytes(200), 11, 2 * LINE + 4, 9);
    const expected = new Uint8Array(4 * LINE);
    for (const n of [3, 5, 6]) expected.fill(n, (n - 3) * LINE, (n - 2) * LINE);
    expected.set(bytes(200).subarray(11, 11 + 2 * LINE + 4), 60);
    const found = new Uint8Array(4 * LINE);
    memory.log.length = 0;
    cache.read(0, line(3), KEY_HOST, WB, found, 0, 4 * LINE, 0);
    expect(memory.log).toEqual(['fill 4 k1']);
    expect(found).toEqual(expected);
    expect([3, 5, 6].map((n) => cache.lastWrite(line(n))?.origin)).toEqual([9, 9, 6]);
  });

  test('leaves the line of another key, unless coherent: then that line is written back first', () => {
    for (const coherent of [false, true]) {
      const { memory, cache } = setup(8 * LINE, 2, coherent);
      put(cache, 3 * LINE, 1, WB, KEY_PLAIN);
      memory.log.length = 0;
      put(cache, 3 * LINE + 1, 3, WT, KEY_HOST);
      const write = `write ${3 * LINE + 1} k1`;
      expect(memory.log).toEqual(coherent ? ['back 3 k0', write] : [write]);
      expect(cache.lines.valid).toBe(coherent ? 0 : 1);
    }
  });
});

test('a line is cached under two keys at once unless HwEnfCacheCoh is given', () => {
  const cache = new Cache({ store: new Memory(), size: 8 * LINE, ways: 2 });
  get(cache, 0, WB, KEY_HOST);
  get(cache, 0, WB, KEY_PLAIN);
  expect(cache.lines.valid).toBe(2);
});

test('a view of the cache equals a snapshot, and changes with the cache', () => {
  const { cache } = setup();
  for (const n of [1, 2, 6]) cache.write(0, line(n), KEY_HOST, WB, whole(n), 0, LINE, n);
  const view = cache.view();
  const snapshot = cache.snapshot();
  expect(view).toEqual(snapshot);
  expect(view.data).toHaveLength(8 * LINE);
  cache.write(0, line(1), KEY_HOST, WB, whole(9), 0, LINE, 1);
  expect(view.data).not.toEqual(snapshot.data);
});
