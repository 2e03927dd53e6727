import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { report, REPORT_FORMS } from '../../src/check/report.js';
import { githubSummary } from '../../src/check/report-github.js';
import type { Failure, Result, Status } from '../../src/check/result.js';
import { ktapOf, type KtapTest } from './ktap.js';

const ok = (name: string, ...group: string[]): Result => ({
  name,
  status: 'ok',
  group,
  failures: [],
  lines: [],
});

const failure = (headline: string, ...more: string[]): Failure => ({
  place: { file: 'm.yaml', line: 7, column: 5 },
  headline,
  lines: [`m.yaml:7:5: ${headline}`, ...more],
});

const failed = (name: string, failures: readonly Failure[], ...group: string[]): Result => ({
  name,
  status: 'failed',
  group,
  failures,
  lines: ['match[0] expect {a: 1}: found', ...failures.flatMap(({ lines }) => lines)],
  rerun: 'sme-boot run plain --stage 8',
});

const results: readonly Result[] = [
  ok('stage-08.yaml', 'plain', 'stage 8'),
  failed(
    'without <09/initrd> #1\nsecond',
    [
      failure('match[1]: not found', '  C: expected 1', '    & found "0"'),
      failure('outcome: 100%'),
    ],
    'plain',
    'stage 8',
  ),
  { ...ok('old.yaml', 'other', 'stage 18'), status: 'updated', note: '1 event changed' },
  {
    name: 'bad.yaml',
    status: 'invalid',
    group: ['invalid'],
    failures: [
      { place: { file: 'bad.yaml' }, headline: 'E_YAML: no', lines: ['E_YAML: bad.yaml: no'] },
    ],
    lines: ['E_YAML: bad.yaml: no'],
  },
  { ...ok('late.yaml', 'other', 'stage 18'), status: 'skipped', note: 'not run: --fail-fast' },
];

describe('a report', () => {
  test('as text has a line for each result, and all lines of one that failed', () => {
    expect(report('text', results)).toBe(`ok     stage-08.yaml
FAILED without <09/initrd> #1 second
  match[0] expect {a: 1}: found
  m.yaml:7:5: match[1]: not found
    C: expected 1
      & found "0"
  m.yaml:7:5: outcome: 100%
  rerun: sme-boot run plain --stage 8
updated old.yaml: 1 event changed
FAILED bad.yaml
  E_YAML: bad.yaml: no
skipped late.yaml: not run: --fail-fast

2 passed, 2 failed, 1 invalid, 1 updated, 1 not run
`);
  });

  test('as KTAP has a subtest for each scenario and stage, and diagnostics of what failed only', () => {
    expect(report('ktap', results)).toBe(`KTAP version 1
1..3
  KTAP version 1
  # Subtest: plain
  1..1
    KTAP version 1
    # Subtest: stage 8
    1..2
    ok 1 stage-08.yaml
    # m.yaml:7:5: match[1]: not found
    #   C: expected 1
    #     & found "0"
    # m.yaml:7:5: outcome: 100%
    # rerun: sme-boot run plain --stage 8
    not ok 2 without <09/initrd> _1 second
  not ok 1 stage 8
not ok 1 plain
  KTAP version 1
  # Subtest: other
  1..1
    KTAP version 1
    # Subtest: stage 18
    1..2
    ok 1 old.yaml
    ok 2 late.yaml # SKIP not run: --fail-fast
  ok 1 stage 18
ok 2 other
  KTAP version 1
  # Subtest: invalid
  1..1
  # E_YAML: bad.yaml: no
  not ok 1 bad.yaml
not ok 3 invalid
`);
  });

  test('as JUnit has a case for each result, whose message is the first failure', () => {
    expect(report('junit', results)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="sme-boot" tests="5" failures="1" errors="1" skipped="1">
  <testcase name="stage-08.yaml" classname="sme-boot.plain.stage 8"/>
  <testcase name="without &lt;09/initrd&gt; #1 second" classname="sme-boot.plain.stage 8">
    <failure message="m.yaml:7:5: match[1]: not found">m.yaml:7:5: match[1]: not found
  C: expected 1
    &amp; found &quot;0&quot;
m.yaml:7:5: outcome: 100%
rerun: sme-boot run plain --stage 8
</failure>
  </testcase>
  <testcase name="old.yaml" classname="sme-boot.other.stage 18"/>
  <testcase name="bad.yaml" classname="sme-boot.invalid">
    <error message="bad.yaml: E_YAML: no">E_YAML: bad.yaml: no
</error>
  </testcase>
  <testcase name="late.yaml" classname="sme-boot.other.stage 18">
    <skipped message="not run: --fail-fast"/>
  </testcase>
</testsuite>
`);
  });

  test('as JUnit has no character that XML excludes', () => {
    const text = 'a\u0000b\u001bc\ufffed\ud800e\u{1f600}\tf';
    const one: Failure = { place: {}, headline: 'x', lines: [text] };
    expect(report('junit', [failed('x', [one])])).toContain(
      '>a\ufffdb\ufffdc\ufffdd\ufffde\u{1f600}\tf\nrerun',
    );
  });

  test('for GitHub has the first failure of each file before the others', () => {
    expect(report('github', results)).toBe(
      [
        '::error file=m.yaml,line=7,col=5,title=match[1]%3A not found::' +
          'm.yaml:7:5: match[1]: not found%0A  C: expected 1%0A    & found "0"' +
          '%0Arerun: sme-boot run plain --stage 8',
        '::error file=bad.yaml,title=E_YAML%3A no::E_YAML: bad.yaml: no',
        '::error file=m.yaml,line=7,col=5,title=outcome%3A 100%25::' +
          'm.yaml:7:5: outcome: 100%25%0Arerun: sme-boot run plain --stage 8',
        '2 passed, 2 failed, 1 invalid, 1 updated, 1 not run',
        '',
      ].join('\n'),
    );
  });

  test('for GitHub escapes what would end a property or the command', () => {
    const one: Failure = {
      place: { file: 'a,b:c%.yaml' },
      headline: 'x,y',
      lines: ['p\r', '::error::q'],
    };
    const [line = '', ...others] = report('github', [failed('x', [one])]).split('\n');
    expect(line).toBe(
      '::error file=a%2Cb%3Ac%25.yaml,title=x%2Cy::p\\u000d%0A::error::q' +
        '%0Arerun: sme-boot run plain --stage 8',
    );
    expect(others.some((each) => each.startsWith('::'))).toBe(false);
  });

  test('for GitHub says how many annotations are not shown', () => {
    const many = Array.from({ length: 11 }, (_, i) => failure(`f${String(i)}`));
    expect(report('github', [failed('x', many)])).toContain(
      '11 annotations; GitHub shows 10 of a step\n',
    );
  });

  test('as a step summary has a row for each failed file', () => {
    expect(githubSummary(results))
      .toBe(`### sme-boot check: 2 passed, 2 failed, 1 invalid, 1 updated, 1 not run

| file | first failure | failures |
| --- | --- | --- |
| without \\<09/initrd\\> #1 second | m.yaml:7:5: match\\[1\\]: not found | 2 |
| bad.yaml | bad.yaml: E\\_YAML: no | 1 |

The boots again:

    sme-boot run plain --stage 8
`);
  });

  test('as a step summary stays below the size that GitHub shows', () => {
    const long = Array.from({ length: 9000 }, (_, i) =>
      failed(`${String(i)} ${'é'.repeat(80)}`, [failure('x')]),
    );
    const summary = githubSummary(long);
    expect(new TextEncoder().encode(summary).length).toBeLessThan(1024 * 1024);
    expect(summary).toMatch(/ \|\n\nThe rest is in the log\.\n$/);
  });

  test.each(REPORT_FORMS)('as %s shows a failure without details', (form) => {
    const silent: Result = { ...ok('silent'), status: 'failed' };
    expect(report(form, [silent])).not.toBe(report(form, [ok('silent')]));
  });
});

describe('KTAP as the kernel reads it', () => {
  const flat = (tests: readonly KtapTest[]): KtapTest[] =>
    tests.flatMap((each) => (each.tests.length === 0 ? [each] : flat(each.tests)));

  test('has the results in their groups', () => {
    const read = ktapOf(report('ktap', results));
    expect(read.errors).toEqual([]);
    expect(read.tests.map(({ name, status }) => [name, status])).toEqual([
      ['plain', 'failed'],
      ['other', 'ok'],
      ['invalid', 'failed'],
    ]);
    expect(flat(read.tests).map(({ status }) => status)).toEqual([
      'ok',
      'failed',
      'ok',
      'skipped',
      'failed',
    ]);
  });

  test('is read to the end though a boot panics as a kernel does at the end of its log', () => {
    const panic = 'console: Kernel panic - not syncing: VFS: Unable to mount root fs';
    const others = ['List of all partitions:', 'reboot: System halted', '# Subtest: x', '1..4'];
    const list = [failed('a', [failure(panic, ...others)], 's', 't'), ok('b', 's', 't')];
    const read = ktapOf(report('ktap', list));
    expect(read.errors).toEqual([]);
    expect(flat(read.tests).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('is complete for any names, groups and texts', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'stage 8',
        '# SKIP',
        '1..2',
        'ok 1 x',
        'KTAP version 1',
        '# Subtest: a',
        '- a',
      ),
    );
    const any = fc.record({
      name: word,
      status: fc.constantFrom<Status>('ok', 'failed', 'invalid', 'updated', 'skipped'),
      group: fc.array(word, { maxLength: 2 }),
      failures: fc.array(
        fc.record({ place: fc.constant({}), headline: word, lines: fc.array(word) }),
        { maxLength: 2 },
      ),
      lines: fc.constant([]),
      note: word,
    });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1 }), (list) => {
        const read = ktapOf(report('ktap', list));
        expect(read.errors).toEqual([]);
        const count = (status: KtapTest['status']): number =>
          flat(read.tests).filter((each) => each.status === status).length;
        const are = (...statuses: Status[]): number =>
          list.filter(({ status }) => statuses.includes(status)).length;
        expect([count('ok'), count('failed'), count('skipped')]).toEqual([
          are('ok', 'updated'),
          are('failed', 'invalid'),
          are('skipped'),
        ]);
      }),
      { numRuns: 500 },
    );
  });
});
