/** The findings of the package against the hunks, alternatives and patches of the series. */
import { describe, expect, test } from '@jest/globals';
import { findings } from '../../src/cli/findings.js';
import { loadSeries } from '../../src/cli/series.js';
import { concerns, parseFinding } from '../../src/series/finding.js';
import { allHunks, alternatives } from '../../src/series/patches.js';

const all = findings('.');
const hunkIds = allHunks().map(({ id }) => id);

describe('the findings', () => {
  test('have each a name of their own', () => {
    const ids = all.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(30);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(all)(
    '$id names hunks of its patch, alternatives, and commands of this program',
    (finding) => {
      const { hunks, patch, fixes } = finding;
      expect(hunks.filter((id) => !hunkIds.includes(id))).toEqual([]);
      expect(hunks.filter((id) => Number(id.slice(0, 2)) !== patch)).toEqual([]);
      const known = alternatives().map(({ id }) => id);
      expect(fixes.filter(({ id }) => !known.includes(id))).toEqual([]);
      for (const { command = '' } of [...finding.shows, ...fixes]) {
        expect(command).toMatch(/^$|^(?:RAM=[^]*\n)?sme-boot (?:run|inspect|exposure) /);
      }
    },
  );

  test('use each alternative that fixes something, as those of the series of fixes', () => {
    const fixing = all.flatMap(({ fixes }) => fixes.map(({ id }) => id));
    const others = alternatives().filter(({ id }) => !fixing.includes(id));
    // An error of v2, and an order that a reviewer asked about.
    expect(others.map(({ id }) => id)).toEqual(['09/relocate-plain', '13/decrypt-late']);
    const fixed = loadSeries('fixed').with ?? [];
    expect(fixed.length).toBeGreaterThan(0);
    expect(fixed.filter((id) => !fixing.includes(id))).toEqual([]);
  });

  // A finding that the series as merged fixes by one of its alternatives is not `present` in 4.14.
  test('agree with the series as merged in 4.14', () => {
    const merged = loadSeries('merged-4-14').with ?? [];
    const merging = all.filter(({ fixes }) => fixes.some(({ id }) => merged.includes(id)));
    expect(merging.map(({ id }) => id)).toEqual([
      'clear-mapping-tlb',
      'syscfg-after-paging',
      'iommu-structures',
      'vmcb',
      'kexec-tables',
    ]);
    expect(merging.filter(({ revisions }) => revisions['4.14'].state === 'present')).toEqual([]);
  });
});

test('a finding concerns its patch and those that it names as related', () => {
  const [finding] = all;
  if (finding === undefined) throw new Error('no findings');
  const { patch } = finding;
  expect([patch, 3, 4].map((n = 0) => concerns({ ...finding, related: [3] }, n))).toEqual([
    true,
    true,
    false,
  ]);
});

test.each([
  ['id', 'No Name', 'id'],
  ['hunks', ['9/x'], 'hunks.0'],
  ['patch', 19, 'patch'],
  ['more', 1, ''],
  ['reports', [{ run: 'kexec', rule: 'wrong-key-read' }], 'reports.0.in'],
  ['reports', [{ run: 'kexec', rule: 'wrong-key-read', in: 'f' }], 'unreported'],
  ['unreported', undefined, 'reports'],
])('a finding with a wrong %s is refused with the place', (key, value, path) => {
  let thrown: unknown;
  try {
    parseFinding('findings/x.yaml', { ...all[0], [key]: value });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'E_FINDING', place: { file: 'findings/x.yaml', path } });
});
