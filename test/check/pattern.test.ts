import { describe, expect, test } from '@jest/globals';
import type { Scalar } from '../../src/trace/trace.js';
import {
  capturesOf,
  matchRecord,
  matchValue,
  mismatches,
  patternText,
  valuePattern,
  type ValuePattern,
} from '../../src/check/pattern.js';

/** A valid value pattern. */
function pattern(value: Scalar | null): ValuePattern {
  const read = valuePattern(value);
  if (typeof read === 'string') throw new Error(read);
  return read;
}
const matches = (written: Scalar | null, value: Scalar | undefined): boolean =>
  matchValue(pattern(written), value, new Map()) !== undefined;

const RANGE = '0x1c8b000..0x1c8bfff early_level4_pgt[511]';

describe('a value', () => {
  test.each<[Scalar | null, Scalar | undefined, boolean]>([
    ['WB', 'WB', true],
    ['WB', 'WP', false],
    [1, 1, true],
    [1, '1', true],
    [1, 0, false],
    [true, true, true],
    ['0x1c8b000..0x1c8bfff', RANGE, true],
    ['early_level4_pgt[511]', RANGE, true],
    ['early_level4_pgt', RANGE, false],
    ['0x1c8b000', RANGE, false],
    ['0x1000', '0x1000 _text', true],
    ['b', 'a b', false],
    ['/pgt/', RANGE, true],
    ['/^pgt/', RANGE, false],
    ['/^1$/', 1, true],
    ['\\/dev/', '/dev/', true],
    ['\\$x', '$x', true],
    ['$x', 'anything', true],
    ['$x', undefined, false],
    [null, undefined, true],
    [null, 0, false],
    ['', '', true],
    ['', undefined, false],
  ])('pattern %p matches value %p: %p', (written, value, yes) => {
    expect(matches(written, value)).toBe(yes);
  });

  test.each([
    ['/', 'between two /'],
    ['//', 'between two /'],
    ['/x', 'between two /'],
    ['/(/', 'missing closing ): `('],
    ['/a{999}b{999}c{999}d{999}e{999}f{999}g{999}h{999}i{999}j{999}k{999}/', 'at most 10000'],
    ['/(?=a)/', 'no lookahead'],
    ['/(a)\\1/', 'no backreferences'],
    [`/${'x'.repeat(499)}/`, 'at most 500'],
    ['$', 'a capture is'],
    ['$1', 'a capture is'],
    ['$a b', 'a capture is'],
  ])('cannot have the pattern %p', (written, reason) => {
    expect(valuePattern(written)).toContain(reason);
  });

  test.each([
    ['/(a|a)+!$/', 'a'.repeat(50_000)],
    ['/(x+x+)+y/', 'x'.repeat(50_000)],
    ['/^(([a-z])+.)+[A-Z]([a-z])+$/', 'a'.repeat(50_000)],
    ['/.*.*.*.*.*.*.*.*=/', 'x'.repeat(50_000)],
  ])('is matched by %p in time linear in the value', (written, value) => {
    expect(matches(written, value)).toBe(false);
  });

  test('may have a regular expression of the greatest length', () => {
    expect(matches(`/${'x'.repeat(498)}/`, 'x'.repeat(498))).toBe(true);
  });
});

describe('a capture', () => {
  test('is bound by the first value, and later values must be equal', () => {
    const both = { va: pattern('$page'), pa: pattern('$page') };
    expect(matchRecord(both, { va: '0x1', pa: '0x1' }, new Map())).toEqual(
      new Map([['page', '0x1']]),
    );
    expect(matchRecord(both, { va: '0x1', pa: '0x2' }, new Map())).toBeUndefined();
    expect(matchRecord(both, { va: '0x1', pa: '0x1' }, new Map([['page', '0x2']]))).toBeUndefined();
  });

  test('may be a part of a value, by a named group', () => {
    const map = pattern('/^(?<first>0x[0-9a-f]+)(?<rest>\\.\\.)?/');
    const bound = matchValue(map, '0x1000 _text', new Map());
    expect(bound).toEqual(new Map([['first', '0x1000']]));
    expect(capturesOf(map)).toEqual(['first', 'rest']);
    expect(capturesOf(pattern('$x'))).toEqual(['x']);
    expect(capturesOf(pattern('x'))).toEqual([]);
  });

  test('does not change the captures that are passed in', () => {
    const before = new Map([['x', '1']]);
    matchValue(pattern('$y'), '2', before);
    expect([...before]).toEqual([['x', '1']]);
  });
});

test('mismatches have the field, the pattern as written and the value found', () => {
  const patterns = {
    map: pattern('/0x1/'),
    C: pattern(1),
    type: pattern(null),
    pa: pattern('$pa'),
    in: pattern('$fn'),
  };
  const event = { map: '0x2', C: 0, type: 'WB', pa: '0x9' };
  expect(mismatches(patterns, event, new Map([['pa', '0x8']]))).toEqual([
    { field: 'map', expected: '/0x1/', found: '0x2' },
    { field: 'C', expected: '1', found: 0 },
    { field: 'type', expected: '(absent)', found: 'WB' },
    { field: 'pa', expected: '$pa (0x8)', found: '0x9' },
    { field: 'in', expected: '$fn', found: undefined },
  ]);
  expect(patternText(pattern('$pa'))).toBe('$pa');
});
