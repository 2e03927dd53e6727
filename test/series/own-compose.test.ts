import { describe, expect, test } from '@jest/globals';
import type { OwnHunk } from '../../src/kernel/hunk.js';
import { inline, kernelFile } from '../../src/kernel/table.js';
import { compose, ownUpTo, type HunkSelection } from '../../src/series/compose.js';
import { link } from '../../src/series/link.js';
import { messageOf } from './message-of.js';

const whole: HunkSelection = { stage: 18, activate: false };
const own = (id: string, parts: Partial<OwnHunk> = {}): OwnHunk => ({
  id,
  file: 'a.c',
  what: 'own',
  ...parts,
});
const hunksOf = (selection: HunkSelection): readonly { id: string; what: string }[] =>
  compose(selection).hunks;
const ids = (selection: HunkSelection): string[] => hunksOf(selection).map(({ id }) => id);

describe('an own hunk with the id of a posted one', () => {
  const form = own('09/initrd');

  test('is in its place, and the posted one is not in the kernel', () => {
    const hunks = hunksOf({ ...whole, extra: [form] });
    expect(hunks.map(({ id }) => id)).toEqual(ids(whole));
    expect(hunks.filter(({ id }) => id === '09/initrd')).toEqual([form]);
  });

  test('is left out with the posted one', () => {
    expect(ids({ ...whole, extra: [form], without: ['09/initrd'] })).toEqual(
      ids({ ...whole, without: ['09/initrd'] }),
    );
    expect(ids({ ...whole, extra: [form], without: ['9', '08', '11'] })).not.toContain('09/initrd');
  });

  test('is refused at a stage that does not have it', () => {
    expect(messageOf(() => compose({ stage: 8, activate: true, extra: [form] }))).toBe(
      'E_OWN_HUNK: 09/initrd: it is a form of a hunk that this stage does not have; expected stage 9 or a later one',
    );
  });

  test('is refused with an alternative that would replace it', () => {
    const selection = { ...whole, extra: [own('15/trampoline_64')], with: ['15/before-paging'] };
    expect(messageOf(() => compose(selection))).toBe(
      "E_OWN_HUNK: 15/trampoline_64: the alternative 15/before-paging replaces it; expected one of the two, or an own hunk with instead: '15/before-paging'",
    );
    expect(ids({ ...selection, extra: [form] })).toContain('15/before-paging');
  });

  test('has the stub of the posted one unless it has its own', () => {
    const adds = [
      kernelFile('a.c', {
        sme_early_mem_enc: inline(() => undefined),
        sme_early_mem_dec: inline(() => undefined),
      }),
    ];
    const helper = own('08/sme_early_mem', { adds });
    const selection = { ...whole, extra: [helper], without: ['08'], stub: true };
    expect(() => link(compose(selection).hunks)).not.toThrow();
    const bare = own('08/sme_early_mem', { adds, stub: [] });
    expect(messageOf(() => compose({ ...selection, extra: [bare] }))).toMatch(/^E_NO_STUB/);
  });

  test('without a name that others need does not link', () => {
    const { hunks } = compose({ ...whole, extra: [own('08/sme_early_mem')] });
    expect(messageOf(() => link(hunks))).toMatch(
      /^E_MISSING_NEED: 09\/initrd: 09 needs sme_early_mem_enc/,
    );
  });

  test('leaves the places of the posted names in the image as they are', () => {
    const { placed } = compose({ ...whole, extra: [own('08/sme_early_mem')] });
    const names = (selection: HunkSelection): string[] => {
      const { hunks, placed: all } = compose(selection);
      return link(hunks, all).functions.map(({ name }) => name);
    };
    expect(placed.length).toBeGreaterThan(ids(whole).length);
    expect(names({ ...whole, extra: [form] })).toEqual(names(whole));
  });
});

describe('an own hunk with "instead"', () => {
  const fix = own('20/fix', { instead: '15/trampoline_64' });

  test('replaces that hunk; left out, the hunk is back', () => {
    const all = ids({ ...whole, extra: [fix] });
    expect(all).toEqual(ids(whole).map((id) => (id === '15/trampoline_64' ? '20/fix' : id)));
    expect(ids({ ...whole, extra: [fix], without: ['20/fix'] })).toEqual(ids(whole));
    expect(ids({ ...whole, extra: [fix], without: ['20'] })).toEqual(ids(whole));
  });

  test('replaces an alternative that is applied', () => {
    const other = own('20/fix', { instead: '15/before-paging' });
    const selection = { ...whole, with: ['15/before-paging'] };
    expect(ids({ ...selection, extra: [other] })).toContain('20/fix');
    expect(ids({ ...selection, extra: [other] })).not.toContain('15/before-paging');
    expect(messageOf(() => compose({ ...whole, extra: [other] }))).toMatch(
      /^E_OWN_HUNK: 20\/fix: it replaces 15\/before-paging, which this hunk selection does not have/,
    );
    expect(messageOf(() => compose({ ...selection, extra: [fix] }))).toMatch(/does not have/);
  });
});

test('any other own hunk is on top of every stage', () => {
  expect(ids({ ...whole, stage: 3, extra: [own('20/a'), own('09/b')] }).slice(-2)).toEqual([
    '20/a',
    '09/b',
  ]);
});

test('a name that another hunk adds is refused', () => {
  const adds = [kernelFile('a.c', { sme_early_mem_enc: inline(() => undefined) })];
  expect(messageOf(() => compose({ ...whole, extra: [own('20/a', { adds })] }))).toBe(
    'E_OWN_HUNK: 20/a: it adds sme_early_mem_enc, which 08/sme_early_mem adds too; expected a name of its own, or "replaces"',
  );
});

test('ownUpTo has the own hunks whose patch, or whose replaced patch, a stage has', () => {
  const extra = [
    own('09/initrd'),
    own('20/on-top'),
    own('20/instead', { instead: '15/trampoline_64' }),
    own('18/form'),
  ];
  const at = (stage: number, activate = false): string[] =>
    ownUpTo({ stage: 18, activate, extra }, stage).map(({ id }) => id);
  expect(at(8)).toEqual(['20/on-top']);
  expect(at(9)).toEqual(['09/initrd', '20/on-top']);
  expect(at(15)).toEqual(['09/initrd', '20/on-top', '20/instead']);
  expect(at(18)).toEqual(['09/initrd', '20/on-top', '20/instead', '18/form']);
  expect(at(9, true)).toEqual(['09/initrd', '20/on-top', '18/form']);
});
