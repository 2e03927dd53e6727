/** MUL, IMUL, DIV, IDIV (APM vol. 3). */
import { RAX, RDX, type Core } from './core.js';
import { EXCEPTION, raise } from './faults.js';
import { FLAG } from './flags.js';
import { narrowShift, operandOf, reader, writer, type Op, type Site } from './operands.js';

/** The high half of the product of two unsigned words. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const second = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x1_0000) + Math.floor(second / 0x1_0000)) | 0;
}

/** The four words of a product of 64 by 64 bits, lowest first; reused. */
const product = new Int32Array(4);

function unsignedProduct(a: number, aHigh: number, b: number, bHigh: number): void {
  const word = (x: number): number => x >>> 0;
  const low = Math.imul(a, b);
  const ab = word(highProduct(a, b));
  const c1 = word(Math.imul(aHigh, b));
  const c2 = word(Math.imul(a, bHigh));
  const second = ab + c1 + c2;
  const third =
    word(highProduct(aHigh, b)) +
    word(highProduct(a, bHigh)) +
    word(Math.imul(aHigh, bHigh)) +
    Math.floor(second / 2 ** 32);
  product[0] = low;
  product[1] = second | 0;
  product[2] = third | 0;
  product[3] = (highProduct(aHigh, bHigh) + Math.floor(third / 2 ** 32)) | 0;
}

/** A signed product is the unsigned one, less the other factor's upper half where one is negative. */
function signedProduct(a: number, aHigh: number, b: number, bHigh: number): void {
  unsignedProduct(a, aHigh, b, bHigh);
  if (aHigh < 0) subtractUpper(b, bHigh);
  if (bHigh < 0) subtractUpper(a, aHigh);
}

function subtractUpper(low: number, high: number): void {
  const difference = ((product[2] ?? 0) >>> 0) - (low >>> 0);
  product[2] = difference | 0;
  product[3] = ((product[3] ?? 0) - high - (difference < 0 ? 1 : 0)) | 0;
}

const WITH_CARRY = FLAG.CF | FLAG.OF;

/** CF and OF: the product does not fit the lower half. The other flags are undefined (our choice: unchanged). */
function carry(core: Core, lost: boolean): void {
  core.flags.set(WITH_CARRY, lost ? WITH_CARRY : 0);
}

/** MUL and IMUL of one operand: rDX:rAX, AX for bytes. */
function multiply(signed: boolean): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { r, words, bytes } = core;
    const from = operandOf(site, 0);
    const read = reader(site, from);
    const extend = (value: number, shift: number): number =>
      signed ? (value << shift) >> shift : value;
    if (from.size === 8) {
      const times = signed ? signedProduct : unsignedProduct;
      return () => {
        const b = read();
        times(r[0] ?? 0, r[1] ?? 0, b, core.high);
        const [p0 = 0, p1 = 0, p2 = 0, p3 = 0] = product;
        r[0] = p0;
        r[1] = p1;
        r[2 * RDX] = p2;
        r[2 * RDX + 1] = p3;
        const sign = signed ? p1 >> 31 : 0;
        carry(core, p2 !== sign || p3 !== sign);
      };
    }
    if (from.size === 4) {
      return () => {
        const a = r[0] ?? 0;
        const b = read();
        const low = Math.imul(a, b);
        let high = highProduct(a, b);
        if (signed) high = (high - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
        r[0] = low;
        r[1] = 0;
        r[2 * RDX] = high;
        r[2 * RDX + 1] = 0;
        carry(core, high !== (signed ? low >> 31 : 0));
      };
    }
    if (from.size === 2) {
      return () => {
        const full = Math.imul(extend(words[0] ?? 0, 16), extend(read(), 16));
        words[0] = full;
        words[4 * RDX] = full >>> 16;
        carry(core, signed ? (full << 16) >> 16 !== full : full >>> 16 !== 0);
      };
    }
    return () => {
      const full = Math.imul(extend(bytes[0] ?? 0, 24), extend(read(), 24));
      words[0] = full;
      carry(core, signed ? (full << 24) >> 24 !== full : full >>> 8 !== 0);
    };
  };
}

/** IMUL of two and three operands: the product is truncated to the destination. */
function signedMultiply(site: Site): Op {
  if (site.instruction.operands.length === 1) return multiply(true)(site);
  const { core, instruction } = site;
  const to = operandOf(site, 0);
  const write = writer(site, to);
  const three = instruction.operands.length === 3;
  const first = reader(site, operandOf(site, three ? 1 : 0));
  const second = reader(site, operandOf(site, three ? 2 : 1));
  if (to.size === 8) {
    return () => {
      const a = first();
      const aHigh = core.high;
      const b = second();
      signedProduct(a, aHigh, b, core.high);
      const [p0 = 0, p1 = 0, p2 = 0, p3 = 0] = product;
      write(p0, p1);
      const sign = p1 >> 31;
      carry(core, p2 !== sign || p3 !== sign);
    };
  }
  const shift = narrowShift(to.size);
  return () => {
    const a = (first() << shift) >> shift;
    const b = (second() << shift) >> shift;
    const low = Math.imul(a, b);
    if (shift === 0) {
      const high = (highProduct(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
      write(low, 0);
      carry(core, high !== low >> 31);
    } else {
      write(low & 0xffff, 0);
      carry(core, (low << shift) >> shift !== low);
    }
  };
}

const divideError = (why: string): never => raise(EXCEPTION.DE, why);

/** Quotient and remainder by BigInt: dividends of up to 128 bits. Flags are undefined (our choice: unchanged). */
function divideWide(core: Core, divisor: bigint, bits: number, signed: boolean): void {
  const wide = BigInt(bits);
  const take = (value: bigint): bigint =>
    signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  const part = (register: number): bigint => BigInt.asUintN(bits, core.get64(register));
  const raw = (part(RDX) << wide) | part(RAX);
  const dividend = signed ? BigInt.asIntN(2 * bits, raw) : raw;
  const by = take(divisor);
  if (by === 0n) divideError('division by zero');
  const quotient = dividend / by;
  if (take(quotient) !== quotient) divideError('the quotient does not fit');
  core.set64(RAX, BigInt.asUintN(bits, quotient));
  core.set64(RDX, BigInt.asUintN(bits, dividend % by));
}

const TWO_32 = 2 ** 32;
/** Dividends below this are divided as doubles. */
const EXACT_HIGH = 2 ** 20;

/** DIV of 64 bits where dividend and divisor are below 2^52. False where they are not. */
function divideSmall(core: Core, low: number, high: number): boolean {
  const { r } = core;
  const aHigh = (r[1] ?? 0) >>> 0;
  if (((r[2 * RDX] ?? 0) | (r[2 * RDX + 1] ?? 0)) !== 0) return false;
  const bHigh = high >>> 0;
  if (aHigh >= EXACT_HIGH || bHigh >= EXACT_HIGH) return false;
  const a = aHigh * TWO_32 + ((r[0] ?? 0) >>> 0);
  const b = bHigh * TWO_32 + (low >>> 0);
  if (b === 0) return false;
  let quotient = Math.floor(a / b);
  let rest = a - quotient * b;
  if (rest < 0) {
    quotient--;
    rest += b;
  }
  core.setNumber(RAX, quotient);
  core.setNumber(RDX, rest);
  return true;
}

/** DIV and IDIV: rDX:rAX by the operand; a quotient that does not fit is a #DE (APM vol. 3, DIV). */
function divide(signed: boolean): (site: Site) => Op {
  return (site) => {
    const { core } = site;
    const { r, words, bytes } = core;
    const from = operandOf(site, 0);
    const read = reader(site, from);
    const value = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);
    if (from.size === 8) {
      return () => {
        const low = read();
        const { high } = core;
        if (signed || !divideSmall(core, low, high)) divideWide(core, value(low, high), 64, signed);
      };
    }
    if (from.size === 4) {
      return () => {
        const by = read();
        if (signed || (r[2 * RDX] ?? 0) !== 0) {
          divideWide(core, BigInt(by), 32, signed);
          return;
        }
        if (by === 0) divideError('division by zero');
        const a = (r[0] ?? 0) >>> 0;
        const b = by >>> 0;
        core.setNumber(RAX, Math.floor(a / b));
        core.setNumber(RDX, a % b);
      };
    }
    const narrow = from.size === 2 ? 16 : 24;
    return () => {
      const raw = read();
      const by = signed ? (raw << narrow) >> narrow : raw;
      if (by === 0) divideError('division by zero');
      const pair =
        from.size === 2 ? ((words[4 * RDX] ?? 0) << 16) | (words[0] ?? 0) : (words[0] ?? 0);
      const dividend = signed ? (from.size === 2 ? pair : (pair << 16) >> 16) : pair >>> 0;
      const quotient = Math.trunc(dividend / by);
      const fits = signed
        ? (quotient << narrow) >> narrow === quotient
        : quotient >>> (32 - narrow) === 0;
      if (!fits) divideError('the quotient does not fit');
      const rest = dividend - quotient * by;
      if (from.size === 2) {
        words[0] = quotient;
        words[4 * RDX] = rest;
      } else {
        bytes[0] = quotient;
        bytes[1] = rest;
      }
    };
  };
}

export const MULTIPLY: Readonly<Record<string, (site: Site) => Op>> = {
  mul: multiply(false),
  imul: signedMultiply,
  div: divide(false),
  idiv: divide(true),
};
