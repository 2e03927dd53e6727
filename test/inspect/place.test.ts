import { describe, expect, test } from '@jest/globals';
import {
  checkPlace,
  parsePlace,
  physicalOf,
  physicalRanges,
  placeName,
  sizeOfPlace,
  virtualOf,
} from '../../src/inspect/place.js';
import { PAGE_OFFSET } from '../../src/kernel/constants.js';
import { PAGE_SIZE, va } from '../../src/machine/address.js';
import { boot } from '../helpers.js';
import { refusal } from '../trace/helpers.js';

const subject = boot({ stage: 0 });
const region = (name: string): { base: number; size: number } => {
  const found = subject.regions().find((each) => each.name === name);
  if (found === undefined) throw new Error(`no region ${name}`);
  return found;
};
const initrd = region('initrd');
/** Where the loader put it: the boot is before the kernel's own mapping. */
const table = subject.program.link('early_level4_pgt') + subject.kernel.slide;
/** With the pages of early_dynamic_pgts, which follow it (head_64.S). */
const TABLE_SIZE = 65 * PAGE_SIZE;
const codeOf = (act: () => unknown): string => refusal(act).code;

describe('a place', () => {
  test.each([
    ['0x1000', 0x1000],
    ['4096', 0x1000],
    ['0x1_0000', 0x1_0000],
    [' 0x1000 ', 0x1000],
    ['0x1000+16', 0x1010],
    ['0x1000-0x10', 0xff0],
    ['0x1000[3]', 0x1018],
    ['0x1000[3]+1', 0x1019],
  ])('%j is a number: physical or virtual, as the caller takes numbers', (text, address) => {
    expect(parsePlace(subject, text, 'pa')).toEqual({ space: 'pa', address });
    expect(parsePlace(subject, text, 'va')).toEqual({ space: 'va', address });
  });

  test('at or above 2^47 is virtual in any case', () => {
    const place = { space: 'va', address: -0x7f00_0000 };
    expect(parsePlace(subject, '0xffffffff81000000', 'pa')).toEqual(place);
    expect(parsePlace(subject, '0xffffffff81000000', 'va')).toEqual(place);
  });

  test('of a region is physical, of a symbol virtual', () => {
    expect(parsePlace(subject, 'initrd', 'va')).toEqual({ space: 'pa', address: initrd.base });
    expect(parsePlace(subject, 'initrd+64', 'va')).toEqual({
      space: 'pa',
      address: initrd.base + 64,
    });
    expect(parsePlace(subject, 'early_level4_pgt[511]', 'pa')).toEqual({
      space: 'va',
      address: table + 511 * 8,
    });
  });

  test.each([
    ['a number that is not canonical', '0x800000000000'],
    ['no number', '0x'],
    ['an unknown name', 'early_level9_pgt'],
    ['nothing', ''],
  ])('is refused if it is %s', (_what, text) => {
    expect(codeOf(() => parsePlace(subject, text, 'pa'))).toBe('E_PLACE');
    expect(codeOf(() => checkPlace(subject, text))).toBe('E_PLACE');
  });

  test('is refused below 0 and from 2^52 on if it is physical', () => {
    const most = 2 ** 52 - 1 - initrd.base;
    expect(parsePlace(subject, `initrd+${most}`, 'pa').address).toBe(2 ** 52 - 1);
    expect(codeOf(() => parsePlace(subject, `initrd+${most + 1}`, 'pa'))).toBe('E_PLACE');
    expect(parsePlace(subject, '0x10-16', 'pa').address).toBe(0);
    expect(codeOf(() => parsePlace(subject, '0x10-17', 'pa'))).toBe('E_PLACE');
  });

  test('with a name like a known one is refused with that', () => {
    expect(refusal(() => parsePlace(subject, 'initrdd', 'pa')).message).toMatch(/initrd\b/);
  });

  test('of a region that a boot makes later is accepted before it runs, and named so at once', () => {
    expect(() => checkPlace(subject, 'trampoline+8')).not.toThrow();
    expect(refusal(() => parsePlace(subject, 'trampoline', 'pa')).message).toMatch(
      /trampoline at a later label/,
    );
  });

  test.each(['initrd', 'early_level4_pgt[3]', '0x1000'])(
    '%s passes the check before a boot',
    (text) => {
      expect(() => checkPlace(subject, text)).not.toThrow();
    },
  );

  test('has its name without index and offset', () => {
    expect(['a[3]+1', ' initrd-8', 'kernel text', '0x10'].map(placeName)).toEqual([
      ...['a', 'initrd', 'kernel text', '0x10'],
    ]);
  });
});

test('a region or symbol alone is all of it, any other place one byte', () => {
  const sizes = ['initrd', 'early_level4_pgt', 'initrd+1', 'early_level4_pgt[0]', '0x1000'];
  expect(sizes.map((text) => sizeOfPlace(subject, text))).toEqual([
    initrd.size,
    TABLE_SIZE,
    1,
    1,
    1,
  ]);
  expect(codeOf(() => sizeOfPlace(subject, 'nowhere'))).toBe('E_PLACE');
});

describe('addresses of a place', () => {
  const map = (address: number) => ({ space: 'va', address: va(address) }) as const;

  test('a physical one is in the direct map', () => {
    expect(virtualOf({ space: 'pa', address: 0x5000 })).toBe(PAGE_OFFSET + 0x5000);
    expect(virtualOf(map(0x5000))).toBe(0x5000);
  });

  // The loader maps the memory that it uses one to one.
  test('a virtual one is translated, or refused', () => {
    expect(physicalOf(subject, map(0x9_0010), 'x')).toBe(0x9_0010);
    expect(physicalOf(subject, { space: 'pa', address: 3 }, 'x')).toBe(3);
    const error = refusal(() => physicalOf(subject, map(-0x1000), 'the text'));
    expect(error.code).toBe('E_NOT_MAPPED');
    expect(error.message).toMatch(/the text/);
  });

  test('of several pages are one range where the pages are adjacent', () => {
    const place = map(0x9_0ff0);
    expect(physicalRanges(subject, place, 2 * PAGE_SIZE, 'x')).toEqual([
      { base: 0x9_0ff0, size: 2 * PAGE_SIZE },
    ]);
    expect(physicalRanges(subject, { space: 'pa', address: 5 }, 9, 'x')).toEqual([
      { base: 5, size: 9 },
    ]);
  });
});
