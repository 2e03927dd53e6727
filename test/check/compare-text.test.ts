import { expect, test } from '@jest/globals';
import { compare } from '../../src/check/compare.js';
import { differenceText, fieldText } from '../../src/check/compare-text.js';
import { smallTrace, traceWith } from '../trace/helpers.js';

const before = traceWith({ a: [{ map: '0x0', C: 1 }, { console: 'x' }], b: [{ console: 'y' }] });
const after = {
  ...traceWith({ a: [{ map: '0x0', C: 0 }, { panic: 'z' }] }),
  outcome: { kind: 'booted' as const },
};

test('a difference has a line for each event that is missing, extra or changed', () => {
  expect(differenceText(compare(before, after))).toBe(`a:
  ~ {map: 0x0, C: 0}
      C: expected 1, found 0
  - {console: x}
  + {panic: z}
b: (missing)
  - {console: y}
outcome:
  kind: expected panic, found booted
  where: expected panic, found (none)
  message: expected VFS: Unable to mount root fs, found (none)
`);
});

test('no difference is an empty text', () => {
  expect(differenceText(compare(smallTrace(), smallTrace()))).toBe('');
});

test('a difference is coloured with the given painter', () => {
  const paint = {
    heading: (text: string) => `H${text}`,
    gone: (text: string) => `G${text}`,
    added: (text: string) => `A${text}`,
    changed: (text: string) => `C${text}`,
  };
  const marks = differenceText(compare(before, after), paint)
    .split('\n')
    .map((line) => line.slice(0, 1));
  expect(marks.join('')).toBe('HCCGAHGHCCC');
});

test('a field that one side lacks is printed as (none)', () => {
  expect(fieldText({ field: 'hunk', expected: undefined, found: '08/enc' })).toBe(
    'hunk: expected (none), found 08/enc',
  );
});

test('with the wording `before` a field is printed as before → after', () => {
  expect(fieldText({ field: 'C', expected: 0, found: 1 }, 'before')).toBe('C: 0 → 1');
});
