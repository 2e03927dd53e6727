/**
 * Shifts, rotates and double shifts (APM vol. 3). Counts are masked to 5 bits, for 64-bit operands to 6;
 * a masked count of 0 changes no flags.
 */
import { FLAG, Flags } from './flags.js';
import {
  destination,
  narrowMask,
  narrowShift,
  operandOf,
  reader,
  type Op,
  type Read,
  type Site,
} from './operands.js';

/** The result of a shift, and the bit that left it last. */
interface Shifted {
  low: number;
  high: number;
  carry: number;
}

/** One value, reused, so that a shift allocates nothing. */
const result: Shifted = { low: 0, high: 0, carry: 0 };

type Shift = (low: number, high: number, count: number, bits: number) => void;

/** Bit `n` of a value of two halves. */
export const bitOf = (low: number, high: number, n: number): number =>
  n < 32 ? (low >>> n) & 1 : (high >>> (n - 32)) & 1;

function left(low: number, high: number, count: number, bits: number): void {
  result.carry = count > bits ? 0 : bitOf(low, high, bits - count);
  if (count >= 32) {
    result.high = low << (count - 32);
    result.low = 0;
  } else {
    result.high = (high << count) | (count === 0 ? 0 : low >>> (32 - count));
    result.low = low << count;
  }
}

function right(low: number, high: number, count: number): void {
  result.carry = bitOf(low, high, count - 1);
  if (count >= 32) {
    result.low = high >>> (count - 32);
    result.high = 0;
  } else {
    result.low = (low >>> count) | (high << (32 - count));
    result.high = high >>> count;
  }
}

/** `low` and `high` are sign-extended to 64 bits. */
function arithmeticRight(low: number, high: number, count: number): void {
  result.carry = count >= 32 ? (high >> Math.min(count - 33, 31)) & 1 : (low >>> (count - 1)) & 1;
  if (count === 32) result.carry = (low >>> 31) & 1;
  if (count >= 32) {
    result.low = high >> (count - 32);
    result.high = high >> 31;
  } else {
    result.low = (low >>> count) | (high << (32 - count));
    result.high = high >> count;
  }
}

const SHIFTS: ReadonlyMap<string, Shift> = new Map<string, Shift>([
  ['shl', left],
  ['sal', left],
  ['shr', right],
  ['sar', arithmeticRight],
]);

/** The masked count of a shift (APM vol. 3, SHL). */
function counter(site: Site, index: number, size: number): Read {
  const read = reader(site, operandOf(site, index));
  const mask = size === 8 ? 63 : 31;
  return () => read() & mask;
}

/** OF of a shift by one: SHL MSB XOR CF, SHR the old MSB, SAR 0; of others it is undefined (our choice: the same rule). */
function overflow(name: string, sign: number, newSign: number, carry: number): number {
  if (name === 'sar') return 0;
  return name === 'shr' ? sign : newSign ^ carry;
}

function shift(name: string): (site: Site) => Op {
  const operate = SHIFTS.get(name) ?? left;
  return (site) => {
    const { core } = site;
    const { flags } = core;
    const target = operandOf(site, 0);
    const { size } = target;
    const bits = 8 * size;
    const { read, write } = destination(site, target);
    const count = counter(site, 1, size);
    const mask = narrowMask(size);
    const narrow = narrowShift(size);
    const wide = size === 8;
    const signed = name === 'sar';
    return () => {
      const n = count();
      const value = read();
      if (n === 0) {
        // A 32-bit register is zero-extended all the same.
        write(value, core.high);
        return;
      }
      const low = signed && !wide ? (value << narrow) >> narrow : value;
      const high = wide ? core.high : signed ? low >> 31 : 0;
      const sign = bitOf(low, high, bits - 1);
      operate(low, high, n, bits);
      const { low: newLow, high: newHigh, carry } = result;
      const written = newLow & mask;
      write(written, newHigh);
      const top = wide ? newHigh : written;
      const newSign = ((top << narrow) >>> 31) & 1;
      flags.set(
        FLAG.CF | FLAG.OF | FLAG.SF | FLAG.ZF | FLAG.PF | FLAG.AF,
        carry |
          (overflow(name, sign, newSign, carry) === 0 ? 0 : FLAG.OF) |
          Flags.ofResult(written, top, narrow),
      );
    };
  };
}

/** ROL and ROR: CF is the bit that was moved last, OF as the manual has it for a count of one. */
function rotate(name: 'rol' | 'ror'): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { flags } = core;
    const target = operandOf(site, 0);
    const { size } = target;
    const bits = 8 * size;
    const { read, write } = destination(site, target);
    const count = counter(site, 1, size);
    const mask = narrowMask(size);
    return () => {
      const masked = count();
      const low = read();
      const high = size === 8 ? core.high : 0;
      if (masked === 0) {
        write(low, high);
        return;
      }
      const moved = masked % bits;
      const n = name === 'rol' ? moved : (bits - moved) % bits;
      left(low, high, n, bits);
      const { low: a, high: b } = result;
      if (n === 0) {
        result.low = low;
        result.high = high;
      } else {
        right(low, high, bits - n);
        result.low |= a;
        result.high |= b;
      }
      const newLow = result.low & mask;
      const newHigh = size === 8 ? result.high : 0;
      write(newLow, newHigh);
      const top = bitOf(newLow, newHigh, bits - 1);
      const carry = name === 'rol' ? newLow & 1 : top;
      const second = bitOf(newLow, newHigh, bits - 2);
      const of = name === 'rol' ? top ^ carry : top ^ second;
      flags.set(FLAG.CF | FLAG.OF, carry | (of === 0 ? 0 : FLAG.OF));
    };
  };
}

/** RCL and RCR: a rotation of one bit more, through CF; the count is taken modulo that (APM vol. 3, RCL). */
function rotateCarry(up: boolean): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { flags } = core;
    const target = operandOf(site, 0);
    const { size } = target;
    const bits = 8 * size;
    const { read, write } = destination(site, target);
    const count = counter(site, 1, size);
    const mask = narrowMask(size);
    return () => {
      const n = count() % (bits + 1);
      let low = read();
      let high = size === 8 ? core.high : 0;
      let carry = flags.cf();
      for (let i = 0; i < n; i++) {
        const top = bitOf(low, high, bits - 1);
        if (up) {
          left(low, high, 1, bits);
          low = (result.low | carry) & mask;
          high = size === 8 ? result.high : 0;
          carry = top;
        } else {
          const lowest = low & 1;
          right(low, high, 1);
          low = result.low;
          high = result.high;
          if (carry !== 0) {
            if (size === 8) high |= 1 << 31;
            else low |= 1 << (bits - 1);
          }
          low &= mask;
          carry = lowest;
        }
      }
      write(low, high);
      if (n === 0) return;
      const of = up
        ? bitOf(low, high, bits - 1) ^ carry
        : bitOf(low, high, bits - 1) ^ bitOf(low, high, bits - 2);
      flags.set(FLAG.CF | FLAG.OF, carry | (of === 0 ? 0 : FLAG.OF));
    };
  };
}

/** SHLD and SHRD: bits of the second operand move in (APM vol. 3). A count above the size: undefined (our choice: as if modulo). */
function double(name: 'shld' | 'shrd'): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { flags } = core;
    const target = operandOf(site, 0);
    const { size } = target;
    const bits = 8 * size;
    const { read, write } = destination(site, target);
    const source = reader(site, operandOf(site, 1));
    const count = counter(site, 2, size);
    const mask = narrowMask(size);
    const narrow = narrowShift(size);
    return () => {
      const masked = count();
      const sourceLow = source();
      const sourceHigh = size === 8 ? core.high : 0;
      const low = read();
      const high = size === 8 ? core.high : 0;
      if (masked === 0) {
        write(low, high);
        return;
      }
      const n = masked > bits ? masked - bits : masked;
      const carry = name === 'shld' ? bitOf(low, high, bits - n) : bitOf(low, high, n - 1);
      if (n === bits) {
        result.low = sourceLow;
        result.high = sourceHigh;
      } else if (name === 'shld') {
        right(sourceLow, sourceHigh, bits - n);
        const { low: a, high: b } = result;
        left(low, high, n, bits);
        result.low |= a;
        result.high |= b;
      } else {
        left(sourceLow, sourceHigh, bits - n, bits);
        const { low: a, high: b } = result;
        right(low, high, n);
        result.low |= a;
        result.high |= b;
      }
      const newLow = result.low & mask;
      const newHigh = size === 8 ? result.high : 0;
      write(newLow, newHigh);
      const top = size === 8 ? newHigh : newLow;
      const sign = bitOf(low, high, bits - 1);
      const newSign = bitOf(newLow, newHigh, bits - 1);
      flags.set(
        FLAG.CF | FLAG.OF | FLAG.SF | FLAG.ZF | FLAG.PF | FLAG.AF,
        carry | (sign === newSign ? 0 : FLAG.OF) | Flags.ofResult(newLow, top, narrow),
      );
    };
  };
}

export const SHIFT_OPS: Readonly<Record<string, (site: Site) => Op>> = {
  ...Object.fromEntries([...SHIFTS.keys()].map((name) => [name, shift(name)])),
  rol: rotate('rol'),
  ror: rotate('ror'),
  rcl: rotateCarry(true),
  rcr: rotateCarry(false),
  shld: double('shld'),
  shrd: double('shrd'),
};
