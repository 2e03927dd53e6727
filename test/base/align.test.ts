import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { align, EQUAL, type Aligned, type Weighing } from '../../src/base/align.js';

/** Words: similar if they begin with the same letter. */
const byWord: Weighing<string> = {
  key: (word) => word,
  similar: (a, b) => (a[0] === b[0] ? EQUAL / 2 : 0),
};
const words = (text: string): string[] => (text === '' ? [] : text.split(' '));
const shown = (a: string, b: string): string =>
  align(words(a), words(b), byWord)
    .map((at) => {
      const [x, y] = [words(a)[at.a ?? -1], words(b)[at.b ?? -1]];
      if (x === y) return `=${x ?? ''}`;
      return x !== undefined && y !== undefined ? `${x}~${y}` : ((x && `-${x}`) ?? `+${y ?? ''}`);
    })
    .join(' ');

describe('align', () => {
  test.each([
    ['', '', ''],
    ['a b', 'a b', '=a =b'],
    ['a b c', 'a c', '=a -b =c'],
    ['a c', 'a b c', '=a +b =c'],
    ['a', 'b', '-a +b'],
    ['a1 b', 'a2 b', 'a1~a2 =b'],
    ['a1 a2', 'a2', '-a1 =a2'],
    ['a b c d', 'c d a', '-a -b =c =d +a'],
    ['x a1 y', 'p a2 q', '-x +p a1~a2 -y +q'],
  ])('aligns %j and %j as %j', (a, b, text) => {
    expect(shown(a, b)).toBe(text);
  });

  const anyWords = fc.array(fc.constantFrom('a', 'a1', 'a2', 'b', 'b1', 'c'), { maxLength: 12 });

  test('returns each index of both sequences once, in order', () => {
    fc.assert(
      fc.property(anyWords, anyWords, (a, b) => {
        const rows = align(a, b, byWord);
        const left = rows.flatMap((row) => row.a ?? []);
        const right = rows.flatMap((row) => row.b ?? []);
        expect(left).toEqual(a.map((_word, index) => index));
        expect(right).toEqual(b.map((_word, index) => index));
      }),
    );
  });

  test('gives the same pairs when the sequences are swapped', () => {
    const pairs = (rows: readonly Aligned[]): Aligned[] =>
      rows.filter(({ a, b }) => a !== undefined && b !== undefined);
    fc.assert(
      fc.property(anyWords, anyWords, (a, b) => {
        const forward = pairs(align(a, b, byWord));
        const swapped = pairs(align(b, a, byWord));
        expect(swapped.map((at) => [at.b, at.a])).toEqual(forward.map((at) => [at.a, at.b]));
      }),
    );
  });

  test('pairs as many equal elements as the longest common subsequence has', () => {
    const lcs = (a: readonly string[], b: readonly string[]): number => {
      const [x, ...as] = a;
      const [y, ...bs] = b;
      if (x === undefined || y === undefined) return 0;
      return x === y ? 1 + lcs(as, bs) : Math.max(lcs(as, b), lcs(a, bs));
    };
    const few = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 7 });
    fc.assert(
      fc.property(few, few, (a, b) => {
        const rows = align(a, b, { ...byWord, similar: () => 0 });
        const equal = rows.filter((at) => at.a !== undefined && at.b !== undefined);
        expect(equal).toHaveLength(lcs(a, b));
      }),
    );
  });

  test('pairs equal elements only in sequences too long to weigh', () => {
    const a = Array.from({ length: 2000 }, (_, index) => `a${index}`);
    const b = Array.from({ length: 2000 }, (_, index) =>
      index % 2 === 0 ? `a${index}` : `b${index}`,
    );
    const both = align(['first', ...a, 'end'], ['start', ...b, 'last'], byWord);
    expect(both.filter((at) => at.a !== undefined && at.b !== undefined)).toHaveLength(1000);
  });
});
