import { describe, expect, test } from '@jest/globals';
import type { Hunk } from '../../src/kernel/hunk.js';
import { addedNames } from '../../src/kernel/hunk.js';
import { configOf, link } from '../../src/series/link.js';
import { allHunks, hunksOf, LAST_STAGE } from '../../src/series/patches.js';
import { compose, isWholeSeries, type HunkSelection } from '../../src/series/compose.js';
import { unmetBy, stubOf } from '../../src/series/without.js';
import { messageOf } from './message-of.js';

const whole: HunkSelection = { stage: LAST_STAGE, activate: false };
const without = (...names: string[]): HunkSelection => ({ ...whole, without: names });
const ids = (selection: HunkSelection): string[] => compose(selection).hunks.map((hunk) => hunk.id);

describe('a hunk selection without some hunks', () => {
  test('lacks one hunk, or all hunks of a patch', () => {
    expect(ids(without('09/initrd'))).toEqual(ids(whole).filter((id) => id !== '09/initrd'));
    const twelfth = hunksOf(12).map((hunk) => hunk.id);
    expect(ids(without('12'))).toEqual(ids(whole).filter((id) => !twelfth.includes(id)));
  });

  test('has the same addresses in the image as the whole series', () => {
    const program = (selection: HunkSelection): readonly unknown[] => {
      const { hunks, placed } = compose(selection);
      const { functions, variables } = link(hunks, placed);
      return [functions, variables.map(({ name }) => name)];
    };
    expect(program({ ...without('08'), stub: true })).toEqual(program(whole));
    expect(program(without('09'))).toEqual(program(whole));
  });

  test('is refused with E_LEFT_OUT, naming all hunks that need one left out', () => {
    expect(messageOf(() => compose(without('08')))).toBe(
      'E_LEFT_OUT: 09/initrd needs sme_early_mem_enc of 08/sme_early_mem; ' +
        '11/set_real_mode_permissions needs sme_early_mem_dec of 08/sme_early_mem ' +
        '(--stub defines the names with bodies that do nothing)',
    );
  });

  test('is accepted if the hunks that need it are left out too', () => {
    expect(() => compose(without('08', '09/initrd', '11'))).not.toThrow();
  });

  test('is refused with E_HUNK for a hunk or patch that the stage does not have', () => {
    expect(messageOf(() => compose(without('09/initrds')))).toBe(
      'E_HUNK: there is no such hunk or patch at this stage; expected 09/bootdata, 09/initrd, found 09/initrds; did you mean 09/initrd?',
    );
    expect(messageOf(() => compose({ ...without('10'), stage: 9 }))).toMatch(/^E_HUNK/);
  });
});

describe('an extra hunk', () => {
  const own: Hunk = {
    id: '19/own',
    file: 'a.c',
    what: 'one more',
    needs: ['sme_early_mem_dec'],
    variables: [{ name: 'own', file: 'a.c', section: '.data', size: 8, align: 8 }],
  };
  const extra = [own];

  test('is linked after the stage, and its names are placed in the image', () => {
    expect(ids({ ...whole, extra })).toEqual([...ids(whole), '19/own']);
    expect(ids({ ...whole, stage: 8, extra }).at(-1)).toBe('19/own');
    expect(() => link(compose({ ...whole, stage: 7, extra }).hunks)).toThrow(/^E_MISSING_NEED/);
    const { hunks, placed } = compose({ ...whole, extra, without: ['19/own'] });
    expect(hunks.map(({ id }) => id)).toEqual(ids(whole));
    expect(placed).toContain(own);
  });

  test('can be left out, and hunks that it needs cannot', () => {
    expect(messageOf(() => compose({ ...without('08', '09/initrd', '11'), extra }))).toMatch(
      /^E_LEFT_OUT: 19\/own needs sme_early_mem_dec of 08\/sme_early_mem/,
    );
    expect(() => compose({ ...without('08', '09/initrd', '11', '19/own'), extra })).not.toThrow();
  });
});

describe('a stub', () => {
  test.each(allHunks().map((hunk) => [hunk.id, hunk] as const))('of %s links', (id, hunk) => {
    const { hunks, placed } = compose({ ...without(id), stub: true });
    expect(() => link(hunks, placed)).not.toThrow();
    expect(stubOf(hunk).replaces).toBeUndefined();
    expect(addedNames(stubOf(hunk)).sort()).toEqual(addedNames(hunk).sort());
  });

  test('is refused with E_NO_STUB if the hunk gives no bodies for it', () => {
    const { stub: _omitted, ...bare } =
      allHunks().find(({ id }) => id === '08/sme_early_mem') ?? {};
    expect(messageOf(() => stubOf(bare as Hunk))).toBe(
      'E_NO_STUB: 08/sme_early_mem has no stub of sme_early_mem_enc, sme_early_mem_dec',
    );
  });
});

describe('an option of the configuration', () => {
  const config = { CONFIG_AMD_MEM_ENCRYPT: true, CONFIG_EFI_MIXED: true };

  test('that the series adds cannot be set without the hunk that adds it', () => {
    const of = (selection: HunkSelection): unknown =>
      configOf(config, link(compose(selection).hunks));
    expect(of({ ...whole, stage: 1 })).toEqual({ ...config, CONFIG_AMD_MEM_ENCRYPT: false });
    expect(of({ ...whole, stage: 2 })).toEqual(config);
    expect(of(without('02'))).toEqual({ ...config, CONFIG_AMD_MEM_ENCRYPT: false });
  });
});

test('unmetBy of the whole series is empty', () => {
  expect(unmetBy(new Set(), allHunks())).toEqual([]);
});

test('isWholeSeries is true for exactly the posted series', () => {
  expect(isWholeSeries(whole)).toBe(true);
  expect(isWholeSeries({ ...whole, stage: 17 })).toBe(false);
  expect(isWholeSeries(without('01'))).toBe(false);
  expect(isWholeSeries({ ...whole, extra: [] })).toBe(true);
  expect(isWholeSeries({ ...whole, extra: [{ id: '19/own', file: 'a.c', what: '' }] })).toBe(false);
});
