import { describe, expect, test } from '@jest/globals';
import { compare, isSame } from '../../src/check/compare.js';
import { reportDifferences } from '../../src/check/compare-reports.js';
import { differenceText } from '../../src/check/compare-text.js';
import { changeSummary, exactFailures } from '../../src/check/exact-failures.js';
import { readYaml } from '../../src/base/yaml-source.js';
import { parseTrace } from '../../src/trace/yaml-in.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { FULL_REPORT, REPORT, reported, smallTrace } from '../trace/helpers.js';

describe('the reports of two traces', () => {
  test('differ where one came, went or has another field', () => {
    const changed = { ...REPORT, n: 2, outcome: 'data lost' as const };
    expect(reportDifferences([REPORT, FULL_REPORT], [changed])).toEqual([
      {
        change: 'changed',
        expected: REPORT,
        found: changed,
        fields: [
          { field: 'n', expected: undefined, found: 2 },
          { field: 'outcome', expected: 'garbage consumed', found: 'data lost' },
        ],
      },
      { change: 'gone', report: FULL_REPORT },
    ]);
    expect(reportDifferences([], [REPORT])).toEqual([{ change: 'added', report: REPORT }]);
  });

  test('differ in the fields of the earlier event', () => {
    const other = { ...FULL_REPORT, earlier: { what: 'freed', in: 'free_pages' } };
    const [difference] = reportDifferences([FULL_REPORT], [other]);
    const fields = difference?.change === 'changed' ? difference.fields : [];
    expect(fields.map(({ field }) => field)).toEqual(
      ['what', 'in', 'file', 'patch', 'hunk', 'step', 'C'].map((key) => `earlier.${key}`),
    );
  });

  test('are compared in order', () => {
    expect(isSame(compare(reported(REPORT, FULL_REPORT), reported(FULL_REPORT, REPORT)))).toBe(
      false,
    );
  });

  test('of another rule are not one that changed', () => {
    const other = { ...REPORT, rule: 'uninitialised-read' };
    expect(reportDifferences([REPORT], [other]).map(({ change }) => change)).toEqual([
      'gone',
      'added',
    ]);
  });

  test('are the same whatever was suppressed', () => {
    const trace = reported({ ...REPORT, suppressed: 'known' });
    expect(isSame(compare(reported(REPORT), trace))).toBe(true);
    expect(isSame(compare(reported(), trace))).toBe(false);
  });

  test('are not compared where the sanitizer was off, which is a difference of the header', () => {
    const { header, reports } = compare(smallTrace(), reported(REPORT));
    expect(header).toEqual([{ field: 'sanitize', expected: false, found: undefined }]);
    expect(reports).toEqual([]);
  });
});

test('the text of a difference has a line for each report, after all other sections', () => {
  const found = reported({ ...REPORT, outcome: 'data lost' as const }, FULL_REPORT);
  expect(
    differenceText(compare(reported(REPORT), { ...found, outcome: { kind: 'hung' } })),
  ).toMatch(
    /^outcome:\n[^]*\nreports:\n {2}~ \{rule: wrong-key-read, [^]*\n {6}outcome: expected garbage consumed, found data lost\n {2}\+ \{rule: mixed-key-line, [^\n]*\n$/,
  );
});

describe('a failure about reports', () => {
  const text = printTrace(reported(FULL_REPORT, REPORT));
  const expected = parseTrace('t.yaml', text);
  const lineOf = (part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

  test('is at the report in the file, with the first difference as headline', () => {
    const found = reported(FULL_REPORT, { ...REPORT, n: 4 });
    const [failure, ...others] = exactFailures(
      compare(expected, found),
      { expected, found },
      readYaml('t.yaml', text),
    );
    expect(others).toEqual([]);
    expect(failure?.place).toMatchObject({ file: 't.yaml', line: lineOf('{rule: wrong-key-read') });
    expect(failure?.headline).toMatch(
      /^reports: ~ \{rule: wrong-key-read, n: 4, .* n: expected \(none\), found 4$/,
    );
    expect(failure?.lines).toHaveLength(3);
  });

  test('is at the section where the boot has one more', () => {
    const found = reported(FULL_REPORT, REPORT, { ...REPORT, rule: 'encrypted-twice' });
    const traces = { expected, found };
    const [failure] = exactFailures(compare(expected, found), traces, readYaml('t.yaml', text));
    expect(failure?.place.line).toBe(lineOf('- {rule: mixed-key-line'));
  });

  test('is at the report of a trace under a key, and at a difference from a base', () => {
    const nested = `expect: exact\ntrace:\n${text.replace(/^(?=.)/gm, '  ')}`;
    const difference = 'expect: exact\nbase: b.yaml\nchanges:\n  reports:\n    - drop-rest: true\n';
    const traces = { expected, found: reported() };
    const places = [nested, difference].map(
      (file) =>
        exactFailures(compare(expected, reported()), traces, readYaml('t.yaml', file))[0]?.place
          .line,
    );
    expect(places).toEqual([lineOf('- {rule: mixed-key-line') + 2, 5]);
  });

  test('is counted in the summary of a change', () => {
    expect(changeSummary(compare(reported(REPORT), reported()))).toMatch(
      /^1 report removed; first in reports: - \{rule: wrong-key-read, /,
    );
    expect(changeSummary(compare(reported(), reported(REPORT, FULL_REPORT)))).toMatch(
      /^2 reports added; first in reports: \+ /,
    );
  });
});
