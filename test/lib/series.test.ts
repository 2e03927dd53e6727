import { describe, expect, test } from '@jest/globals';
import { alternatives, compose, hunks, LAST_STAGE } from '../../src/lib/series.js';
import { refusal } from '../trace/helpers.js';

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
