/** Numbers and names as text. */
import { printable } from '../../base/printable.js';

export const hex = (value: number): string => `0x${value.toString(16)}`;

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A size in the largest unit that gives at most two decimals: `4 KiB`, `1.5 MiB`, `100 bytes`. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1 && Number.isInteger((value / 1024) * 4)) {
    value /= 1024;
    unit++;
  }
  return `${value.toString()} ${UNITS[unit] ?? ''}`;
}

/** A range, first to last address. */
export const rangeText = (base: number, size: number): string =>
  size <= 1 ? hex(base) : `${hex(base)}..${hex(base + size - 1)}`;

/** A value of an event or a register. */
export const shown = (value: unknown): string => printable(String(value));

/** A count with its noun. */
export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
