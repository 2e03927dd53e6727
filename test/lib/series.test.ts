import { describe, expect, test } from '@jest/globals';
import type { OwnHunk } from '../../src/kernel/hunk.js';
import { alternatives, compose, hunks, LAST_STAGE } from '../../src/lib/series.js';
import { joined, ownHunks } from '../../src/lib/own-hunks.js';
import { refusal } from '../trace/helpers.js';

const OWN: OwnHunk = {
  id: '20/own',
  file: 'arch/x86/kernel/setup.c',
  what: 'reserve_initrd() as it is',
  replaces: { reserve_initrd: (previous) => (k) => previous(k) },
};

describe('compose', () => {
  test('gives all hunks of the series by default, with what they do', () => {
    expect(LAST_STAGE).toBe(18);
    expect(compose()).toEqual(hunks());
    expect(hunks()[0]).toMatchObject({ id: '01/pat_init', file: 'arch/x86/mm/pat.c' });
    expect(hunks().every(({ what }) => what !== '')).toBe(true);
  });

  test('leaves out hunks, and applies alternatives in their place', () => {
    const [first] = alternatives().filter(({ instead }) => instead !== undefined);
    const ids = compose({ without: ['09/initrd'], with: [first?.id ?? ''] }).map(({ id }) => id);
    expect(ids).toContain(first?.id);
    expect(ids).not.toContain(first?.instead);
    expect(ids).not.toContain('09/initrd');
  });

  test('has own hunks after those of the series', () => {
    const [own, other] = ['20/own', '20/other'].map((id) => ownHunks([{ ...OWN, id }]));
    if (own === undefined || other === undefined) throw new Error('two lists');
    expect(own.modules).toEqual([{ hunks: ['20/own'] }]);
    expect(compose({ hunks: [OWN] }).at(-1)).toMatchObject({ id: '20/own' });
    expect(compose({ hunks: [] })).toEqual(hunks());
    const both = joined([own, other]);
    expect(both.modules).toEqual([{ hunks: ['20/own'] }, { hunks: ['20/other'] }]);
    const ids = compose({ hunks: both }).map(({ id }) => id);
    expect(ids).toEqual([...hunks().map(({ id }) => id), '20/own', '20/other']);
    expect(refusal(() => joined([own, own])).code).toBe('E_OWN_HUNK');
  });

  test.each([
    ['a stage that does not exist', { stage: 19 }, 'E_STAGE'],
    ['a hunk that does not exist', { without: ['09/intrd'] }, 'E_HUNK'],
    ['an alternative that does not exist', { with: ['09/none'] }, 'E_ALTERNATIVE'],
    ['a hunk without the one that it needs', { without: ['03/mem_encrypt'] }, 'E_LEFT_OUT'],
    ['stubs of nothing', { stub: true }, 'E_USAGE'],
  ])('refuses %s', (_what, selection, code) => {
    expect(refusal(() => compose(selection)).code).toBe(code);
  });
});
