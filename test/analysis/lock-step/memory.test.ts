import { beforeEach, expect, test } from '@jest/globals';
import { memoryDifferences } from '../../../src/analysis/lock-step/memory.js';
import { KEY_HOST, KEY_PLAIN, pa } from '../../../src/machine/address.js';
import type { Machine } from '../../../src/machine/machine.js';
import { machine } from '../../x86/program.js';

let a: Machine;
let b: Machine;
beforeEach(() => {
  a = machine();
  b = machine();
});
const AT = 0x80_0000;
const put = (m: Machine, at: number, bytes: number[], key = KEY_PLAIN): void => {
  m.dmaWrite(pa(at), Uint8Array.from(bytes), key);
};

test('equal machines have none, nor has a write of what is there', () => {
  put(a, AT, [1, 2, 3], KEY_HOST);
  put(b, AT, [1, 2, 3], KEY_HOST);
  expect(memoryDifferences(a, b)).toEqual([]);
});

test('bytes of an encrypted block differ one by one', () => {
  put(
    a,
    AT,
    Array.from({ length: 64 }, () => 7),
    KEY_HOST,
  );
  put(
    b,
    AT,
    Array.from({ length: 64 }, (_, i) => (i === 20 || i === 22 || i === 23 ? 8 : 7)),
    KEY_HOST,
  );
  expect(memoryDifferences(a, b)).toEqual([
    {
      at: AT + 20,
      image: Uint8Array.of(7),
      model: Uint8Array.of(8),
      imageKey: KEY_HOST,
      modelKey: KEY_HOST,
    },
    {
      at: AT + 22,
      image: Uint8Array.of(7, 7),
      model: Uint8Array.of(8, 8),
      imageKey: KEY_HOST,
      modelKey: KEY_HOST,
    },
  ]);
});

test('a run goes on over the end of a line and of a page', () => {
  const bytes = (value: number): number[] => Array.from({ length: 5000 }, () => value);
  put(a, AT, bytes(1));
  put(b, AT, bytes(2));
  const found = memoryDifferences(a, b);
  expect(found.map(({ at, image }) => [at, image.length])).toEqual([[AT, 5000]]);
});

test('a line under another key differs as a whole, even with the same bytes', () => {
  const bytes = Array.from({ length: 64 }, (_, i) => i);
  put(a, AT, bytes, KEY_HOST);
  put(b, AT, bytes);
  expect(memoryDifferences(a, b)).toMatchObject([
    { at: AT, imageKey: KEY_HOST, modelKey: KEY_PLAIN, image: Uint8Array.from(bytes) },
  ]);
});

test('a page that only one machine wrote differs where its bytes do', () => {
  put(a, AT + 100, [1, 2]);
  const found = memoryDifferences(a, b);
  expect(found.some(({ at }) => at <= AT + 100)).toBe(true);
  expect(found.every(({ at }) => at >= AT && at < AT + 4096)).toBe(true);
});
