import { describe, expect, test } from '@jest/globals';
import { later, type CalendarTime } from '../../../src/machine/devices/calendar.js';

const TUESDAY: CalendarTime = {
  year: 2016,
  month: 4,
  day: 26,
  weekday: 3,
  hours: 22,
  minutes: 0,
  seconds: 0,
};
const DAY = 86_400;

/** A date of the platform as the calendar has it. */
function expected(seconds: number): CalendarTime {
  const date = new Date(Date.UTC(2016, 3, 26, 22) + 1000 * seconds);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() + 1,
    hours: date.getUTCHours(),
    minutes: date.getUTCMinutes(),
    seconds: date.getUTCSeconds(),
  };
}

describe('a time some seconds later', () => {
  test.each([0, 1, 59, 60, 3599, 7199, 7200, 5 * DAY, 1000 * DAY + 1, 31_000 * DAY])(
    'is the calendar’s, after %i seconds',
    (seconds) => {
      expect(later(TUESDAY, seconds)).toEqual(expected(seconds));
    },
  );

  test('is the same in one step and in many, across leap years and 2100', () => {
    let time = TUESDAY;
    for (let i = 0; i < 1100; i++) time = later(time, 29 * DAY + 12_345);
    expect(time).toEqual(expected(1100 * (29 * DAY + 12_345)));
  });
});
