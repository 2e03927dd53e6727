import { describe, expect, test } from '@jest/globals';
import {
  inLine,
  lineOf,
  pa,
  paAdd,
  paOfPage,
  translated,
  va,
  vaAdd,
} from '../../src/machine/address.js';

const TOP = 2 ** 52 - 1;

describe('address arithmetic', () => {
  test.each([
    [0, 0, 0],
    [63, 0, 63],
    [64, 64, 0],
    [0xffff_ffff, 0xffff_ffc0, 63],
    [2 ** 31 + 5, 2 ** 31, 5],
    [2 ** 32 + 65, 2 ** 32 + 64, 1],
    [TOP, TOP - 63, 63],
  ])('lineOf and inLine of %p are %p and %p', (at, line, offset) => {
    expect([lineOf(pa(at)), inLine(pa(at))]).toEqual([line, offset]);
  });

  test('paAdd adds bytes', () => {
    expect([paAdd(pa(2 ** 32 - 1), 2), paAdd(pa(0x1000), -1)]).toEqual([2 ** 32 + 1, 0xfff]);
  });

  test('vaAdd stays canonical: the low half is followed by the high half', () => {
    expect(vaAdd(va(-0x1000), 0x1000)).toBe(0);
    expect(vaAdd(va(2 ** 47 - 0x1000), 0x1000)).toBe(-(2 ** 47));
  });

  test('paOfPage is the address of a byte of a page', () => {
    expect(paOfPage(2 ** 40 - 1, 0xfff)).toBe(TOP);
  });

  test('translated maps the range of a translation', () => {
    const entry = { va: va(-0x8000_0000), pa: pa(0x100_0000) };
    expect(translated(entry, va(-0x8000_0000 + 0x1234))).toBe(0x100_1234);
  });
});
