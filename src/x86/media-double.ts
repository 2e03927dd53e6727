/**
 * Scalar double-precision arithmetic, comparison and conversion (APM vol. 1, 4.7 to 4.8; vol. 4), with the flags of MXCSR.
 * Only rounding to nearest, without DAZ and FTZ, and masked exceptions are modelled.
 */
import type { Core } from './core.js';
import { NotModelledSignal } from './faults.js';
import { FLAG } from './flags.js';
import { mediaReader, mediaUsable, source, xmmNumber } from './media.js';
import { operandOf, reader, writer, type Op, type Site } from './operands.js';

/** MXCSR (APM vol. 1, 4.2.2): exception flags, their masks 7 bits higher, DAZ, RC, FTZ. */
const MXCSR = {
  IE: 1,
  DE: 2,
  ZE: 4,
  OE: 8,
  UE: 16,
  PE: 32,
  DAZ: 0x40,
  RC: 0x6000,
  FTZ: 0x8000,
} as const;
const MASKS_FROM = 7;
const QUIET = 1n << 51n;
/** The indefinite value: the result of an invalid operation (APM vol. 1, 4.4.3). */
const DEFAULT_NAN = 0xfff8_0000_0000_0000n;
const MIN_NORMAL = 2 ** -1022;
const MANTISSA_BITS = 52n;
const EXPONENT_MASK = 0x7ff;

const view = new DataView(new ArrayBuffer(8));
const sourceDouble = new Float64Array(source.buffer);
const sourceBits = new BigUint64Array(source.buffer);

function bitsOf(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
const isNan = (bits: bigint): boolean => (bits & 0x7fff_ffff_ffff_ffffn) > 0x7ff0_0000_0000_0000n;
const isSignalling = (bits: bigint): boolean => isNan(bits) && (bits & QUIET) === 0n;
const isDenormal = (value: number): boolean => value !== 0 && Math.abs(value) < MIN_NORMAL;

/** Sets flags of MXCSR. An exception that is not masked would be a #XF. */
function signal(core: Core, flags: number): void {
  if ((core.mxcsr & (MXCSR.DAZ | MXCSR.RC | MXCSR.FTZ)) !== 0) {
    throw new NotModelledSignal('MXCSR: DAZ, FTZ or another rounding than to nearest');
  }
  if ((flags & ~(core.mxcsr >> MASKS_FROM)) !== 0) {
    throw new NotModelledSignal('an unmasked media floating-point exception');
  }
  core.mxcsr |= flags;
}

/** A finite value as an integer times a power of two. */
function exact(value: number): { readonly integer: bigint; readonly power: number } {
  const bits = bitsOf(value);
  const exponent = Number(bits >> MANTISSA_BITS) & EXPONENT_MASK;
  const fraction = bits & ((1n << MANTISSA_BITS) - 1n);
  const magnitude = exponent === 0 ? fraction : fraction | (1n << MANTISSA_BITS);
  return {
    integer: bits >> 63n === 0n ? magnitude : -magnitude,
    power: Math.max(exponent, 1) - 1075,
  };
}
type Exact = ReturnType<typeof exact>;

function sameValue(a: Exact, b: Exact): boolean {
  const power = Math.min(a.power, b.power);
  return a.integer << BigInt(a.power - power) === b.integer << BigInt(b.power - power);
}
function plus(a: Exact, b: Exact): Exact {
  const power = Math.min(a.power, b.power);
  const integer = (a.integer << BigInt(a.power - power)) + (b.integer << BigInt(b.power - power));
  return { integer, power };
}
const times = (a: Exact, b: Exact): Exact => ({
  integer: a.integer * b.integer,
  power: a.power + b.power,
});

interface Operation {
  readonly compute: (a: number, b: number) => number;
  /** Whether a finite result of finite operands is exact. */
  readonly isExact: (a: Exact, b: Exact, result: Exact) => boolean;
}

const OPERATIONS = {
  add: {
    compute: (a, b) => a + b,
    isExact: (a, b, result) => sameValue(plus(a, b), result),
  },
  subtract: {
    compute: (a, b) => a - b,
    isExact: (a, b, result) => sameValue(a, plus(b, result)),
  },
  multiply: {
    compute: (a, b) => a * b,
    isExact: (a, b, result) => sameValue(times(a, b), result),
  },
  divide: {
    compute: (a, b) => a / b,
    isExact: (a, b, result) => sameValue(a, times(b, result)),
  },
} satisfies Record<string, Operation>;

/** The result of an operation with a NaN: the first NaN, made quiet (APM vol. 1, 4.7.1). */
function propagated(a: bigint, b: bigint): bigint {
  return (isNan(a) ? a : b) | QUIET;
}

/** Flags of a result of operands that are no NaN (APM vol. 1, 4.8). */
function flagsOf({ isExact }: Operation, a: number, b: number, result: number): number {
  if (Number.isNaN(result)) return MXCSR.IE;
  const denormal = isDenormal(a) || isDenormal(b) ? MXCSR.DE : 0;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return denormal;
  if (!Number.isFinite(result)) {
    // Of finite operands: an overflow, or a division by zero.
    return b === 0 ? MXCSR.ZE : denormal | MXCSR.OE | MXCSR.PE;
  }
  if (isExact(exact(a), exact(b), exact(result))) return denormal;
  const tiny = Math.abs(result) < MIN_NORMAL ? MXCSR.UE : 0;
  return denormal | MXCSR.PE | tiny;
}

function arithmetic(operation: Operation): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const at = 2 * xmmNumber(site, 0);
    const doubles = new Float64Array(core.xmm.buffer);
    const bits = new BigUint64Array(core.xmm.buffer);
    const read = mediaReader(site, operandOf(site, 1), false);
    return () => {
      mediaUsable(core);
      read();
      const [aBits, bBits] = [bits[at] ?? 0n, sourceBits[0] ?? 0n];
      if (isNan(aBits) || isNan(bBits)) {
        signal(core, isSignalling(aBits) || isSignalling(bBits) ? MXCSR.IE : 0);
        bits[at] = propagated(aBits, bBits);
        return;
      }
      const [a, b] = [doubles[at] ?? 0, sourceDouble[0] ?? 0];
      const result = operation.compute(a, b);
      signal(core, flagsOf(operation, a, b, result));
      if (Number.isNaN(result)) bits[at] = DEFAULT_NAN;
      else doubles[at] = result;
    };
  };
}

/** MINSD and MAXSD: the source where one is a NaN, or both are zero (APM vol. 4). */
function choose(first: (a: number, b: number) => boolean): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const at = 2 * xmmNumber(site, 0);
    const doubles = new Float64Array(core.xmm.buffer);
    const bits = new BigUint64Array(core.xmm.buffer);
    const read = mediaReader(site, operandOf(site, 1), false);
    return () => {
      mediaUsable(core);
      read();
      const [a, b] = [doubles[at] ?? 0, sourceDouble[0] ?? 0];
      const nan = Number.isNaN(a) || Number.isNaN(b);
      const denormal = isDenormal(a) || isDenormal(b) ? MXCSR.DE : 0;
      signal(core, nan ? MXCSR.IE : denormal);
      if (nan || !first(a, b)) bits[at] = sourceBits[0] ?? 0n;
    };
  };
}

/** COMISD and UCOMISD: ZF, PF and CF; OF, SF and AF are cleared (APM vol. 4). @param quiet a quiet NaN is no exception. */
function compare(quiet: boolean): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { flags } = core;
    const at = 2 * xmmNumber(site, 0);
    const doubles = new Float64Array(core.xmm.buffer);
    const bits = new BigUint64Array(core.xmm.buffer);
    const read = mediaReader(site, operandOf(site, 1), false);
    return () => {
      mediaUsable(core);
      read();
      const [a, b] = [doubles[at] ?? 0, sourceDouble[0] ?? 0];
      let result: number = a === b ? FLAG.ZF : a < b ? FLAG.CF : 0;
      if (Number.isNaN(a) || Number.isNaN(b)) {
        result = FLAG.ZF | FLAG.PF | FLAG.CF;
        const signals = isSignalling(bits[at] ?? 0n) || isSignalling(sourceBits[0] ?? 0n);
        signal(core, quiet && !signals ? 0 : MXCSR.IE);
      } else signal(core, isDenormal(a) || isDenormal(b) ? MXCSR.DE : 0);
      flags.set(FLAG.ZF | FLAG.PF | FLAG.CF | FLAG.OF | FLAG.SF | FLAG.AF, result);
    };
  };
}

/** CVTSI2SD of a signed integer of 32 or 64 bits. */
function fromInteger(site: Site): Op {
  const { core } = site;
  const at = 2 * xmmNumber(site, 0);
  const doubles = new Float64Array(core.xmm.buffer);
  const from = operandOf(site, 1);
  const read = reader(site, from);
  if (from.size !== 8) {
    return () => {
      mediaUsable(core);
      doubles[at] = read() | 0;
    };
  }
  return () => {
    mediaUsable(core);
    const low = BigInt(read() >>> 0);
    const value = (BigInt(core.high) << 32n) | low;
    const result = Number(value);
    signal(core, BigInt(result) === value ? 0 : MXCSR.PE);
    doubles[at] = result;
  };
}

/** CVTTSD2SI and CVTSD2SI: out of range, the integer indefinite value (APM vol. 4). */
function toInteger(round: (value: number) => number): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const to = operandOf(site, 0);
    const write = writer(site, to);
    const read = mediaReader(site, operandOf(site, 1), false);
    const limit = to.size === 8 ? 2 ** 63 : 2 ** 31;
    return () => {
      mediaUsable(core);
      read();
      const value = sourceDouble[0] ?? 0;
      const rounded = round(value);
      const fits = rounded >= -limit && rounded < limit;
      signal(core, !fits ? MXCSR.IE : rounded === value ? 0 : MXCSR.PE);
      const result = fits ? BigInt(rounded) : -BigInt(limit);
      write(Number(BigInt.asIntN(32, result)), Number(BigInt.asIntN(32, result >> 32n)));
    };
  };
}

/** To the nearest integer, of two equally near ones the even one. */
function toNearest(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

export const MEDIA_DOUBLE: Readonly<Record<string, (site: Site) => Op>> = {
  addsd: arithmetic(OPERATIONS.add),
  subsd: arithmetic(OPERATIONS.subtract),
  mulsd: arithmetic(OPERATIONS.multiply),
  divsd: arithmetic(OPERATIONS.divide),
  minsd: choose((a, b) => a < b),
  maxsd: choose((a, b) => a > b),
  comisd: compare(false),
  ucomisd: compare(true),
  cvtsi2sd: fromInteger,
  cvttsd2si: toInteger(Math.trunc),
  cvtsd2si: toInteger(toNearest),
};
