import { describe, expect, test } from '@jest/globals';
import { mtrrDefType, mtrrDefTypeValid, MtrrMap } from '../../../src/machine/cpu/mtrr.js';
import { effectiveType, PAT_RESET, patTypes } from '../../../src/machine/cpu/memory-types.js';
import { MEMTYPE } from '../../../src/machine/types.js';

const { UC, WC, WT, WP, WB, UC_MINUS } = MEMTYPE;
const ON = mtrrDefType({ enabled: true, default: WB, uncached: [] });
const ram = [{ base: 0, size: 0x1000_0000 }];

test('MTRRdefType holds type, FE and E', () => {
  expect(ON).toBe(0xc06n);
  expect(mtrrDefType({ enabled: false, default: UC, uncached: [] })).toBe(0n);
  expect([0xc06n, 0x406n, 0x800n].every(mtrrDefTypeValid)).toBe(true);
  expect([7n, 2n, 0x200n, 1n << 40n].some(mtrrDefTypeValid)).toBe(false);
});

describe('the MTRR type of a range', () => {
  const map = new MtrrMap([{ base: 0x800_0000, size: 0x1000 }], ram);

  test.each([
    ['RAM', ON, 0x10_0000, 0x1000, WB],
    ['RAM with the MTRRs off', 0n, 0x10_0000, 0x1000, UC],
    ['the legacy area', ON, 0xa_0000, 0x1000, UC],
    ['the legacy area without the fixed ranges', 0x806n, 0xa_0000, 0x1000, WB],
    ['the first 2 MiB, which the legacy area cuts', ON, 0, 0x20_0000, undefined],
    ['an uncached range', ON, 0x800_0000, 0x1000, UC],
    ['a page that holds an uncached range', ON, 0x800_0000, 0x20_0000, undefined],
    ['where memory ends', ON, 0xfff_f000, 0x2000, undefined],
    ['beyond memory', ON, 0x2000_0000, 0x1000, UC],
  ])('%s', (_what, defType, at, size, type) => {
    expect(map.typeOf(defType, at, size)).toBe(type);
  });

  test('is UC for a range added with addUncached', () => {
    const other = new MtrrMap([], ram);
    other.addUncached({ base: 0x900_0000, size: 0x1000 });
    expect(other.typeOf(ON, 0x900_0000, 0x1000)).toBe(UC);
  });
});

test('the PAT after a reset is WB, WT, UC-, UC, twice', () => {
  expect(patTypes(PAT_RESET)).toEqual([WB, WT, UC_MINUS, UC, WB, WT, UC_MINUS, UC]);
  expect(patTypes(0x0007_0506_0007_0106n)?.[5]).toBe(WP);
  for (const reserved of [2n, 3n, 8n, 255n]) expect(patTypes(reserved << 16n)).toBeUndefined();
});

// APM table 7-11, by hand: rows are the PAT's type, columns the MTRRs' WB and UC.
test.each([
  ['WB', WB, WB, UC],
  ['WT', WT, WT, UC],
  ['WP', WP, WP, UC],
  ['WC', WC, WC, WC],
  ['UC-', UC_MINUS, UC, UC],
  ['UC', UC, UC, UC],
])('%s with WB and with UC', (_name, pat, withWb, withUc) => {
  expect([effectiveType(pat, WB), effectiveType(pat, UC)]).toEqual([withWb, withUc]);
});

test('a WC MTRR overrides UC- and not UC', () => {
  expect([effectiveType(UC_MINUS, WC), effectiveType(UC, WC)]).toEqual([WC, UC]);
});
