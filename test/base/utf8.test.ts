import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeUtf8 } from '../../src/base/utf8.js';
import { refusal } from '../trace/helpers.js';

test('text in UTF-8 is decoded', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = new TextEncoder().encode(text);
      expect(decodeUtf8('f', bytes)).toBe(new TextDecoder().decode(bytes));
    }),
  );
});

test.each([
  ['a byte that begins nothing', [0x61, 0xff, 0x61], 1, 1],
  ['a continuation byte alone', [0x0a, 0x80], 2, 1],
  ['ISO 8859-1', [0x0a, 0x0a, 0xe4, 0x63], 3, 2],
  ['a character cut at the end', [0x61, 0xe2, 0x82], 1, 1],
  ['a character cut by another', [0xe2, 0x82, 0xc3, 0xa4], 1, 0],
  ['a byte after a whole character', [0xc3, 0xa4, 0xff], 1, 2],
  ['an overlong form', [0xc0, 0x80], 1, 0],
  ['a surrogate', [0x61, 0xed, 0xa0, 0x80], 1, 1],
  ['a character above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 1, 0],
])('%s is refused with its line and offset', (_what, bytes, line, offset) => {
  const error = refusal(() => decodeUtf8('f.yaml', Uint8Array.from(bytes)));
  expect(error.code).toBe('E_UTF8');
  expect(error.place).toEqual({ file: 'f.yaml', line, offset });
  expect(error.found).toBe(`byte 0x${(bytes[offset] ?? 0).toString(16)}`);
});
