/** Scalar doubles by hand from the manual (APM vol. 1, 4.7, 4.8; vol. 4): results, and the flags of MXCSR. */
import { describe, expect, test } from '@jest/globals';
import { Program } from './program.js';

const [IE, DE, ZE, OE, UE, PE] = [1, 2, 4, 8, 16, 32];
const MASKED = 0x1f80;
const MIN = 2 ** -1074;

/** Runs code with XMM0 and XMM1 as doubles or as bits. */
function run(code: string, a: number | bigint, b: number | bigint, rax = 0n): Program {
  const program = new Program(code, { rax });
  const cpu = program.machine_.cpus[0];
  cpu.writeCr4(cpu.cr4 | 0x600);
  const { xmm } = program.executor.core;
  for (const [index, value] of [a, b].entries()) {
    if (typeof value === 'bigint') new BigUint64Array(xmm.buffer)[2 * index] = value;
    else new Float64Array(xmm.buffer)[2 * index] = value;
  }
  expect([program.run(), program.exception]).toEqual(['halt', undefined]);
  return program;
}
const flags = ({ executor }: Program): number => executor.core.mxcsr & ~MASKED;
const bits = ({ executor }: Program): bigint =>
  new BigUint64Array(executor.core.xmm.buffer)[0] ?? 0n;
const double = ({ executor }: Program): number =>
  new Float64Array(executor.core.xmm.buffer)[0] ?? 0;

const [ADD, MUL, SUB, DIV] = ['f2 0f 58 c1', 'f2 0f 59 c1', 'f2 0f 5c c1', 'f2 0f 5e c1'];

test.each([
  ['ADDSD exact', ADD, 1.5, 2.25, 3.75, 0],
  ['ADDSD inexact', ADD, 1, 2 ** -60, 1, PE],
  ['ADDSD overflow', ADD, 1.7e308, 1.7e308, Infinity, OE | PE],
  ['ADDSD of infinities of one sign', ADD, Infinity, Infinity, Infinity, 0],
  ['SUBSD exact', SUB, 1.5, 2, -0.5, 0],
  ['SUBSD of a denormal', SUB, MIN, MIN, 0, DE],
  ['MULSD exact', MUL, 3, -0.125, -0.375, 0],
  ['MULSD inexact', MUL, 0.1, 0.1, 0.1 * 0.1, PE],
  ['MULSD underflow', MUL, 1e-200, 1e-200, 0, UE | PE],
  ['DIVSD exact', DIV, 6, 1.5, 4, 0],
  ['DIVSD inexact', DIV, 1, 3, 1 / 3, PE],
  ['DIVSD by zero', DIV, -1, 0, -Infinity, ZE],
  ['DIVSD of an exact denormal', DIV, MIN * 8, 2, MIN * 4, DE],
])('%s', (_name, code, a, b, result, expected) => {
  const program = run(code, a, b);
  expect([double(program), flags(program)]).toEqual([result, expected]);
});

describe('a NaN', () => {
  const QNAN = 0x7ff8_0000_0000_0123n;
  const SNAN = 0x7ff0_0000_0000_0456n;

  test.each([
    ['the first is the result', QNAN, 0x7ff8_0000_0000_0999n, QNAN, 0],
    ['a signalling one becomes quiet', SNAN, QNAN, SNAN | (1n << 51n), IE],
    ['of the source', 0n, QNAN, QNAN, 0],
  ])('%s', (_name, a, b, result, expected) => {
    const program = run(ADD, a, b);
    expect([bits(program), flags(program)]).toEqual([result, expected]);
  });

  test('of an invalid operation is the indefinite value', () => {
    for (const [code, a, b] of [
      [SUB, Infinity, Infinity],
      [MUL, 0, Infinity],
      [DIV, 0, 0],
    ] as const) {
      const program = run(code, a, b);
      expect([bits(program), flags(program)]).toEqual([0xfff8_0000_0000_0000n, IE]);
    }
  });
});

describe('comparisons', () => {
  const QNAN = 0x7ff8_0000_0000_0000n;
  test.each([
    ['less', '66 0f 2f c1', 1, 2, 'C', 0],
    ['greater', '66 0f 2f c1', 2, 1, '', 0],
    ['equal, zeros of both signs', '66 0f 2f c1', 0, -0, 'Z', 0],
    ['COMISD of a quiet NaN', '66 0f 2f c1', 1, QNAN, 'CPZ', IE],
    ['UCOMISD of a quiet NaN', '66 0f 2e c1', 1, QNAN, 'CPZ', 0],
  ])('%s', (_name, code, a, b, expected, mxcsr) => {
    const program = run(code, a, b);
    expect([program.flags, flags(program)]).toEqual([expected, mxcsr]);
  });

  test('MINSD and MAXSD give the source for zeros and for a NaN', () => {
    expect(Object.is(double(run('f2 0f 5d c1', 0, -0)), -0)).toBe(true);
    expect(double(run('f2 0f 5f c1', 3, 2))).toBe(3);
    const program = run('f2 0f 5d c1', QNAN, 7);
    expect([double(program), flags(program)]).toEqual([7, IE]);
  });
});

describe('conversions', () => {
  test.each([
    ['CVTSI2SD of 32 bits', 'f2 0f 2a c0', 0xffff_fffen, -2, 0],
    ['CVTSI2SD of 64 bits', 'f2 48 0f 2a c0', -3n, -3, 0],
    ['CVTSI2SD of 64 bits, inexact', 'f2 48 0f 2a c0', (1n << 62n) + 1n, 2 ** 62, PE],
  ])('%s', (_name, code, rax, result, expected) => {
    const program = run(code, 9, 9, BigInt.asUintN(64, rax));
    expect([double(program), flags(program)]).toEqual([result, expected]);
  });

  test.each([
    ['CVTTSD2SI truncates', 'f2 0f 2c c1', -2.75, 0xffff_fffen, PE],
    ['CVTTSD2SI of 64 bits', 'f2 48 0f 2c c1', -(2 ** 40), -(1n << 40n), 0],
    ['CVTTSD2SI out of range', 'f2 0f 2c c1', 2 ** 31, 0x8000_0000n, IE],
    ['CVTTSD2SI of the least', 'f2 0f 2c c1', -(2 ** 31), 0x8000_0000n, 0],
    ['CVTTSD2SI of a NaN', 'f2 48 0f 2c c1', NaN, 1n << 63n, IE],
    ['CVTSD2SI to the even one', 'f2 0f 2d c1', 2.5, 2n, PE],
    ['CVTSD2SI to the even one, negative', 'f2 48 0f 2d c1', -3.5, -4n, PE],
  ])('%s', (_name, code, value, result, expected) => {
    const program = run(code, 0, value, -1n);
    expect([program.reg('rax'), flags(program)]).toEqual([BigInt.asUintN(64, result), expected]);
  });
});

test.each([
  ['an unmasked exception', 0x1f00],
  ['rounding down', 0x3f80],
  ['flush to zero', 0x9f80],
])('%s is not modelled', (_name, mxcsr) => {
  const program = new Program(MUL);
  const cpu = program.machine_.cpus[0];
  cpu.writeCr4(cpu.cr4 | 0x600);
  program.executor.core.mxcsr = mxcsr;
  new Float64Array(program.executor.core.xmm.buffer).set([0, 0, Infinity]);
  expect(program.executor.run().kind).toBe('not-modelled');
});
