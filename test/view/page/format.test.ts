/** Numbers as text. */
import { expect, test } from '@jest/globals';
import { counted, rangeText, shown, sizeText } from '../../../src/view/page/format.js';

test.each([
  [0, '0 bytes'],
  [100, '100 bytes'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [1678, '1678 bytes'],
  [2 ** 25, '32 MiB'],
  [8 * 2 ** 30, '8 GiB'],
  [2 ** 50, '1024 TiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test('a range is first to last', () => {
  expect(rangeText(0x1000, 0x1000)).toBe('0x1000..0x1fff');
  expect(rangeText(0x1000, 1)).toBe('0x1000');
});

test('a count has its noun in the plural but for one', () => {
  expect([counted(0, 'event'), counted(1, 'event'), counted(2, 'event')]).toEqual([
    '0 events',
    '1 event',
    '2 events',
  ]);
});

test('text of the machine has no control characters', () => {
  expect(shown('a\u202eb\u0007')).toBe('a\\u202eb\\u0007');
});
