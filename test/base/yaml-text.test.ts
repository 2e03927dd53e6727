import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Document, parse } from 'yaml';
import { yamlText } from '../../src/base/yaml-text.js';

const hostile = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xa0 }),
      fc.integer({ min: 0x2020, max: 0x206f }),
      fc.integer({ min: 0, max: 0xffff }),
    ),
  )
  .map((units) => String.fromCharCode(...units));

test.each([
  ['\u007f', '"\\u007f"\n'],
  ['a\u001b[31m', '"a\\e[31m"\n'],
  ['\u202egpj.exe', '"\\u202egpj.exe"\n'],
  ['[a]: no', "'[a]: no'\n"],
  // YAML 1.2, 5.4: these end a line for some readers, and not for others.
  ['a\u0085b', '"a\\u0085b"\n'],
  ['a\u2028b', '"a\\u2028b"\n'],
  ['a\u2029b', '"a\\u2029b"\n'],
  // A line feed alone needs no escapes: the text stays readable.
  ['a\nb\n', '|\na\nb\n'],
])('a scalar %j is written as %j', (text, yaml) => {
  expect(yamlText(new Document(text))).toBe(yaml);
});

test('keys and values are read back as they were, and no unsafe character is written', () => {
  fc.assert(
    fc.property(fc.dictionary(hostile, hostile), (value) => {
      const text = yamlText(new Document(value));
      expect(text).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u);
      // A key __proto__ cannot be read back as a property.
      if (!Object.hasOwn(value, '__proto__')) expect(parse(text)).toEqual({ ...value });
    }),
  );
});

test('a comment is safe too', () => {
  const document = new Document({ a: 1 });
  document.commentBefore = ' \u009b2J\u202e';
  expect(yamlText(document)).toBe('# \\u009b2J\\u202e\n\na: 1\n');
});
