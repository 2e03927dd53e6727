import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  isPrintable,
  jsonText,
  oneLine,
  printable,
  printableColoured,
  printableLines,
} from '../../src/base/printable.js';

/** Any UTF-16 code unit, most of them from the ranges that matter. */
const hostile = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xa0 }),
      fc.integer({ min: 0x2020, max: 0x206f }),
      fc.integer({ min: 0, max: 0xffff }),
    ),
  )
  .map((units) => String.fromCharCode(...units));

describe('printable', () => {
  test.each([
    ['ESC', '\u001b[2J', '\\u001b[2J'],
    ['BEL and NUL', 'a\u0007\u0000', 'a\\u0007\\u0000'],
    ['DEL and CSI of C1', '\u007f\u009b31m', '\\u007f\\u009b31m'],
    ['line ends', 'a\nb\rc\u0085d\u2028e\u2029', 'a\\nb\\u000dc\\u0085d\\u2028e\\u2029'],
    ['bidirectional overrides', '\u202agpj.\u202e\u202c', '\\u202agpj.\\u202e\\u202c'],
    ['isolates and marks', '\u2066a\u2069\u200f\u061c', '\\u2066a\\u2069\\u200f\\u061c'],
    ['a byte order mark', '\ufeffa', '\\ufeffa'],
    ['a lone surrogate', 'a\ud800b', 'a\\ud800b'],
  ])('escapes %s', (_title, text, escaped) => {
    expect(printable(text)).toBe(escaped);
    expect(isPrintable(text)).toBe(false);
  });

  test('leaves other text as it is, tabs among it', () => {
    const text = 'a\tb é 漢 😀 \\u001b "x" שלום';
    expect(printable(text)).toBe(text);
    expect(isPrintable(text)).toBe(true);
  });

  test('leaves no character that a terminal obeys', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(printable(text)).not.toMatch(/(?!\t)[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u);
        expect(printableLines(text)).toBe(text.split('\n').map(printable).join('\n'));
        expect(oneLine(text)).not.toMatch(/[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u);
      }),
    );
  });

  test('oneLine() turns white space of any kind into one space', () => {
    expect(oneLine(' a\r\n\t b\u2028c\u001b ')).toBe('a b c\\u001b');
  });

  test('printableColoured() leaves colours and escapes other sequences', () => {
    expect(printableColoured('\u001b[1;31mx\u001b[39m\n\u001b[2J\u001b]0;t\u0007')).toBe(
      '\u001b[1;31mx\u001b[39m\n\\u001b[2J\\u001b]0;t\\u0007',
    );
  });
});

test('jsonText() is JSON of the same value, without unsafe characters', () => {
  fc.assert(
    fc.property(fc.dictionary(hostile, fc.array(hostile)), (value) => {
      const text = jsonText(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u);
    }),
  );
});
