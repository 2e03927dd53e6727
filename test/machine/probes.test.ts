import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa, PMD_SIZE, va, type KeyId } from '../../src/machine/address.js';
import { Cache } from '../../src/machine/cache/cache.js';
import { ProbePoint, Probes } from '../../src/machine/probes.js';
import { smallMachine } from '../inspect/small-machine.js';
import { Memory } from './cache/logged-memory.js';

describe('a probe point', () => {
  test('is active while it has listeners, and calls them in their order', () => {
    const point = new ProbePoint<[what: string]>();
    const seen: string[] = [];
    expect(point.active).toBe(false);
    const ends = [1, 2].map((i) => point.listen((what) => seen.push(`${what}${String(i)}`)));
    point.notify('a');
    ends[0]?.();
    expect(point.active).toBe(true);
    point.notify('b');
    ends[1]?.();
    expect(point.active).toBe(false);
    point.notify('c');
    expect(seen).toEqual(['a1', 'a2', 'b2']);
  });

  test('ends one of two equal listeners only, once', () => {
    const point = new ProbePoint<[]>();
    let calls = 0;
    const listener = (): void => void calls++;
    const end = point.listen(listener);
    point.listen(listener);
    end();
    end();
    point.notify();
    expect([calls, point.active]).toEqual([1, true]);
  });

  test('calls a listener while a body runs, also if the body throws', () => {
    const point = new ProbePoint<[number]>();
    const seen: number[] = [];
    const result = point.during(
      (n) => seen.push(n),
      () => {
        point.notify(1);
        return 'done';
      },
    );
    point.notify(2);
    const fails = (): void => {
      point.during(
        (n) => seen.push(n),
        () => {
          point.notify(3);
          throw new RangeError('no');
        },
      );
    };
    expect(fails).toThrow(RangeError);
    expect([result, seen, point.active]).toEqual(['done', [1, 3], false]);
  });

  test('lets a listener end another during a call: the call still reaches it', () => {
    const point = new ProbePoint<[]>();
    const seen: number[] = [];
    const ends: (() => void)[] = [];
    point.listen(() => {
      seen.push(1);
      ends[0]?.();
    });
    ends.push(point.listen(() => seen.push(2)));
    point.notify();
    point.notify();
    expect(seen).toEqual([1, 2, 1]);
  });
});

test('the lines that a long fill writes back are reported once each', () => {
  const probes = new Probes();
  const size = 8 * 64;
  const cache = new Cache({ store: new Memory(), size, ways: 2, probes });
  const back: [number, KeyId, number][] = [];
  probes.writtenBack.listen((at, key, length) => back.push([at, key, length]));
  cache.fillRun(0, pa(0), KEY_HOST, 1, 2 * size, 0);
  cache.wbinvd('all');
  const lines = back.flatMap(([at, key, length]) =>
    Array.from({ length: length / 64 }, (_, i) => `${String(at / 64 + i)} ${String(key)}`),
  );
  expect(lines).toEqual(Array.from({ length: 16 }, (_, i) => `${String(i)} 1`));
});

test('a CLFLUSH of a range reports its lines once for each translation', () => {
  const m = smallMachine();
  const [cpu] = m.cpus;
  const flushed: unknown[] = [];
  m.probes.linesFlushed.listen((...args) => flushed.push(args));
  expect(cpu.clflushRange(va(PMD_SIZE + 0xfa0), 0x80)).toBeNull();
  expect(cpu.clflush(va(0x1008))).toBeNull();
  expect(flushed).toEqual([
    [0, PMD_SIZE + 0xf80, PMD_SIZE + 0xf80, 0x80, KEY_HOST, 0],
    [0, PMD_SIZE + 0x1000, PMD_SIZE + 0x1000, 0x40, KEY_PLAIN, 0],
    [0, 0x1000, 0x1000, 0x40, KEY_PLAIN, 0],
  ]);
});
