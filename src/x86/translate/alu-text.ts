/** Arithmetic, logic and shifts, with the flags that the operations of alu.ts and shifts.ts record. */
import type { Operand } from '../decode/instruction.js';
import { narrowMask, narrowShift } from '../operands.js';
import type { Context } from './block-text.js';
import { carryAndOverflow } from './flag-text.js';
import { read, writeTo } from './access-text.js';
import type { Value } from './operand-text.js';
import { BINARY, COMPARE, isZeroShift, SHIFT, STEP } from './traits.js';

type Kind = 'add' | 'subtract' | 'logic';
const KIND_OF: ReadonlyMap<string, Kind> = new Map(
  Object.entries({
    add: 'add',
    sub: 'subtract',
    cmp: 'subtract',
    neg: 'subtract',
    and: 'logic',
    or: 'logic',
    xor: 'logic',
    test: 'logic',
  }),
);
const SIGN: ReadonlyMap<string, string> = new Map(
  Object.entries({
    add: '+',
    sub: '-',
    cmp: '-',
    neg: '-',
    and: '&',
    test: '&',
    or: '|',
    xor: '^',
  }),
);

/** The result of an operation on two values of a size. */
function compute(
  context: Context,
  lines: string[],
  name: string,
  a: Value,
  b: Value,
  size: number,
): Value {
  const { operands } = context;
  const sign = SIGN.get(name) ?? '+';
  if (size !== 8) {
    const mask = size === 4 ? '| 0' : `& ${String(narrowMask(size))}`;
    return { low: operands.keep(lines, `(${a.low} ${sign} ${b.low}) ${mask}`), high: '0' };
  }
  if (KIND_OF.get(name) === 'add') return operands.sum(lines, a, b);
  const low = operands.keep(lines, `${a.low} ${sign} ${b.low} | 0`);
  if (KIND_OF.get(name) === 'logic') {
    return { low, high: operands.keep(lines, `${a.high} ${sign} ${b.high}`) };
  }
  const borrow = `((${a.low} >>> 0) < (${b.low} >>> 0) ? 1 : 0)`;
  return { low, high: operands.keep(lines, `${a.high} - ${b.high} - ${borrow} | 0`) };
}

/** The high halves that are recorded: of a narrow value, the value shifted up. */
function highs(size: number, { low, high }: Value): string {
  if (size === 8) return high;
  const shift = narrowShift(size);
  return shift === 0 ? low : `(${low} << ${String(shift)})`;
}

function record(
  context: Context,
  lines: string[],
  name: string,
  a: Value,
  b: Value,
  result: Value,
  size: number,
): void {
  const { flags, seen } = context;
  flags.record(
    lines,
    {
      kind: KIND_OF.get(name) ?? 'logic',
      a: a.low,
      aHigh: highs(size, a),
      b: b.low,
      bHigh: highs(size, b),
      low: result.low,
      high: highs(size, result),
      wide: size === 8,
    },
    seen,
  );
}

const ZERO: Value = { low: '0', high: '0' };
const ONE: Value = { low: '1', high: '0' };

export function alu(context: Context): string[] | undefined {
  const { mnemonic, operands } = context.instruction;
  const [first, second] = operands;
  if (first === undefined) return undefined;
  const lines: string[] = [];
  const { size } = first;
  if (BINARY.has(mnemonic) && second !== undefined) {
    // The source is read first, as the operation does.
    const source = read(context, lines, second).value;
    const target = read(context, lines, first);
    const result = compute(context, lines, mnemonic, target.value, source, size);
    writeTo(context, lines, first, target.place, result);
    record(context, lines, mnemonic, target.value, source, result, size);
    return lines;
  }
  if (COMPARE.has(mnemonic) && second !== undefined) {
    const a = read(context, lines, first).value;
    const b = read(context, lines, second).value;
    const result = compute(context, lines, mnemonic, a, b, size);
    record(context, lines, mnemonic, a, b, result, size);
    return lines;
  }
  if (mnemonic === 'neg') {
    const target = read(context, lines, first);
    const result = compute(context, lines, 'neg', ZERO, target.value, size);
    writeTo(context, lines, first, target.place, result);
    record(context, lines, 'neg', ZERO, target.value, result, size);
    return lines;
  }
  if (mnemonic === 'not') {
    const target = read(context, lines, first);
    const { low, high } = target.value;
    const inverted = size < 4 ? `~${low} & ${String(narrowMask(size))}` : `~${low}`;
    writeTo(context, lines, first, target.place, { low: inverted, high: `~${high}` });
    return lines;
  }
  if (STEP.has(mnemonic)) {
    const target = read(context, lines, first);
    const up = mnemonic === 'inc';
    const result = compute(context, lines, up ? 'add' : 'sub', target.value, ONE, size);
    writeTo(context, lines, first, target.place, result);
    const one = size === 8 ? '0' : String(1 << narrowShift(size));
    const { low, high } = { low: result.low, high: highs(size, result) };
    const [a, aHigh] = [target.value.low, highs(size, target.value)];
    context.flags.step(lines, up, { a, aHigh, one, low, high });
    return lines;
  }
  return SHIFT.has(mnemonic) && second?.kind === 'immediate'
    ? shift(context, lines, first, second.low)
    : undefined;
}

/** SHL, SHR and SAR of 32 and 64 bits by a constant. */
function shift(context: Context, lines: string[], first: Operand, count: number): string[] {
  const { mnemonic } = context.instruction;
  const wide = first.size === 8;
  const n = count & (wide ? 63 : 31);
  const target = read(context, lines, first);
  if (isZeroShift(context.instruction)) {
    writeTo(context, lines, first, target.place, target.value);
    return lines;
  }
  const { low, high } = target.value;
  const keep = (expression: string): string => context.operands.keep(lines, expression);
  const by = (k: number): string => String(k);
  const left = mnemonic === 'shl' || mnemonic === 'sal';
  const signed = mnemonic === 'sar';
  const right = signed ? '>>' : '>>>';
  let result: Value;
  let carry: string;
  if (!wide) {
    result = { low: keep(left ? `${low} << ${by(n)}` : `${low} ${right} ${by(n)} | 0`), high: '0' };
    carry = left ? `(${low} >>> ${by(32 - n)} & 1)` : `(${low} >>> ${by(n - 1)} & 1)`;
  } else if (left) {
    result =
      n >= 32
        ? { low: '0', high: keep(`${low} << ${by(n - 32)}`) }
        : {
            low: keep(`${low} << ${by(n)}`),
            high: keep(`${high} << ${by(n)} | ${low} >>> ${by(32 - n)}`),
          };
    carry = bit(low, high, 64 - n);
  } else {
    result =
      n >= 32
        ? {
            low: keep(`${high} ${right} ${by(n - 32)} | 0`),
            high: signed ? keep(`${high} >> 31`) : '0',
          }
        : {
            low: keep(`${low} >>> ${by(n)} | ${high} << ${by(32 - n)}`),
            high: keep(`${high} ${right} ${by(n)} | 0`),
          };
    carry = bit(low, high, n - 1);
  }
  writeTo(context, lines, first, target.place, result);
  const top = wide ? result.high : result.low;
  if (context.seen) {
    const overflow = signed
      ? '0'
      : left
        ? `${top} >>> 31 ^ ${carry}`
        : `${wide ? high : low} >>> 31`;
    context.flags.bits(
      lines,
      `${carryAndOverflow(carry, overflow)} | F.ofResult(${result.low}, ${top})`,
    );
  } else context.flags.forget();
  return lines;
}

/** Bit `n` of a value, as 0 or 1. */
const bit = (low: string, high: string, n: number): string =>
  n < 32 ? `(${low} >>> ${String(n)} & 1)` : `(${high} >>> ${String(n - 32)} & 1)`;
