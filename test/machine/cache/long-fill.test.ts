/** A fill longer than the cache: at once it has the effect of writes of its lines, which stay one run until an access. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../../src/machine/address.js';
import { pciRequester } from '../../../src/machine/requester.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import { sha256 } from '../../sha256.js';
import { LINE, put, setup, whole } from './logged-memory.js';

describe('a fill longer than the cache', () => {
  const FILL_AT = 16 * LINE;
  /** Contents of memory and the view of each reader after a fill, made by single lines or at once. */
  const outcome = (
    before: readonly (readonly [line: number, key: KeyId, cpu: number])[],
    coherent: boolean,
    lines: number,
    atOnce: boolean,
  ): unknown => {
    const { memory, cache } = setup(8 * LINE, 2, coherent);
    before.forEach(([n, key, cpu], index) =>
      put(cache, n * LINE + 3, index + 1, MEMTYPE.WB, key, cpu),
    );
    if (atOnce) cache.fillRun(1, pa(FILL_AT), KEY_HOST, 0x5a, lines * LINE, 0);
    else
      for (let n = 0; n < lines; n++)
        cache.write(1, pa(FILL_AT + n * LINE), KEY_HOST, MEMTYPE.WB, whole(0x5a), 0, LINE, 0);
    const left = sha256(memory.bytes);
    const seen = [KEY_PLAIN, KEY_HOST].map((key) => {
      const out = new Uint8Array(128 * LINE);
      cache.peekCoherent(0, pa(0), key, out, 0, out.length);
      return sha256(out);
    });
    const dirty = cache.lines;
    cache.wbinvd(0);
    const others = sha256(memory.bytes);
    cache.wbinvd('all');
    return { left, seen, dirty, others, end: sha256(memory.bytes) };
  };

  test('has the same effect on cache and memory as writes of single lines', () => {
    const old = fc.tuple(
      fc.integer({ min: 0, max: 120 }),
      fc.constantFrom(KEY_PLAIN, KEY_HOST),
      fc.constantFrom(0, 1),
    );
    fc.assert(
      fc.property(
        fc.array(old, { maxLength: 30 }),
        fc.boolean(),
        fc.integer({ min: 16, max: 90 }),
        (before, coherent, lines) => {
          expect(outcome(before, coherent, lines, true)).toEqual(
            outcome(before, coherent, lines, false),
          );
        },
      ),
    );
  });

  type What = 'fill' | 'write' | 'read' | 'peek' | 'flush' | 'empty' | 'device';
  type Then = readonly [what: What, line: number, KeyId];
  /** The bytes read by some accesses, and the contents of cache and memory after them; long fills at once or by lines. */
  const history = (steps: readonly Then[], coherent: boolean, atOnce: boolean): string[] => {
    const { memory, cache } = setup(8 * LINE, 2, coherent);
    const results = steps.map(([what, line, key], i) => {
      const at = pa(line * LINE);
      const lines = 16 + (i % 5);
      const out = whole(0);
      if (what === 'fill' && atOnce) cache.fillRun(0, at, key, i + 1, lines * LINE, 0);
      else if (what === 'fill') {
        for (let n = 0; n < lines; n++)
          cache.write(0, pa(at + n * LINE), key, MEMTYPE.WB, whole(i + 1), 0, LINE, 0);
      } else if (what === 'write') put(cache, at + 3, i + 1, MEMTYPE.WB, key);
      else if (what === 'read') cache.read(0, at, key, MEMTYPE.WB, out, 0, LINE, 0);
      else if (what === 'peek') cache.peekCoherent(0, pa(at + 5), key, out, 0, LINE - 9);
      else if (what === 'flush') cache.clflush(pa(at + 7), key);
      else if (what === 'device')
        cache.deviceWrite(pciRequester(0x100), pa(at + 9), key, whole(i + 1), 0, 3, 0);
      else cache.wbinvd('all');
      return sha256(out);
    });
    const end = (): string => {
      const views = [KEY_PLAIN, KEY_HOST].map((under) => {
        const out = new Uint8Array(128 * LINE);
        cache.peekCoherent(0, pa(0), under, out, 0, out.length);
        return sha256(out);
      });
      return [sha256(memory.bytes), ...views, JSON.stringify(cache.lines)].join(' ');
    };
    const left = end();
    cache.wbinvd('all');
    return [...results, left, end()];
  };

  test('has the same effect as single lines after another long fill, with or without accesses between them', () => {
    const then = fc.tuple(
      fc.constantFrom<What>('fill', 'fill', 'write', 'read', 'peek', 'flush', 'empty', 'device'),
      fc.integer({ min: 0, max: 100 }),
      fc.constantFrom(KEY_PLAIN, KEY_HOST),
    );
    fc.assert(
      fc.property(fc.array(then, { maxLength: 12 }), fc.boolean(), (steps, coherent) => {
        expect(history(steps, coherent, true)).toEqual(history(steps, coherent, false));
      }),
      { numRuns: 300 },
    );
  });

  // After a fill of lines 0 to 15 the cache has lines 8 to 15.
  test.each([7, 8, 15, 16])(
    'leaves its last lines in the cache, checked from line %i on',
    (line) => {
      for (const what of ['write', 'read', 'peek', 'flush', 'device'] as const) {
        const steps: Then[] = [
          ['fill', 0, KEY_HOST],
          [what, line, KEY_HOST],
          ['peek', line, KEY_HOST],
        ];
        expect(history(steps, false, true)).toEqual(history(steps, false, false));
      }
    },
  );

  test('directly after another one writes back the lines of the first as one run', () => {
    const { memory, cache } = setup(8 * LINE);
    const chunks: number[] = [];
    memory.fillLines = (_at, _key, _byte, length): void => void chunks.push(length / LINE);
    cache.fillRun(0, pa(0), KEY_HOST, 1, 16 * LINE, 0);
    cache.fillRun(0, pa(16 * LINE), KEY_HOST, 2, 16 * LINE, 0);
    cache.clflush(pa(31 * LINE), KEY_HOST);
    cache.fillRun(0, pa(32 * LINE), KEY_HOST, 3, 16 * LINE, 0);
    expect(chunks).toEqual([8, 8, 8, 8]);
    cache.restore(cache.snapshot());
    cache.fillRun(0, pa(48 * LINE), KEY_HOST, 4, 16 * LINE, 0);
    expect(chunks).toEqual([8, 8, 8, 8, 8]);
  });

  test('leaves no line that was cached before', () => {
    const { memory, cache } = setup(8 * LINE);
    put(cache, 40 * LINE, 7, MEMTYPE.WB);
    cache.fillRun(0, pa(0), KEY_HOST, 1, 16 * LINE, 0);
    memory.bytes[40 * LINE] = 9;
    const out = new Uint8Array(1);
    cache.peekCoherent(0, pa(40 * LINE), KEY_PLAIN, out, 0, 1);
    expect(out[0]).toBe(9);
  });

  // The cache has lines 8 to 15 then: bytes 0x200 to 0x3ff.
  test.each([
    ['peek', 0x1f0, 16, true],
    ['peek', 0x1f0, 17, false],
    ['peek', 0x3ff, 1, false],
    ['peek', 0x400, 64, true],
    ['device', 0x1c1, 63, true],
    ['device', 0x1c1, 64, false],
    ['device', 0x3c0, 1, false],
    ['device', 0x400, 1, true],
    ['flush', 0x1ff, 1, true],
    ['flush', 0x23f, 1, false],
  ] as const)('%s of %i, %i bytes: its lines stay one run: %p', (what, at, length, stays) => {
    const { memory, cache } = setup(8 * LINE);
    const chunks: number[] = [];
    memory.fillLines = (_at, _key, _byte, size): void => void chunks.push(size / LINE);
    cache.fillRun(0, pa(0), KEY_HOST, 1, 16 * LINE, 0);
    const bytes = new Uint8Array(length);
    if (what === 'peek') cache.peekCoherent(0, pa(at), KEY_PLAIN, bytes, 0, length);
    else if (what === 'flush') cache.clflush(pa(at), KEY_PLAIN, length);
    else cache.deviceWrite(pciRequester(0x100), pa(at), KEY_PLAIN, bytes, 0, length, 0);
    cache.fillRun(0, pa(16 * LINE), KEY_HOST, 2, 16 * LINE, 0);
    expect(chunks).toEqual(stays ? [8, 8, 8] : [8, 8]);
  });

  test('is used for at least twice the size of the cache, and not where fills are reported', () => {
    const { cache, probes } = setup(8 * LINE);
    expect(cache.longFill).toBe(16 * LINE);
    probes.filled.listen(() => undefined);
    expect(cache.longFill).toBe(Infinity);
    expect(setup(0).cache.longFill).toBe(Infinity);
  });
});
