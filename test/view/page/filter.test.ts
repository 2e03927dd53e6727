/** The filter of events. */
import { expect, test } from '@jest/globals';
import { matchesFilter } from '../../../src/view/page/filter.js';

const event = { encrypt: '0x1000..0x103f initrd', C: 1, in: 'memcpy', hunk: '09/initrd', n: 3 };

test.each([
  ['', true],
  ['   ', true],
  ['encrypt', true],
  ['kind=encrypt', true],
  ['kind=crypt', false],
  ['read', false],
  ['C=1', true],
  ['c=0', false],
  ['in=memcpy', true],
  ['in=mem', false],
  ['MEMC', true],
  ['initrd C=1', true],
  ['initrd C=0', false],
  ['hunk=09/initrd', true],
  ['nope=1', false],
  ['=1', false],
])('%j', (filter, expected) => {
  expect(matchesFilter(event, filter)).toBe(expected);
});
