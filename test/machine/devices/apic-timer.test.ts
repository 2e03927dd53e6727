import { expect, test } from '@jest/globals';
import { ApicTimer } from '../../../src/machine/devices/apic-timer.js';

test.each([
  [0x0, 2],
  [0x1, 4],
  [0x2, 8],
  [0x3, 16],
  [0x8, 32],
  [0x9, 64],
  [0xa, 128],
  [0xb, 1],
])('the divide configuration %p divides by %p (APM table 16-3)', (value, divisor) => {
  const timer = new ApicTimer();
  timer.setDivide(value, 0);
  timer.start(3, 50);
  expect(timer.expires).toBe(50 + 3 * divisor);
});

test('a change of the divisor keeps the count that is left', () => {
  const timer = new ApicTimer();
  timer.start(10, 0);
  timer.setDivide(0xb, 10);
  expect([timer.current(10), timer.expires]).toEqual([5, 15]);
});

test('a periodic timer that is late expires once, and then in its rhythm', () => {
  const timer = new ApicTimer();
  timer.setDivide(0xb, 0);
  timer.start(10, 0);
  expect(timer.advance(9, true)).toBe(false);
  expect([timer.advance(35, true), timer.expires]).toEqual([true, 40]);
  expect([timer.advance(40, false), timer.expires]).toEqual([true, Infinity]);
});
