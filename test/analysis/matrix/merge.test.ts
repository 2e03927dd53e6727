import { describe, expect, test } from '@jest/globals';
import { mergeReports, parseMatrix } from '../../../src/analysis/matrix/merge.js';
import { InputError } from '../../../src/base/errors.js';
import { initrdRow, report, row, wholeSeries } from './reports.js';

const ORDER = ['04/scattered', '09/bootdata', '09/initrd', '10/efi'];

/** The error that a function throws. */
function refusal(run: () => unknown): InputError {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('merged reports', () => {
  const first = report([row({ hunk: '10/efi' }), initrdRow()], {
    missing: ['bios-minimal 04/scattered', 'bios-minimal 09/bootdata'],
  });
  const second = report([row(), row({ scenario: 'epyc-efi', hunk: '10/efi' })], {
    missing: ['bios-minimal 10/efi', 'bios-minimal 09/initrd', 'bios-minimal 09/bootdata'],
  });

  test('have rows in the order of scenarios and of the series', () => {
    const { rows, scenarios } = mergeReports([first, second], ORDER);
    expect(scenarios.map(({ name }) => name)).toEqual(['bios-minimal', 'epyc-efi']);
    expect(rows.map(({ scenario, hunk }) => `${scenario} ${hunk}`)).toEqual([
      'bios-minimal 04/scattered',
      'bios-minimal 09/initrd',
      'bios-minimal 10/efi',
      'epyc-efi 10/efi',
    ]);
  });

  test('list a row as missing if a report lists it and no report has it', () => {
    expect(mergeReports([first, second], ORDER).missing).toEqual(['bios-minimal 09/bootdata']);
  });

  test('have hunks that are not in the series at the end, by name', () => {
    const odd = report([row({ hunk: '99/b' }), row({ hunk: '99/a' }), row()]);
    expect(mergeReports([odd], ORDER).rows.map(({ hunk }) => hunk)).toEqual([
      '04/scattered',
      '99/a',
      '99/b',
    ]);
  });

  test('equal the unsplit report for any split', () => {
    const whole = wholeSeries();
    const order = whole.rows.map(({ hunk }) => hunk);
    const shards = [0, 1, 2].map((shard) => ({
      ...whole,
      rows: whole.rows.filter((_, index) => index % 3 === shard),
      missing: whole.rows
        .filter((_, index) => index % 3 !== shard)
        .map(({ scenario, hunk }) => `${scenario} ${hunk}`)
        .concat(whole.missing),
    }));
    expect(mergeReports(shards, order)).toEqual(whole);
    expect(mergeReports([...shards].reverse(), order)).toEqual(whole);
    expect(mergeReports([whole, whole], order)).toEqual(whole);
  });

  test('do not depend on the order of keys in a row', () => {
    const turned = Object.fromEntries(
      Object.entries(initrdRow()).reverse(),
    ) as (typeof first.rows)[0];
    expect(mergeReports([report([initrdRow()]), report([turned])], ORDER).rows).toHaveLength(1);
  });

  test.each([
    ['none at all', [], 'expected at least one report'],
    ['another series', [first, { ...first, series: 'rfc-v2' }], 'series: .*different series'],
    [
      'another digest of a scenario',
      [first, { ...first, scenarios: first.scenarios.map((s) => ({ ...s, digest: 'x' })) }],
      'scenarios\\.bios-minimal\\.digest: .*found "x"',
    ],
    [
      'another outcome of a row',
      [first, report([initrdRow({ outcome: { kind: 'hung' } })])],
      'rows\\."bios-minimal 09/initrd"\\.outcome\\.kind: .*"panic".*found "hung"',
    ],
    [
      'a row that lost something else',
      [first, report([initrdRow({ lost: ['initrd', 'ESRT'] })])],
      'lost\\[1\\]: .*expected nothing as in an earlier report, found "ESRT"',
    ],
  ])('refuse %s', (_, reports, message) => {
    const error = refusal(() => mergeReports(reports, ORDER));
    expect(error.code).toBe('E_MATRIX_MERGE');
    expect(error.message).toMatch(new RegExp(message));
  });
});

describe('parseMatrix', () => {
  const text = JSON.stringify(report([row(), initrdRow()]), null, 2);

  test('returns the report that was written', () => {
    expect(parseMatrix('m.json', text)).toEqual(report([row(), initrdRow()]));
    const whole = wholeSeries();
    expect(parseMatrix('m.json', JSON.stringify(whole))).toEqual(whole);
  });

  test.each([
    ['nothing', '', 'm.json: not JSON'],
    ['half a file', text.slice(0, 60), 'm.json:\\d+:\\d+: not JSON'],
    ['YAML', 'sme-boot-matrix: 1\n', 'm.json: not JSON'],
    ['a list', '[]', 'm.json:1:1: expected a mapping, found an empty list'],
    [
      'another version',
      text.replace('"sme-boot-matrix": 1', '"sme-boot-matrix": 2'),
      'm.json:2:22, sme-boot-matrix: expected 1, found 2',
    ],
    [
      'an unknown outcome',
      text.replace('"panic"', '"sad"'),
      'rows\\[1\\]\\.outcome\\.kind: expected booted or panic or triple-fault or hung, found "sad"',
    ],
    ['a key too many', text.replace('"how"', '"why": 1, "how"'), 'rows\\[0\\]\\.why: unknown key'],
    [
      'a row of no scenario',
      text.replace('"scenario": "bios-minimal"', '"scenario": "x"'),
      'm.json:\\d+:\\d+, rows\\[0\\]\\.scenario: expected a name from scenarios, found x',
    ],
    [
      'a row twice',
      JSON.stringify(report([row(), row()])),
      'rows\\[1\\]: expected each row once, found bios-minimal 04/scattered again',
    ],
    [
      'a scenario twice',
      JSON.stringify({
        ...report([row()]),
        scenarios: [...report([row()]).scenarios, ...report([row()]).scenarios],
      }),
      'scenarios\\[1\\]\\.name: expected each name once, found bios-minimal again',
    ],
  ])('refuses with the place: %s', (_, content, message) => {
    const error = refusal(() => parseMatrix('m.json', content));
    expect(error.code).toBe('E_MATRIX');
    expect(error.message).toMatch(new RegExp(message));
  });
});
