import { describe, expect, test } from '@jest/globals';
import {
  inPlaceRange,
  overlap,
  rangeIn,
  readRange,
  writtenRange,
} from '../../src/trace/event-ranges.js';

describe('a range in a text', () => {
  test.each([
    ['0x1000..0x1fff startup_64', { start: 0x1000, end: 0x2000 }],
    ['0x1000', { start: 0x1000, end: 0x1001 }],
    ['startup_64', undefined],
    ['', undefined],
    [0x1000, undefined],
    [undefined, undefined],
  ])('%j', (value, range) => {
    expect(rangeIn(value)).toEqual(range);
  });
});

test.each([
  [0, 10, false],
  [0, 11, true],
  [19, 30, true],
  [20, 30, false],
])('[%i, %i) overlaps [10, 20): %j', (start, end, expected) => {
  expect(overlap({ start, end }, { start: 10, end: 20 })).toBe(expected);
});

const PA = { start: 0x1000, end: 0x2000 };
const TO = { start: 0x5000, end: 0x6000 };
const [pa, toPa] = ['0x1000..0x1fff initrd', '0x5000..0x5fff'];

test.each([
  [{ fill: '0xffff880000001000..0xffff880000001fff', pa, value: 0 }, PA, undefined, undefined],
  [{ copy: 'a', fromPa: pa, toPa }, TO, PA, undefined],
  [{ dma: 'firmware', pa }, PA, undefined, undefined],
  [{ dma: 'nic', direction: 'from device', pa }, PA, undefined, undefined],
  [{ dma: 'nic', direction: 'to device', pa }, undefined, PA, undefined],
  [{ read: 'initrd', pa }, undefined, PA, undefined],
  [{ encrypt: pa, bytes: 0x1000 }, undefined, undefined, PA],
  [{ decrypt: pa, bytes: 0x1000 }, undefined, undefined, PA],
  [{ map: '0x0', pa }, undefined, undefined, undefined],
  [{ console: 'ok' }, undefined, undefined, undefined],
])('%j writes %j, reads %j, changes the key of %j', (event, written, read, inPlace) => {
  expect([writtenRange(event), readRange(event), inPlaceRange(event)]).toEqual([
    written,
    read,
    inPlace,
  ]);
});
