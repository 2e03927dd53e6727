/** The x87 register stack and its state in FXSAVE (APM vol. 1, 6.2; vol. 2, 11.4.4; vol. 5); fp-state.ts too. */
import { describe, expect, test } from '@jest/globals';
import { DATA, Program } from './program.js';

const AREA = DATA + 0x200;
const FXSAVE = '0f ae 03';
const FXSAVE64 = '48 0f ae 03';

/** Runs code with RSI at DATA and RBX at the area for FXSAVE, then FXSAVE. */
function saved(code: string, data: Uint8Array = new Uint8Array(0)): Program {
  const program = new Program(`${code} ${FXSAVE}`, { rsi: BigInt(DATA), rbx: BigInt(AREA) });
  program.write(DATA, data);
  expect(program.run()).toBe('halt');
  expect(program.exception).toBeUndefined();
  return program;
}
/** Control word, status word and tags. */
const control = (program: Program): number[] => {
  const [word = 0n] = program.memory(AREA, 1);
  return [Number(word & 0xffffn), Number((word >> 16n) & 0xffffn), Number((word >> 32n) & 0xffn)];
};
/** ST(i): sign and exponent, significand. */
const st = (program: Program, i: number): string => {
  const [significand = 0n, rest = 0n] = program.memory(AREA + 32 + 16 * i, 2);
  return `${(rest & 0xffffn).toString(16)}:${significand.toString(16).padStart(16, '0')}`;
};
/** The 80 bits at RSI + 16. */
const stored = (program: Program): bigint[] => {
  const [low = 0n, high = 0n] = program.memory(DATA + 16, 2);
  return [low, high & 0xffffn];
};
const bytes = (value: bigint): Uint8Array =>
  new Uint8Array(BigUint64Array.of(BigInt.asUintN(64, value)).buffer);

test('FNINIT leaves all registers empty', () => {
  expect(control(saved('db e3'))).toEqual([0x37f, 0, 0]);
});

test.each([
  ['16 bits', 'df 06', -1n, 'bfff:8000000000000000'],
  ['32 bits', 'db 06', 10n, '4002:a000000000000000'],
  ['32 bits, negative', 'db 06', -0x8000_0000n, 'c01e:8000000000000000'],
  ['64 bits', 'df 2e', 0x7fff_ffff_ffff_ffffn, '403d:fffffffffffffffe'],
  ['64 bits, the least', 'df 2e', -(1n << 63n), 'c03e:8000000000000000'],
  ['zero', 'db 06', 0n, '0:0000000000000000'],
])('FILD of %s', (_name, code, value, expected) => {
  const program = saved(`db e3 ${code}`, bytes(value));
  expect(st(program, 0)).toBe(expected);
  expect(control(program)).toEqual([0x37f, 0x3800, 0x80]);
});

test('FLD and FSTP of 80 bits keep every bit, of a NaN too', () => {
  const value = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0x88, 0xff, 0x7f);
  // fninit; fld tbyte [rsi]; fstp tbyte [rsi+16]
  const program = saved('db e3 db 2e db 7e 10', value);
  expect(stored(program)).toEqual([0x8807_0605_0403_0201n, 0x7fffn]);
  expect(control(program)).toEqual([0x37f, 0, 0]);
});

test('FLD1 and FLDZ push in order: ST(0) is the last', () => {
  const program = saved('db e3 d9 e8 d9 ee');
  expect([st(program, 0), st(program, 1)]).toEqual(['0:0000000000000000', '3fff:8000000000000000']);
  expect(control(program)).toEqual([0x37f, 0x3000, 0xc0]);
});

test('the ninth push is a stack fault: the indefinite value, IE, SF and C1', () => {
  const program = saved(`db e3 ${'d9 e8 '.repeat(9)}`);
  expect(st(program, 0)).toBe('ffff:c000000000000000');
  expect(control(program)).toEqual([0x37f, 0x3800 | 0x241, 0xff]);
});

test('FSTP of an empty register stores the indefinite value: IE and SF without C1', () => {
  const program = saved('db e3 db 7e 10');
  expect(stored(program)).toEqual([0xc000_0000_0000_0000n, 0xffffn]);
  expect(control(program)).toEqual([0x37f, 0x0800 | 0x41, 0]);
});

test.each([
  ['EMMS empties all registers', 'd9 e8 d9 e8 0f 77', [0x37f, 0x3000, 0]],
  ['FFREE empties one', 'd9 e8 d9 e8 dd c1', [0x37f, 0x3000, 0x40]],
  ['FINCSTP moves the top', 'd9 e8 d9 f7', [0x37f, 0, 0x80]],
  ['FDECSTP moves the top', 'd9 e8 d9 f6', [0x37f, 0x3000, 0x80]],
  ['FNCLEX clears the exceptions', 'db 7e 10 db e2', [0x37f, 0x0800, 0]],
])('%s', (_name, code, expected) => {
  expect(control(saved(`db e3 ${code}`))).toEqual(expected);
});

test('FXRSTOR gives back what FXSAVE stored, registers in use too', () => {
  // fld1; fxsave64; fninit; fxrstor64; fxsave64 [rbx+512]
  const program = new Program(
    `db e3 d9 e8 db 06 ${FXSAVE64} db e3 48 0f ae 0b 48 81 c3 00 02 00 00 ${FXSAVE64}`,
    { rsi: BigInt(DATA), rbx: BigInt(AREA) },
  );
  program.write(DATA, Uint8Array.of(5));
  program.run();
  const before = program.memory(AREA, 52);
  expect(program.memory(AREA + 512, 52)).toEqual(before);
  expect(control(program)).toEqual([0x37f, 0x3000, 0xc0]);
});

describe('with CR0.TS', () => {
  test.each(['db e3', 'db 06', FXSAVE])('%s is a #NM', (code) => {
    const program = new Program(code, { rsi: BigInt(DATA), rbx: BigInt(AREA) });
    const cpu = program.machine_.cpus[0];
    cpu.writeCr0((cpu.cr0 | 8) >>> 0);
    program.run();
    expect(program.exception).toBe(7);
  });
});

test('FLD of a single is not modelled: it needs a conversion', () => {
  const program = new Program('d9 06', { rsi: BigInt(DATA) });
  expect(program.executor.run()).toMatchObject({ kind: 'not-modelled', mnemonic: 'fld' });
});
