import { describe, expect, test } from '@jest/globals';
import { addedNames } from '../../src/kernel/hunk.js';
import { link } from '../../src/series/link.js';
import { allHunks, hunksOf, LAST_STAGE } from '../../src/series/patches.js';
import { compose } from '../../src/series/compose.js';
import { messageOf } from './message-of.js';

describe('the series', () => {
  test.each(Array.from({ length: LAST_STAGE + 1 }, (_, stage) => stage))(
    'stage %i links: each need is met by an earlier patch',
    (stage) => {
      const { hunks } = compose({ stage, activate: false });
      expect(link(hunks).hunks).toBe(hunks);
    },
  );

  test.each([6, 7, 8, 9, 10, 17])(
    'stage %i can be activated with the names that 18 needs',
    (stage) => {
      const ids = compose({ stage, activate: true }).hunks.map((hunk) => hunk.id);
      expect(ids).toContain('18/sme_enable');
      expect(ids).toContain('15/msr-index');
      expect(ids.some((id) => Number(id.slice(0, 2)) > stage && !/^1[58]/.test(id))).toBe(false);
      expect(() => link(compose({ stage, activate: true }).hunks)).not.toThrow();
    },
  );

  test('18 on stage 5 fails with E_MISSING_NEED, naming the missing name and its patch', () => {
    expect(messageOf(() => link(compose({ stage: 5, activate: true }).hunks))).toMatch(
      /^E_MISSING_NEED: 18\/sme_enable: 18 needs sme_enable from 06/,
    );
  });

  test('08 without 07 fails with E_MISSING_NEED', () => {
    const hunks = [2, 3, 6, 8].flatMap((n) => [...hunksOf(n)]);
    expect(messageOf(() => link(hunks))).toMatch(/08 needs early_memremap_dec_wp from 07/);
  });

  test('no two hunks share an id, and no two add the same name', () => {
    const ids = allHunks().map((hunk) => hunk.id);
    expect(new Set(ids).size).toBe(ids.length);
    const names = allHunks().flatMap((hunk) => addedNames(hunk));
    const doubled = names.filter((name, i) => names.indexOf(name) !== i);
    // sme_me_mask is a variable and, in C, the macro that reads it.
    expect(doubled).toEqual(['sme_me_mask']);
  });

  test.each([-1, LAST_STAGE + 1, 2.5])('stage %p is refused with its code', (stage) => {
    expect(messageOf(() => compose({ stage, activate: false }))).toMatch(/^E_STAGE: stage/);
  });
});
