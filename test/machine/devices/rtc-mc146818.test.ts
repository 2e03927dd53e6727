import { describe, expect, test } from '@jest/globals';
import { Rtc } from '../../../src/machine/devices/rtc-mc146818.js';
import { Clock, UNITS_PER_SECOND } from '../../../src/machine/platform.js';

class Cmos {
  time = 0;
  readonly rtc: Rtc;

  constructor() {
    const clock = new Clock();
    clock.read = () => this.time;
    this.rtc = new Rtc(clock);
  }
  read(register: number): number {
    this.rtc.portOut(0x70, register, 1);
    return this.rtc.portIn(0x71, 1);
  }
  write(register: number, byte: number): void {
    this.rtc.portOut(0x70, register, 1);
    this.rtc.portOut(0x71, byte, 1);
  }
  /** Century, year, month, day, hours, minutes, seconds as the registers have them. */
  get shown(): number[] {
    return [0x32, 9, 8, 7, 4, 2, 0].map((register) => this.read(register));
  }
}

describe('a real-time clock', () => {
  test('begins at a fixed time, in BCD and 24 hours', () => {
    const cmos = new Cmos();
    expect(cmos.shown).toEqual([0x20, 0x16, 0x04, 0x26, 0x22, 0x00, 0x00]);
    expect(cmos.read(6)).toBe(3);
  });

  test('goes on in virtual time', () => {
    const cmos = new Cmos();
    cmos.time = 59 * UNITS_PER_SECOND;
    expect(cmos.read(0)).toBe(0x59);
    cmos.time = 7200 * UNITS_PER_SECOND;
    expect(cmos.shown).toEqual([0x20, 0x16, 0x04, 0x27, 0x00, 0x00, 0x00]);
  });

  test('says before the end of a second that it updates', () => {
    const cmos = new Cmos();
    const uip = [0, 99_777_199, 99_777_200, 99_999_999, 100_000_000].map((time) => {
      cmos.time = time;
      return cmos.read(10) >> 7;
    });
    expect(uip).toEqual([0, 0, 1, 1, 0]);
  });

  test('shows binary values and 12 hours where register B says so', () => {
    const cmos = new Cmos();
    cmos.write(11, 0x04);
    expect([cmos.read(9), cmos.read(4)]).toEqual([16, 0x80 | 10]);
    cmos.write(11, 0);
    expect(cmos.read(4)).toBe(0x80 | 0x10);
  });

  test('takes a time that is set while SET stops it', () => {
    const cmos = new Cmos();
    cmos.write(11, 0x82);
    const values = [0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x58];
    for (const [index, register] of [0x32, 9, 8, 7, 4, 2, 0].entries()) {
      cmos.write(register, values[index] ?? 0);
    }
    cmos.time = 5 * UNITS_PER_SECOND;
    expect(cmos.shown).toEqual(values);
    cmos.write(11, 0x02);
    cmos.time += 2 * UNITS_PER_SECOND;
    expect(cmos.shown).toEqual([0x20, 0, 1, 1, 0, 0, 0]);
  });

  test('has the flag of an update in register C, until it is read', () => {
    const cmos = new Cmos();
    expect(cmos.read(12)).toBe(0);
    cmos.time = UNITS_PER_SECOND;
    expect([cmos.read(12), cmos.read(12)]).toEqual([0x10, 0]);
  });

  test('has a valid battery, and memory below 128 whatever bit 7 of the index is', () => {
    const cmos = new Cmos();
    expect(cmos.read(13)).toBe(0x80);
    cmos.write(0x8f, 0x5a);
    expect(cmos.read(0x0f)).toBe(0x5a);
  });

  test('does not model its interrupts', () => {
    expect(() => new Cmos().write(11, 0x12)).toThrow('register B');
  });

  test('has the same state after a snapshot is restored', () => {
    const cmos = new Cmos();
    cmos.write(0x40, 1);
    cmos.time = UNITS_PER_SECOND;
    const other = new Cmos();
    other.rtc.restore(structuredClone(cmos.rtc.snapshot()));
    expect(other.rtc.snapshot()).toEqual(cmos.rtc.snapshot());
    expect(() => other.rtc.restore({})).toThrow('E_SNAPSHOT');
  });
});
