import { describe, expect, test } from '@jest/globals';
import { hexAddress, rangeText, renderEvent, renderField } from '../../src/trace/render.js';
import { by, pa, va } from './helpers.js';

describe('an address', () => {
  test.each([
    [0, '0x0'],
    [2 ** 52 - 1, '0xfffffffffffff'],
    [2 ** 47 - 1, '0x7fffffffffff'],
    [-(2 ** 47), '0xffff800000000000'],
    [-1, '0xffffffffffffffff'],
    [-0x7f00_0000, '0xffffffff81000000'],
  ])('%d is written %s', (address, text) => {
    expect(hexAddress(address)).toBe(text);
  });
});

describe('a range of addresses', () => {
  test.each([
    [pa(0x1000, 0), '0x1000 (empty)'],
    [pa(0x1000, 1), '0x1000'],
    [pa(0x1000, 2), '0x1000..0x1001'],
    [pa(0x1000), '0x1000..0x1fff'],
    [va(-0x1000), '0xfffffffffffff000..0xffffffffffffffff'],
  ])('%j is written first to last: %s', (span, text) => {
    expect(rangeText(span)).toBe(text);
  });

  test('is followed by the symbol of its first address', () => {
    const name = (space: string, at: number): string | undefined =>
      space === 'pa' && at === 0x1c8_bff8 ? 'early_level4_pgt[511]' : undefined;
    expect(renderField(pa(0x1c8_bff8, 8), name)).toBe('0x1c8bff8..0x1c8bfff early_level4_pgt[511]');
    expect(renderField(pa(0x1c8_bff8, 1), name)).toBe('0x1c8bff8 early_level4_pgt[511]');
    expect(renderField(va(0x1c8_bff8, 1), name)).toBe('0x1c8bff8');
  });
});

describe('an event', () => {
  const none = (): undefined => undefined;

  test('has the kind first, then fields, origin and count in a fixed order', () => {
    const fields = { C: 1, type: 'WB', pa: pa(0x1000), va: va(0x2000), flags: undefined };
    const event = renderEvent('map', fields, { ...by('f'), hunk: '08/enc' }, 2, none);
    expect(Object.entries(event)).toEqual([
      ['map', '0x2000..0x2fff'],
      ['pa', '0x1000..0x1fff'],
      ['C', 1],
      ['type', 'WB'],
      ['in', 'f'],
      ['file', 'arch/x86/mm/mem_encrypt.c'],
      ['patch', 8],
      ['hunk', '08/enc'],
      ['n', 2],
    ]);
  });

  test('without repetition has no count, and only the known parts of its origin', () => {
    expect(renderEvent('console', { text: 'x' }, { fn: 'f' }, 1, none)).toEqual({
      console: 'x',
      in: 'f',
    });
  });

  test.each([
    [0x10n, '0x10'],
    [-0x10n, '-0x10'],
    [16, 16],
    [-0, 0],
    [true, true],
  ])('has %p as %p', (field, written) => {
    expect(renderField(field, none)).toBe(written);
  });
});
