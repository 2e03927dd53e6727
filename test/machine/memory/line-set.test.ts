import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LineSet } from '../../../src/machine/memory/line-set.js';
import { exhaustiveTest } from '../../cases.js';

const MIB = 2 ** 20;

exhaustiveTest('LineSet has exactly the lines of the added ranges', () => {
  // Around the ends of the 2 MiB ranges that share a bit array, also for addresses above 32 bits.
  const range = fc.record({
    base: fc.constantFrom(0, 2 * MIB, 2 ** 47 - 4 * MIB),
    offset: fc.integer({ min: 2 * MIB - 3000, max: 2 * MIB + 100 }),
    length: fc.integer({ min: 0, max: 3000 }),
  });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 6 }), (ranges) => {
      const set = new LineSet();
      const model = new Set<number>();
      for (const { base, offset, length } of ranges) {
        set.add(base + offset, length);
        for (let i = 0; i < length; i++) model.add(Math.floor((base + offset + i) / 64));
      }
      for (const base of [0, 2 * MIB, 2 ** 47 - 4 * MIB]) {
        const first = (base + 2 * MIB) / 64;
        for (let line = first - 60; line < first + 60; line++) {
          expect([line, set.has(line)]).toEqual([line, model.has(line)]);
        }
      }
    }),
  );
});

test('LineSet.add accepts more than 2 MiB at once', () => {
  const set = new LineSet();
  set.add(MIB + 1, 6 * MIB);
  const has = [MIB - 1, MIB, 2 * MIB, 5 * MIB, 7 * MIB, 7 * MIB + 64].map((at) =>
    set.has(Math.floor(at / 64)),
  );
  expect(has).toEqual([false, true, true, true, true, false]);
});

test('its ranges are its lines, and one range where they are near', () => {
  const set = new LineSet();
  set.add(4 * MIB - 64, 128);
  set.add(128, 1);
  set.add(256, 64);
  expect(set.ranges()).toEqual([
    { start: 128, length: 64, bytes: 64 },
    { start: 256, length: 64, bytes: 64 },
    { start: 4 * MIB - 64, length: 128, bytes: 128 },
  ]);
  expect(set.ranges(64)[0]).toEqual({ start: 128, length: 192, bytes: 128 });
  expect(set.ranges(63)).toHaveLength(3);
});
