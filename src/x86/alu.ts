/**
 * ADD, ADC, SUB, SBB, CMP, AND, OR, XOR, TEST, INC, DEC, NEG, NOT (APM vol. 3). Flags are recorded
 * after the destination is written, so that a store that faults changes nothing.
 */
import type { Core } from './core.js';
import type { Flags } from './flags.js';
import {
  destination,
  narrowMask,
  narrowShift,
  operandOf,
  reader,
  type Op,
  type Site,
} from './operands.js';

const TWO_32 = 2 ** 32;

/** How a result of 64 bits follows: the low half is the result, `core.high` the high half. */
type Compute64 = (core: Core, a: number, aHigh: number, b: number, bHigh: number) => number;
type Compute = (a: number, b: number, carry: number) => number;
type Kind = 'add' | 'subtract' | 'logic';

export function sum64(
  core: Core,
  a: number,
  aHigh: number,
  b: number,
  bHigh: number,
  carry: number,
): number {
  const sum = (a >>> 0) + (b >>> 0) + carry;
  core.high = (aHigh + bHigh + (sum >= TWO_32 ? 1 : 0)) | 0;
  return sum | 0;
}

export function difference64(
  core: Core,
  a: number,
  aHigh: number,
  b: number,
  bHigh: number,
  borrow: number,
): number {
  const difference = (a >>> 0) - (b >>> 0) - borrow;
  core.high = (aHigh - bHigh - (difference < 0 ? 1 : 0)) | 0;
  return difference | 0;
}

interface Operation {
  readonly kind: Kind;
  readonly wide: Compute64;
  readonly narrow: Compute;
}

const logic = (wide: Compute64, narrow: Compute): Operation => ({ kind: 'logic', wide, narrow });

const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    add: {
      kind: 'add',
      wide: (core, a, aHigh, b, bHigh) => sum64(core, a, aHigh, b, bHigh, 0),
      narrow: (a, b) => (a + b) | 0,
    },
    adc: {
      kind: 'add',
      wide: (core, a, aHigh, b, bHigh) => sum64(core, a, aHigh, b, bHigh, core.flags.cf()),
      narrow: (a, b, carry) => (a + b + carry) | 0,
    },
    sub: {
      kind: 'subtract',
      wide: (core, a, aHigh, b, bHigh) => difference64(core, a, aHigh, b, bHigh, 0),
      narrow: (a, b) => (a - b) | 0,
    },
    sbb: {
      kind: 'subtract',
      wide: (core, a, aHigh, b, bHigh) => difference64(core, a, aHigh, b, bHigh, core.flags.cf()),
      narrow: (a, b, carry) => (a - b - carry) | 0,
    },
    and: logic(
      (core, a, aHigh, b, bHigh) => {
        core.high = aHigh & bHigh;
        return a & b;
      },
      (a, b) => a & b,
    ),
    or: logic(
      (core, a, aHigh, b, bHigh) => {
        core.high = aHigh | bHigh;
        return a | b;
      },
      (a, b) => a | b,
    ),
    xor: logic(
      (core, a, aHigh, b, bHigh) => {
        core.high = aHigh ^ bHigh;
        return a ^ b;
      },
      (a, b) => a ^ b,
    ),
  } satisfies Record<string, Operation>),
);

function record64(
  flags: Flags,
  kind: Kind,
  a: number,
  aHigh: number,
  b: number,
  bHigh: number,
  low: number,
  high: number,
): void {
  if (kind === 'logic') flags.logic(low, high);
  else if (kind === 'add') flags.add64(a, aHigh, b, bHigh, low, high);
  else flags.subtract64(a, aHigh, b, bHigh, low, high);
}

function record(
  flags: Flags,
  kind: Kind,
  a: number,
  b: number,
  result: number,
  shift: number,
): void {
  if (kind === 'logic') flags.logic(result, result << shift);
  else if (kind === 'add') flags.add(a, b, result, shift);
  else flags.subtract(a, b, result, shift);
}

function operation(name: string): Operation {
  const found = OPERATIONS.get(name);
  if (found === undefined) throw new RangeError(name);
  return found;
}

/** An operation of two operands, with a result in the first one. */
function binary(name: string): (site: Site) => Op {
  const { kind, wide, narrow } = operation(name);
  return (site) => {
    const { core } = site;
    const { flags } = core;
    const target = operandOf(site, 0);
    const { read, write } = destination(site, target);
    const source = reader(site, operandOf(site, 1));
    if (target.size === 8) {
      return () => {
        const b = source();
        const bHigh = core.high;
        const a = read();
        const aHigh = core.high;
        const low = wide(core, a, aHigh, b, bHigh);
        const { high } = core;
        write(low, high);
        record64(flags, kind, a, aHigh, b, bHigh, low, high);
      };
    }
    const shift = narrowShift(target.size);
    const mask = narrowMask(target.size);
    const carries = name === 'adc' || name === 'sbb';
    return () => {
      const b = source();
      const a = read();
      const result = narrow(a, b, carries ? flags.cf() : 0) & mask;
      write(result, 0);
      record(flags, kind, a, b, result, shift);
    };
  };
}

/** CMP and TEST: flags only. */
function compare(name: string): (site: Site) => Op {
  const { kind, wide, narrow } = operation(name);
  return (site) => {
    const { core } = site;
    const { flags } = core;
    const first = operandOf(site, 0);
    const read = reader(site, first);
    const source = reader(site, operandOf(site, 1));
    if (first.size === 8) {
      return () => {
        const a = read();
        const aHigh = core.high;
        const b = source();
        const bHigh = core.high;
        const low = wide(core, a, aHigh, b, bHigh);
        record64(flags, kind, a, aHigh, b, bHigh, low, core.high);
      };
    }
    const shift = narrowShift(first.size);
    const mask = narrowMask(first.size);
    return () => {
      const a = read();
      const b = source();
      record(flags, kind, a, b, narrow(a, b, 0) & mask, shift);
    };
  };
}

/** INC and DEC do not change CF (APM vol. 3, INC). */
function step(up: boolean): (site: Site) => Op {
  const { wide, narrow } = operation(up ? 'add' : 'sub');
  return (site) => {
    const { core } = site;
    const { flags } = core;
    const target = operandOf(site, 0);
    const { read, write } = destination(site, target);
    if (target.size === 8) {
      return () => {
        const a = read();
        const aHigh = core.high;
        const low = wide(core, a, aHigh, 1, 0);
        const { high } = core;
        write(low, high);
        flags.step(up, a, aHigh, 0, low, high);
      };
    }
    const shift = narrowShift(target.size);
    const mask = narrowMask(target.size);
    return () => {
      const a = read();
      const result = narrow(a, 1, 0) & mask;
      write(result, 0);
      flags.step(up, a, a << shift, 1 << shift, result, result << shift);
    };
  };
}

/** NEG: 0 − operand, with the flags of that subtraction (APM vol. 3, NEG). */
function negate(site: Site): Op {
  const { core } = site;
  const { flags } = core;
  const target = operandOf(site, 0);
  const { read, write } = destination(site, target);
  if (target.size === 8) {
    return () => {
      const b = read();
      const bHigh = core.high;
      const low = difference64(core, 0, 0, b, bHigh, 0);
      const { high } = core;
      write(low, high);
      flags.subtract64(0, 0, b, bHigh, low, high);
    };
  }
  const shift = narrowShift(target.size);
  const mask = narrowMask(target.size);
  return () => {
    const b = read();
    const result = -b & mask;
    write(result, 0);
    flags.subtract(0, b, result, shift);
  };
}

/** NOT changes no flags (APM vol. 3, NOT). */
function complement(site: Site): Op {
  const { core } = site;
  const target = operandOf(site, 0);
  const { read, write } = destination(site, target);
  const mask = narrowMask(target.size);
  return () => {
    const low = ~read() & mask;
    write(low, ~core.high);
  };
}

export const ALU: Readonly<Record<string, (site: Site) => Op>> = {
  ...Object.fromEntries([...OPERATIONS.keys()].map((name) => [name, binary(name)])),
  cmp: compare('sub'),
  test: compare('and'),
  inc: step(true),
  dec: step(false),
  neg: negate,
  not: complement,
};
