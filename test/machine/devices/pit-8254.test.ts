/** The 8254 and port 0x61, at clock pulses of the data sheet's figures; pit-counter.ts too. */
import { describe, expect, test } from '@jest/globals';
import { Pit8254, pulsesAt, timeOfPulse } from '../../../src/machine/devices/pit-8254.js';
import { Clock } from '../../../src/machine/platform.js';

/** A timer whose clock a test sets by pulses. */
class Timer {
  time = 0;
  readonly clock = new Clock();
  readonly pit: Pit8254;

  constructor() {
    this.clock.read = () => this.time;
    this.pit = new Pit8254(this.clock);
  }

  at(pulse: number): this {
    this.time = timeOfPulse(pulse);
    return this;
  }
  /** Control word, then the bytes of a count. */
  program(counter: number, control: number, ...count: number[]): this {
    this.pit.portOut(0x43, (counter << 6) | control, 1);
    for (const byte of count) this.pit.portOut(0x40 + counter, byte, 1);
    return this;
  }
  /** Latches and reads 16 bits. */
  count(counter: number): number {
    this.pit.portOut(0x43, counter << 6, 1);
    const low = this.pit.portIn(0x40 + counter, 1);
    return low | (this.pit.portIn(0x40 + counter, 1) << 8);
  }
  /** OUT of a counter, by a read-back of its status. */
  out(counter: number): boolean {
    this.pit.portOut(0x43, 0xe0 | (2 << counter), 1);
    return (this.pit.portIn(0x40 + counter, 1) & 0x80) !== 0;
  }
  /** The pulse of the next rising edge of counter 0. */
  edge(): number {
    const time = this.pit.nextEdge();
    return time === Infinity ? Infinity : pulsesAt(time);
  }
}

const LOW_HIGH = 0x30;
const mode = (number: number): number => LOW_HIGH | (number << 1);

describe('clock pulses', () => {
  test('are 1193182 a second', () => {
    expect([pulsesAt(0), pulsesAt(99_999_999), pulsesAt(100_000_000)]).toEqual([
      0, 1_193_181, 1_193_182,
    ]);
  });

  test.each([1, 2, 65_536, 1_193_182, 1_193_183, 12e9])('number %i is at its first time', (n) => {
    expect([pulsesAt(timeOfPulse(n) - 1), pulsesAt(timeOfPulse(n))]).toEqual([n - 1, n]);
  });
});

describe('mode 0', () => {
  test('counts from the pulse after the count was written, OUT rises at 0', () => {
    const timer = new Timer().at(100).program(0, mode(0), 4, 0);
    expect(timer.edge()).toBe(105);
    expect([timer.at(101).count(0), timer.out(0)]).toEqual([4, false]);
    expect([timer.at(104).count(0), timer.out(0)]).toEqual([1, false]);
    expect([timer.at(105).count(0), timer.out(0)]).toEqual([0, true]);
    expect([timer.at(106).count(0), timer.out(0)]).toEqual([0xffff, true]);
    expect(timer.edge()).toBe(Infinity);
  });

  test('has OUT low after the control word, without a count', () => {
    const timer = new Timer().program(0, mode(0));
    expect([timer.out(0), timer.edge()]).toEqual([false, Infinity]);
  });

  test('stops at the first byte of a new count', () => {
    const timer = new Timer().program(0, mode(0), 4, 0).at(3);
    timer.pit.portOut(0x40, 9, 1);
    expect(timer.edge()).toBe(Infinity);
    timer.pit.portOut(0x40, 0, 1);
    expect(timer.edge()).toBe(13);
  });

  test('stands still while its gate is low', () => {
    const timer = new Timer();
    timer.pit.portOut(0x61, 1, 1);
    timer.program(2, mode(0), 100, 0).at(11);
    timer.pit.portOut(0x61, 0, 1);
    expect(timer.at(50).count(2)).toBe(90);
    timer.pit.portOut(0x61, 1, 1);
    expect(timer.at(60).count(2)).toBe(80);
  });
});

describe('mode 2', () => {
  test('is low for the last pulse of each period, and rises as the count is loaded again', () => {
    const timer = new Timer().program(0, mode(2), 3, 0);
    const levels = [1, 2, 3, 4, 5, 6, 7].map((pulse) => timer.at(pulse).out(0));
    expect(levels).toEqual([true, true, false, true, true, false, true]);
    const counts = [1, 2, 3, 4].map((pulse) => timer.at(pulse).count(0));
    expect(counts).toEqual([3, 2, 1, 3]);
    expect(timer.at(4).edge()).toBe(7);
  });

  test('has edges in each period, and each is seen once', () => {
    const timer = new Timer().program(0, mode(2), 10, 0);
    expect(timer.at(10).pit.takeEdge()).toBe(false);
    expect(timer.at(11).pit.takeEdge()).toBe(true);
    expect(timer.pit.takeEdge()).toBe(false);
    expect(timer.at(30).pit.takeEdge()).toBe(true);
    expect(timer.edge()).toBe(31);
  });

  test('takes a new count at the end of the period', () => {
    const timer = new Timer().program(0, mode(2), 10, 0).at(5);
    timer.pit.portOut(0x40, 4, 1);
    timer.pit.portOut(0x40, 0, 1);
    expect([timer.edge(), timer.count(0)]).toEqual([11, 6]);
    expect([timer.at(11).count(0), timer.edge()]).toEqual([4, 15]);
  });

  test('begins anew at the rising edge of its gate', () => {
    const timer = new Timer();
    timer.pit.portOut(0x61, 1, 1);
    timer.program(2, mode(2), 10, 0).at(8);
    timer.pit.portOut(0x61, 0, 1);
    expect(timer.out(2)).toBe(true);
    timer.at(20).pit.portOut(0x61, 1, 1);
    expect(timer.at(21).count(2)).toBe(10);
  });

  test('with a count of 0 counts 65536', () => {
    expect(new Timer().program(0, mode(2), 0, 0).edge()).toBe(65_537);
  });
});

test.each([
  [6, [true, true, true, false, false, false, true], [6, 4, 2, 6, 4, 2, 6]],
  [5, [true, true, true, false, false, true, true], [4, 2, 0, 4, 2, 4, 2]],
])('mode 3 with count %i is a square wave that counts by two', (count, levels, counts) => {
  const timer = new Timer().program(0, mode(3), count, 0);
  const pulses = [1, 2, 3, 4, 5, 6, 7];
  expect(pulses.map((pulse) => timer.at(pulse).out(0))).toEqual(levels);
  expect(pulses.map((pulse) => timer.at(pulse).count(0))).toEqual(counts);
  expect(timer.at(0).edge()).toBe(count + 1);
});

test('mode 4 is low for the one pulse at which the count is 0', () => {
  const timer = new Timer().program(0, mode(4), 2, 0);
  expect([1, 2, 3, 4, 5].map((pulse) => timer.at(pulse).out(0))).toEqual([
    true,
    true,
    false,
    true,
    true,
  ]);
  expect([timer.at(0).edge(), timer.at(4).edge()]).toEqual([4, Infinity]);
});

describe('a read', () => {
  test('gives the low byte, then the high one, and a latched count stays until it is read', () => {
    const timer = new Timer().program(0, mode(2), 0x34, 0x12).at(2);
    timer.pit.portOut(0x43, 0, 1);
    timer.at(900).pit.portOut(0x43, 0, 1);
    expect([timer.pit.portIn(0x40, 1), timer.pit.portIn(0x40, 1)]).toEqual([0x33, 0x12]);
    expect(timer.pit.portIn(0x40, 1)).toBe((0x1234 - 899) & 0xff);
  });

  test('of the low byte only, and of the high one only', () => {
    const timer = new Timer().program(0, 0x14, 0x80).at(1);
    expect([timer.pit.portIn(0x40, 1), timer.pit.portIn(0x40, 1)]).toEqual([0x80, 0x80]);
    timer.program(0, 0x24, 0x80).at(2);
    expect([timer.pit.portIn(0x40, 1), timer.edge()]).toEqual([0x80, 2 + 0x8000]);
  });

  test('after a read-back of both gives the status first', () => {
    const timer = new Timer().program(1, mode(3), 0x34, 0x12).at(1);
    timer.pit.portOut(0x43, 0xc0 | 4, 1);
    const bytes = [1, 2, 3].map(() => timer.pit.portIn(0x41, 1));
    expect(bytes).toEqual([0x80 | mode(3), 0x34, 0x12]);
  });

  test('of the status says that a count is not loaded yet', () => {
    const timer = new Timer().program(0, mode(2), 5, 0);
    timer.pit.portOut(0x43, 0xe2, 1);
    expect(timer.pit.portIn(0x40, 1)).toBe(0x80 | 0x40 | mode(2));
  });
});

describe('port 0x61', () => {
  test('has the gate and the output of counter 2 and the bits that were written', () => {
    const timer = new Timer().program(2, mode(0), 10, 0);
    timer.pit.portOut(0x61, 0x0d, 1);
    expect(timer.pit.portIn(0x61, 1) & 0x2f).toBe(0x0d);
    expect(timer.at(11).pit.portIn(0x61, 1) & 0x2f).toBe(0x2d);
  });

  test('has the refresh bit, which changes about every 15 µs', () => {
    const timer = new Timer();
    const bits = [0, 1508, 1509, 3018].map((time) => {
      timer.time = time;
      return timer.pit.portIn(0x61, 1) & 0x10;
    });
    expect(bits).toEqual([0, 0, 0x10, 0]);
  });
});

test.each([
  ['BCD', mode(2) | 1],
  ['mode 1', mode(1)],
  ['mode 5', mode(5)],
])('%s is not modelled', (name, control) => {
  expect(() => new Timer().program(0, control)).toThrow(name);
});

test('the timer has the same state after a snapshot is restored', () => {
  const timer = new Timer().program(0, mode(2), 7, 0).at(5);
  timer.pit.takeEdge();
  timer.pit.portOut(0x61, 1, 1);
  const other = new Timer().at(5);
  other.pit.restore(structuredClone(timer.pit.snapshot()));
  expect(other.pit.snapshot()).toEqual(timer.pit.snapshot());
  expect([other.count(0), other.edge()]).toEqual([3, 8]);
  expect(() => other.pit.restore({})).toThrow('E_SNAPSHOT');
});
