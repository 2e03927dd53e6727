import { expect, test } from '@jest/globals';
import { OPTIONS, rowsOf } from '../../src/linux/options/options.js';
import { notModelled, seriesParameters } from '../../src/series/options.js';

test('the option that patch 18 parses is one of the series: 4.6 does not have it', () => {
  expect([...new Set(seriesParameters())]).toEqual(['mem_encrypt']);
  expect(OPTIONS.map(([name]) => name)).not.toContain('mem_encrypt');
  expect(rowsOf({ param: 'mem_encrypt', val: 'on' })).toEqual([]);
  expect(notModelled('mem_encrypt=on mem-encrypt=off mem_encryption=on')).toEqual([
    { option: 'mem_encryption=on', why: 'unknown to 4.6: passed to init' },
  ]);
});
