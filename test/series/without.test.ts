import { describe, expect, test } from '@jest/globals';
import type { Hunk } from '../../src/kernel/hunk.js';
import { addedNames } from '../../src/kernel/hunk.js';
import { configOf, link } from '../../src/series/link.js';
import { allHunks, hunksOf } from '../../src/series/patches.js';
import { compose, isWholeSeries, type HunkSelection } from '../../src/series/compose.js';
import { unmetBy, stubOf } from '../../src/series/without.js';
import { messageOf } from './message-of.js';

const whole: HunkSelection = { stage: 18, activate: false };
const without = (...names: string[]): HunkSelection => ({ ...whole, without: names });
const ids = (composition: HunkSelection): string[] =>
  compose(composition).hunks.map((hunk) => hunk.id);

describe('what is left out', () => {
  test('is a hunk, or all hunks of a patch', () => {
    expect(ids(without('09/initrd'))).toEqual(ids(whole).filter((id) => id !== '09/initrd'));
    const tenth = hunksOf(12).map((hunk) => hunk.id);
    expect(ids(without('12'))).toEqual(ids(whole).filter((id) => !tenth.includes(id)));
  });

  test('keeps its place in the image, so that addresses stay as they were', () => {
    const program = (composition: HunkSelection): readonly unknown[] => {
      const { hunks, placed } = compose(composition);
      const { functions, variables } = link(hunks, placed);
      return [functions, variables.map(({ name }) => name)];
    };
    expect(program({ ...without('08'), stub: true })).toEqual(program(whole));
    expect(program(without('09'))).toEqual(program(whole));
  });

  test('that others need is an error that names all of them', () => {
    expect(messageOf(() => compose(without('08')))).toBe(
      'E_LEFT_OUT: 09/initrd needs sme_early_mem_enc of 08/sme_early_mem; ' +
        '11/set_real_mode_permissions needs sme_early_mem_dec of 08/sme_early_mem ' +
        '(--stub keeps the names and makes them do nothing)',
    );
  });

  test('together with those who need it is none', () => {
    expect(() => compose(without('08', '09/initrd', '11'))).not.toThrow();
  });

  test('has to be there', () => {
    expect(messageOf(() => compose(without('09/initrds')))).toBe(
      'E_HUNK: there is no such hunk or patch at this stage; expected 09/bootdata, 09/initrd, found 09/initrds',
    );
    expect(messageOf(() => compose({ ...without('10'), stage: 9 }))).toMatch(/^E_HUNK/);
  });
});

describe('a hunk of one’s own', () => {
  const own: Hunk = {
    id: '19/own',
    file: 'a.c',
    what: 'one more',
    needs: ['sme_early_mem_dec'],
    variables: [{ name: 'own', file: 'a.c', section: '.data', size: 8, align: 8 }],
  };
  const extra = [own];

  test('comes after the stage, with a place for its names', () => {
    expect(ids({ ...whole, extra })).toEqual([...ids(whole), '19/own']);
    expect(ids({ ...whole, stage: 8, extra }).at(-1)).toBe('19/own');
    expect(() => link(compose({ ...whole, stage: 7, extra }).hunks)).toThrow(/^E_MISSING_NEED/);
    const { hunks, placed } = compose({ ...whole, extra, without: ['19/own'] });
    expect(hunks.map(({ id }) => id)).toEqual(ids(whole));
    expect(placed).toContain(own);
  });

  test('can be left out, and others cannot be left out of what it needs', () => {
    expect(messageOf(() => compose({ ...without('08', '09/initrd', '11'), extra }))).toMatch(
      /^E_LEFT_OUT: 19\/own needs sme_early_mem_dec of 08\/sme_early_mem/,
    );
    expect(() => compose({ ...without('08', '09/initrd', '11', '19/own'), extra })).not.toThrow();
  });
});

describe('what keeps its names', () => {
  test.each(allHunks().map((hunk) => [hunk.id, hunk] as const))('%s links', (id, hunk) => {
    const { hunks, placed } = compose({ ...without(id), stub: true });
    expect(() => link(hunks, placed)).not.toThrow();
    expect(stubOf(hunk).replaces).toBeUndefined();
    expect(addedNames(stubOf(hunk)).sort()).toEqual(addedNames(hunk).sort());
  });

  test('has said what its names are then', () => {
    const { stub: _gone, ...bare } = allHunks().find(({ id }) => id === '08/sme_early_mem') ?? {};
    expect(messageOf(() => stubOf(bare as Hunk))).toBe(
      'E_NO_STUB: 08/sme_early_mem has no stubs of sme_early_mem_enc, sme_early_mem_dec',
    );
  });
});

describe('an option of the configuration', () => {
  const config = { CONFIG_AMD_MEM_ENCRYPT: true, CONFIG_EFI_MIXED: true };

  test('that the series brings cannot be set without the hunk that brings it', () => {
    const of = (composition: HunkSelection): unknown =>
      configOf(config, link(compose(composition).hunks));
    expect(of({ ...whole, stage: 1 })).toEqual({ ...config, CONFIG_AMD_MEM_ENCRYPT: false });
    expect(of({ ...whole, stage: 2 })).toEqual(config);
    expect(of(without('02'))).toEqual({ ...config, CONFIG_AMD_MEM_ENCRYPT: false });
  });
});

test('nobody misses anything of the whole series', () => {
  expect(unmetBy(new Set(), allHunks())).toEqual([]);
});

test('only the whole series, nothing more and nothing less, is the whole series', () => {
  expect(isWholeSeries(whole)).toBe(true);
  expect(isWholeSeries({ ...whole, stage: 17 })).toBe(false);
  expect(isWholeSeries(without('01'))).toBe(false);
  expect(isWholeSeries({ ...whole, extra: [] })).toBe(true);
  expect(isWholeSeries({ ...whole, extra: [{ id: '19/own', file: 'a.c', what: '' }] })).toBe(false);
});
