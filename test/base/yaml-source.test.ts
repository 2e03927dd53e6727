import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';
import { InputError } from '../../src/base/errors.js';
import { LIMITS } from '../../src/base/limits.js';
import {
  describeValue,
  pathText,
  readYaml,
  validate,
  valueAt,
} from '../../src/base/yaml-source.js';
import { refusal } from '../trace/helpers.js';

describe('a YAML file', () => {
  test.each([
    ['text', '0x10'],
    ['number', 16],
  ] as const)('has plain hexadecimal as %s with that option', (hex, value) => {
    expect(readYaml('a.yaml', 'a: 0x10', { hex }).value).toEqual({ a: value });
    expect(readYaml('a.yaml', 'a: 16', { hex }).value).toEqual({ a: 16 });
    expect(readYaml('a.yaml', 'a: "16"', { hex }).value).toEqual({ a: '16' });
  });

  const bomb = `a: &a [x, x]\n${[...'bcdefghij']
    .map((name, index) => `${name}: &${name} [*${'abcdefghi'[index] ?? ''}, *a]`)
    .join('\n')}`;
  test.each([
    ['a syntax error', 'a: [1, 2', 1],
    ['a key twice', 'a: 1\na: 2', 2],
    ['two documents', 'a: 1\n---\nb: 2', 2],
    ['an unknown tag', 'a: !!js/function x', 1],
    ['an alias', 'a: &x 1\nb: *x', 2],
    ['an alias bomb', bomb, 2],
    ['a key that JavaScript reserves', 'a:\n  __proto__: 1', 2],
    ['a mapping as a key', 'a: 1\n{b: 2}: 3', 2],
    ['bytes as a key', 'a: 1\n!!binary AA==: 3', 2],
    ['a list as a key', '? [a]\n: 3', 1],
    ['an alias to nothing', 'a: *x', 1],
    ['very deep nesting', '['.repeat(20_000), 1],
  ])('is refused with %s', (_what, text, line) => {
    const error = refusal(() => readYaml('a.yaml', text));
    expect(error.code).toBe('E_YAML');
    expect(error.place.file).toBe('a.yaml');
    if (line !== undefined) expect(error.place.line).toBe(line);
  });

  test('is refused one character above the limit, before it is parsed', () => {
    const text = ' '.repeat(LIMITS.yamlFile.most + 1);
    expect(refusal(() => readYaml('a.yaml', text))).toMatchObject({
      code: 'E_FILE_TOO_LARGE',
      place: { file: 'a.yaml' },
      found: String(text.length),
    });
  });

  test.each([
    ['flow lists', (n: number) => `a: ${'['.repeat(n)}${']'.repeat(n)}`],
    ['lists', (n: number) => `a:\n ${'- '.repeat(n)}1`],
    [
      'mappings',
      (n: number) => Array.from({ length: n }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    ],
  ])('is refused where %s are nested too deeply, with the place', (_what, nested) => {
    expect(() => readYaml('a.yaml', nested(60))).not.toThrow();
    for (const depth of [70, 700, 1200]) {
      const error = refusal(() => readYaml('a.yaml', nested(depth)));
      expect(error).toMatchObject({ code: 'E_YAML', expected: 'at most 64 levels of nesting' });
      expect(error.place.line).toBeGreaterThan(0);
    }
  });

  test('of 40,000 keys is read in linear time, and a repeated key of them is found', () => {
    const keys = Array.from({ length: 40_000 }, (_, i) => `k${i}: 1`);
    const one = `{${keys.join(', ')}}`;
    expect(Object.keys(readYaml('a.yaml', one).value as object)).toHaveLength(40_000);
    const again = `{${keys.join(', ')},\nk7: 2}`;
    expect(refusal(() => readYaml('a.yaml', again)).place.line).toBe(2);
    expect(refusal(() => readYaml('a.yaml', keys.join('\n')))).toMatchObject({
      code: 'E_FILE_TOO_LARGE',
      expected: 'at most 20000 lines',
      found: '40000',
    });
  });

  test('of any text is parsed or refused with an InputError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          readYaml('a.yaml', text);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
    );
  });
});

describe('a place in a YAML file', () => {
  const source = readYaml('a.yaml', 'a:\n  - b: 1\n    c d: 2\n');

  test.each([
    [[], undefined, { file: 'a.yaml', line: 1, column: 1 }],
    [['a'], undefined, { file: 'a.yaml', path: 'a', line: 2, column: 3 }],
    [['a', 0, 'b'], undefined, { file: 'a.yaml', path: 'a[0].b', line: 2, column: 8 }],
    [['a', 0], 'c d', { file: 'a.yaml', path: 'a[0]."c d"', line: 3, column: 5 }],
    [['a', 7], undefined, { file: 'a.yaml', path: 'a[7]', line: 2, column: 3 }],
  ])('of %j %p is the line and column of the value', (path, key, place) => {
    expect(source.place(path, key)).toEqual(place);
  });

  test('has its path written with dots and brackets', () => {
    expect(pathText(['steps', 3, 'events', 0, 'tlb-flush'])).toBe('steps[3].events[0].tlb-flush');
    expect(pathText([0, 'a'])).toBe('[0].a');
  });
});

describe('a value that a schema refuses', () => {
  const schema = z.strictObject({
    size: z.int().min(1).max(9).optional(),
    mode: z.enum(['XE', 'XEX']).optional(),
    list: z.array(z.string()).min(1).optional(),
    either: z.union([z.string(), z.strictObject({ deep: z.number() })]).optional(),
  });

  test.each([
    ['size: x', 'E_X: a.yaml:1:7, size: expected a number, found "x"'],
    ['size: 1.5', 'E_X: a.yaml:1:7, size: expected a whole number, found 1.5'],
    ['size: 0', 'E_X: a.yaml:1:7, size: expected at least 1, found 0'],
    ['size: 10', 'E_X: a.yaml:1:7, size: expected at most 9, found 10'],
    ['mode: CBC', 'E_X: a.yaml:1:7, mode: expected XE or XEX, found "CBC"'],
    ['list: []', 'E_X: a.yaml:1:7, list: expected not empty, found an empty list'],
    ['list: [1]', 'E_X: a.yaml:1:8, list[0]: expected text, found 1'],
    ['either: {deep: x}', 'E_X: a.yaml:1:16, either.deep: expected a number, found "x"'],
    [
      'sice: 1',
      'E_X: a.yaml:1:1, sice: unknown key "sice"; expected size, mode, list, either; did you mean size?',
    ],
    ['[]', 'E_X: a.yaml:1:1: expected a mapping, found an empty list'],
    ['', 'E_X: a.yaml: expected a mapping, found nothing'],
  ])('%s: %s', (text, message) => {
    const source = readYaml('a.yaml', text);
    expect(refusal(() => validate('E_X', schema, source)).message).toBe(message);
  });

  test('is described in at most 60 characters', () => {
    expect([null, {}, [1], true, 'x'.repeat(100)].map(describeValue)).toEqual([
      'nothing',
      'a mapping',
      'a list',
      'true',
      `"${'x'.repeat(56)}…`,
    ]);
  });

  test('is looked up by own properties only', () => {
    expect(valueAt({ a: [1] }, ['a', 0])).toBe(1);
    expect(valueAt({}, ['toString'])).toBeUndefined();
    expect(valueAt(null, ['a'])).toBeUndefined();
  });
});
