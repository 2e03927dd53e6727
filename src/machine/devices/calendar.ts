/** The calendar of a real-time clock: a time as its registers have it, and the time some seconds later. */

export interface CalendarTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  /** 1 (Sunday) to 7. */
  readonly weekday: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const FEBRUARY = 2;
const SECONDS_PER_DAY = 86_400;

function daysOf(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === FEBRUARY && leap ? 29 : (DAYS[month - 1] ?? 31);
}

/** The time `elapsed` whole seconds after `time`, whose fields are in their ranges. */
export function later(time: CalendarTime, elapsed: number): CalendarTime {
  if (elapsed === 0) return time;
  const total = time.hours * 3600 + time.minutes * 60 + time.seconds + elapsed;
  const days = Math.floor(total / SECONDS_PER_DAY);
  const inDay = total % SECONDS_PER_DAY;
  let { year, month } = time;
  let day = time.day + days;
  for (let length = daysOf(year, month); day > length; length = daysOf(year, month)) {
    day -= length;
    month = (month % 12) + 1;
    if (month === 1) year++;
  }
  return {
    year,
    month,
    day,
    weekday: ((time.weekday - 1 + days) % 7) + 1,
    hours: Math.floor(inDay / 3600),
    minutes: Math.floor(inDay / 60) % 60,
    seconds: inDay % 60,
  };
}
