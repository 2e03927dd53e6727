import { expect, test } from '@jest/globals';
import { Shadow } from '../../src/sanitizer/shadow.js';

/** Writers and marks of a range of bytes, as runs() gives them. */
function read(shadow: Shadow, start: number, length: number): string[] {
  const out: string[] = [];
  let next = start;
  shadow.runs(start, length, (at, size, writer, destroyed) => {
    expect(at).toBe(next);
    next = at + size;
    for (let i = 0; i < size; i++) out.push(`${String(writer)}${destroyed ? '!' : ''}`);
  });
  expect(next).toBe(start + length);
  return out;
}

/** A generator of numbers below `n`: a linear congruence (Numerical Recipes). */
function randoms(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

test('random writes, destructions and snapshots: each byte has its last writer', () => {
  const size = 3 * 4096;
  const below = randoms(7);
  const shadow = new Shadow();
  let bytes: string[] = new Array<string>(size).fill('0');
  const saved: [ReturnType<Shadow['snapshot']>, string[]][] = [];
  for (let round = 0; round < 3000; round++) {
    const start = below(size);
    const length = 1 + below(Math.min(size - start, [8, 64, 5000][below(3)] ?? 8));
    const action = below(12);
    if (action === 0) saved.push([shadow.snapshot(), [...bytes]]);
    else if (action === 1 && saved.length > 0) {
      const [snapshot, before] = saved[below(saved.length)] ?? [shadow.snapshot(), bytes];
      shadow.restore(snapshot);
      bytes = [...before];
    } else if (action < 4) {
      shadow.destroy(start, length);
      for (let i = start; i < start + length; i++) {
        if (bytes[i] !== '0' && bytes[i]?.endsWith('!') === false) bytes[i] += '!';
      }
    } else {
      const writer = 1 + below(3);
      shadow.write(start, length, writer);
      bytes.fill(String(writer), start, start + length);
    }
    const from = below(size - 1);
    const span = 1 + below(Math.min(200, size - from));
    expect(read(shadow, from, span)).toEqual(bytes.slice(from, from + span));
  }
  expect(read(shadow, 0, size)).toEqual(bytes);
});

test('a snapshot is valid in another shadow, with bytes of one granule that have several writers', () => {
  const first = new Shadow();
  first.write(0, 16, 1);
  first.write(3, 2, 2);
  const other = new Shadow();
  other.write(1, 1, 7);
  other.restore(first.snapshot());
  expect(read(other, 0, 9)).toEqual(['1', '1', '1', '2', '2', '1', '1', '1', '1']);
});
