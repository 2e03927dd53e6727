import { describe, expect, test } from '@jest/globals';
import { evaluate, evaluateConstant, sameBits, type Known } from '../../src/review/constant.js';

const NAMES: Readonly<Record<string, Known>> = {
  BIT_NO: 23n,
  BIT_TEXT: '23',
  SELF: 'SELF + 1',
  A: 'B',
  B: 'A',
  WORDS: '17',
  SHIFT: '(12)',
  SIZE: '(_AC(1,UL) << SHIFT)',
  MASK: '(~(SIZE-1))',
};
const lookup = (name: string): Known => (Object.hasOwn(NAMES, name) ? NAMES[name] : undefined);

describe('a constant expression has its C value', () => {
  test.each<[string, bigint]>([
    ['0', 0n],
    ['0x10', 16n],
    ['010', 8n],
    ['0b101', 5n],
    ['42ULL', 42n],
    ['(17*32+ 0)', 544n],
    ['1 + 2 * 3 - 4 / 2 % 3', 5n],
    ['(1 | 2) & ~1 ^ 4', 6n],
    ['1ULL << BIT_NO', 0x800000n],
    ['(1ULL << BIT_TEXT)', 0x800000n],
    ['BIT(3) | BIT_ULL(40)', 0x10000000008n],
    ['_BITUL(1) + _BITULL(2)', 6n],
    ['GENMASK(7, 4)', 0xf0n],
    ['GENMASK_ULL(63, 0)', 0xffffffffffffffffn],
    ['_AC(0xffff, UL)', 0xffffn],
    ['_AC( 1 , ULL ) << 4', 16n],
    ['_AT(pteval_t, 1) << BIT_NO', 0x800000n],
    ['((pteval_t)(1)) << 63', 1n << 63n],
    ['(unsigned char)0x1ff', 0xffn],
    ['(u32)~0', 0xffffffffn],
    ['(s32)0xffffffff', -1n],
    ['~0', -1n],
    ['~0U', 0xffffffffn],
    ['~0UL', 0xffffffffffffffffn],
    ['MASK', 0xfffffffffffff000n],
    ['-1', -1n],
    ['-1 < 1u', 0n],
    ['-1 < 1', 1n],
    ['0xffffffff + 1', 0n],
    ['4294967295 + 1', 0x100000000n],
    ['1 ? 2 : 3', 2n],
    ['!1 || 2 == 2 && 3 != 4', 1n],
    ["'A' + '\\n'", 75n],
    ['1 /* one */ + \\\n 2 // two', 3n],
    ['UL(1) << 40', 1n << 40n],
    ['WORDS * 32 + 10', 554n],
  ])('%s', (text, value) => {
    expect(evaluate(text, lookup)).toBe(value);
  });
});

describe('what is no constant has a reason instead of a value', () => {
  test.each([
    ['', 'it is empty'],
    ['UNKNOWN + 1', 'UNKNOWN has no known value'],
    ['f(1)', 'f() is not a constant'],
    ['SELF', 'SELF is defined by itself'],
    ['A', 'A is defined by itself'],
    ['1 +', 'it ends within an expression'],
    ['(1', 'it ends within an expression'],
    ['1 2', '2 is not part of an expression'],
    ['1 / 0', 'division by zero'],
    ['1 << 32', 'a shift by its width or more'],
    ['1 << -1', 'a shift by its width or more'],
    ['08', '08 is no octal number'],
    ['1.5', 'it has characters that are not read'],
    ['1x', '1x is no integer'],
    ['0x10000000000000000', '0x10000000000000000 has more than 64 bits'],
    ['"text"', 'it has characters that are not read'],
    ['{ 1 }', 'it has characters that are not read'],
    ['_AT(struct page, 1)', 'struct page is no known type'],
    ['GENMASK(4, 7)', 'GENMASK has no such bits'],
    ['BIT()', 'it ends within an expression'],
  ])('%s', (text, reason) => {
    expect(evaluateConstant(text, lookup)).toEqual({ reason });
  });

  test.each(['(', '~', '1?'])('a thousand times %s', (text) => {
    expect(evaluateConstant(text.repeat(1000), lookup)).toEqual({
      reason: 'it is nested too deeply',
    });
  });

  test('a chain of definitions that double is not followed for ever', () => {
    const chain = (name: string): Known => {
      const n = Number(name.slice(1));
      return n === 0 ? '1' : `N${n - 1} + N${n - 1}`;
    };
    expect(evaluateConstant('N10', chain)).toEqual({ value: 1024n, unsigned: false });
    expect(evaluateConstant('N40', chain)).toEqual({ reason: 'it uses too many names' });
  });
});

test('values are the same if their 64 bits are', () => {
  expect(sameBits(-1n, 0xffffffffffffffffn)).toBe(true);
  expect(sameBits(1n, 2n)).toBe(false);
});
