import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { report, REPORT_FORMS, type Result } from '../../src/check/report.js';

const results: readonly Result[] = [
  { name: 'stage-08', ok: true, text: 'not shown' },
  { name: 'without <09/initrd> #1\nsecond', ok: false, text: 'C: expected 1\n  & found "0"\n' },
];

describe('a report', () => {
  test('as text has a line for each result, and the details of one that failed', () => {
    expect(report('text', results)).toBe(`ok     stage-08
FAILED without <09/initrd> #1 second
  C: expected 1
    & found "0"
1 of 2 ok
`);
  });

  test('as KTAP has a plan, and the diagnostics of a result before it', () => {
    expect(report('ktap', results)).toBe(`KTAP version 1
1..2
ok 1 stage-08
# C: expected 1
#   & found "0"
not ok 2 without <09/initrd> _1 second
`);
  });

  test('as JUnit has a case for each result', () => {
    expect(report('junit', results)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="sme-boot" tests="2" failures="1">
  <testcase name="stage-08" classname="sme-boot"/>
  <testcase name="without &lt;09/initrd&gt; #1 second" classname="sme-boot">
    <failure message="C: expected 1">C: expected 1
  &amp; found &quot;0&quot;
</failure>
  </testcase>
</testsuite>
`);
  });

  test('as JUnit has no character that XML excludes', () => {
    const text = 'a\u0000b\u001bc\ufffed\ud800e\u{1f600}\tf';
    expect(report('junit', [{ name: 'x', ok: false, text }])).toContain(
      '>a\ufffdb\ufffdc\ufffdd\ufffde\u{1f600}\tf</failure>',
    );
  });

  test.each(REPORT_FORMS)('as %s shows a failure without details', (form) => {
    const one = report(form, [{ name: 'silent', ok: false, text: '' }]);
    expect(one).not.toBe(report(form, [{ name: 'silent', ok: true, text: '' }]));
  });

  test('as KTAP has a line for each result, for any names and texts', () => {
    const any = fc.record({ name: fc.string(), ok: fc.boolean(), text: fc.string() });
    fc.assert(
      fc.property(fc.array(any), (list) => {
        const lines = report('ktap', list)
          .split('\n')
          .filter((line) => /^(not )?ok /.test(line));
        expect(lines).toHaveLength(list.length);
      }),
    );
  });
});
