/** The formats of a run's reports: JUnit, SARIF, GitHub. */
import { describe, expect, test } from '@jest/globals';
import type { ReportedRun, ReportPlaces } from '../../src/check/report-words.js';
import { reportsGithub, reportsSummary } from '../../src/check/reports-github.js';
import { reportsJunit } from '../../src/check/reports-junit.js';
import { reportsSarif } from '../../src/check/reports-sarif.js';
import type { RuleInfo, SanitizerReport } from '../../src/trace/report.js';
import { FULL_REPORT, REPORT } from '../trace/helpers.js';

const RULES = ['wrong-key-read', 'mixed-key-line', 'stale-translation', 'key-disagreement'].map(
  (id): RuleInfo => ({ id, title: `title of ${id}`, what: 'W.', watches: ['accessed'] }),
);
const { suppressed: _suppressed, ...MIXED } = FULL_REPORT;
const SUPPRESSED: SanitizerReport = {
  ...REPORT,
  rule: 'key-disagreement',
  suppressed: 'no device reads it',
};
const run = (more: Partial<ReportedRun> = {}): ReportedRun => ({
  title: 'plain, stage 18',
  rules: RULES,
  reports: [REPORT, MIXED, SUPPRESSED],
  unchecked: undefined,
  unexpected: [],
  expressions: [],
  rerun: 'sme-boot run plain',
  ...more,
});
const places: ReportPlaces = {
  recordLine: ({ hunk }) =>
    hunk === undefined ? { file: 'scenarios/plain.yaml' } : { file: 'patches/0018.yaml', line: 7 },
  kernelLine: ({ file }) => (file === undefined ? undefined : { file, line: 12 }),
};

describe('reports as JUnit', () => {
  const text = reportsJunit(run(), places);

  test('have a case for each rule and the outcome', () => {
    const tests = RULES.length + 1;
    expect(text).toContain(`tests="${tests}" failures="2" errors="0" skipped="1"`);
    expect(text.match(/<testcase /g)).toHaveLength(RULES.length + 1);
    expect(text).toContain(
      '<testcase name="stale-translation" classname="sme-boot.plain, stage 18.rules"/>',
    );
    expect(text).toContain('<testcase name="outcome" classname="sme-boot.plain, stage 18"/>');
    expect(text).toContain('<skipped message="suppressed: no device reads it"/>');
  });

  test('fail a rule with what each report says', () => {
    expect(text).toContain(
      '<failure message="patches/0018.yaml:7: mixed-key-line at 0x9000..0x903f sme_workarea, in startup_64, on CPU 2, 3 times">mixed-key-line at',
    );
    expect(text).toContain(
      'earlier in startup_64: copy_bootdata (hunk 09/copy_bootdata), C=0: written\n',
    );
    expect(text).toContain('outcome: data lost\nrerun: sme-boot run plain\n');
  });

  test('have a case for a rule that is in no table, the outcome and each expression', () => {
    const other = reportsJunit(
      run({
        reports: [{ ...REPORT, rule: 'of-a-later-version' }],
        unexpected: ['outcome: expected booted, found panic'],
        expressions: [
          { text: 'outcome=panic', seen: 'panic', holds: true },
          { text: 'report=cbit-on-mmio', seen: 'not reported', holds: false },
        ],
      }),
      places,
    );
    expect(other).toContain(`tests="${RULES.length + 4}" failures="3"`);
    expect(other).toContain('<failure message="outcome: expected booted, found panic">');
    expect(other).toContain('<failure message="does not hold: not reported">');
    expect(other).toContain('<testcase name="of-a-later-version"');
  });

  test('skip every rule that was not checked', () => {
    const off = reportsJunit(run({ reports: [], unchecked: 'not checked: off' }), places);
    expect(off.match(/<skipped message="not checked: off"\/>/g)).toHaveLength(RULES.length);
  });
});

interface Sarif {
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly rules: readonly Record<string, unknown>[] } };
      readonly results: readonly Record<string, unknown>[];
      readonly originalUriBaseIds?: unknown;
      readonly properties: unknown;
    },
  ];
}

describe('reports as SARIF', () => {
  const sarif = (given: ReportedRun, at = places): Sarif =>
    JSON.parse(reportsSarif(given, { version: '1.2.3', places: at })) as Sarif;
  const { tool, results, originalUriBaseIds } = sarif(run()).runs[0];

  test('list every rule with the page that describes it', () => {
    expect(tool.driver.rules).toHaveLength(RULES.length);
    expect(tool.driver.rules[1]).toMatchObject({
      id: 'mixed-key-line',
      help: { text: 'docs/sanitizer.md#mixed-key-line' },
      shortDescription: { text: 'title of mixed-key-line' },
      fullDescription: { text: 'W.' },
    });
  });

  test('are at their lines of the records, with those of the kernel as related', () => {
    expect(results[1]).toMatchObject({
      ruleId: 'mixed-key-line',
      ruleIndex: 1,
      level: 'error',
      occurrenceCount: 3,
      suppressions: [],
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'patches/0018.yaml' },
            region: { startLine: 7 },
          },
        },
      ],
      relatedLocations: [
        {
          id: 1,
          physicalLocation: {
            artifactLocation: { uri: 'arch/x86/mm/mem_encrypt.c', uriBaseId: 'KERNEL' },
            region: { startLine: 12 },
          },
        },
        { id: 2, message: { text: 'copy_bootdata: written' } },
      ],
    });
    expect(originalUriBaseIds).toHaveProperty('KERNEL');
    expect(results[0]).not.toHaveProperty('relatedLocations');
  });

  test('have suppressions with their reason', () => {
    expect(results[2]?.suppressions).toEqual([
      { kind: 'external', justification: 'no device reads it' },
    ]);
  });

  test('without a tree have no base for its files; of an unknown rule no index', () => {
    const none = { ...places, kernelLine: () => undefined };
    const given = run({
      reports: [{ ...REPORT, rule: 'of-a-later-version', outcome: 'nothing yet' }],
      unchecked: 'off',
    });
    const [log] = sarif(given, none).runs;
    expect(log).not.toHaveProperty('originalUriBaseIds');
    expect(log.results[0]).not.toHaveProperty('ruleIndex');
    expect(log.results[0]).toMatchObject({ level: 'warning' });
    expect(log.properties).toMatchObject({ unchecked: 'off', title: 'plain, stage 18' });
  });
});

describe('reports for GitHub', () => {
  test('are warnings at their lines, what is unexpected an error, suppressed ones counted', () => {
    const text = reportsGithub(run({ unexpected: ['outcome: panic'] }), places);
    expect(text.split('\n')).toEqual([
      '::error title=outcome::outcome: panic',
      '::warning file=scenarios/plain.yaml,title=wrong-key-read at 0x100000..0x100fff initrd%2C in reserve_initrd::unpack_to_rootfs: bytes written with C=0 are read with C=1%0Aoutcome: garbage consumed',
      expect.stringMatching(/^::warning file=patches\/0018.yaml,line=7,title=mixed-key-line at /),
      'plain, stage 18: 2 reports, 1 suppressed',
      '',
    ]);
  });

  test('say how many GitHub shows', () => {
    const many = Array.from({ length: 12 }, () => REPORT);
    expect(reportsGithub(run({ reports: many }), places)).toContain(
      '\n12 annotations; GitHub shows 10 of a step\nplain, stage 18: 12 reports\n',
    );
  });

  test('cannot make commands or table cells of foreign text', () => {
    const evil = { ...REPORT, in: 'f\n::error::x', at: '0x1 a|b', what: 'w\u001b[31m' };
    const text = reportsGithub(run({ reports: [evil] }), places);
    expect(text.split('\n').filter((line) => line.startsWith('::'))).toHaveLength(1);
    expect(text).not.toContain('\u001b');
    const summary = reportsSummary(run({ reports: [evil] }));
    expect(summary).toContain('a\\|b');
    expect(summary).not.toContain('\u001b');
  });

  test('have a summary with a row each, what failed, and the run', () => {
    const expressions = [{ text: 'report=cbit-on-mmio', seen: 'no', holds: false }];
    expect(reportsSummary(run({ expressions })))
      .toBe(`### sme-boot run: plain, stage 18: 2 reports, 1 suppressed

- --expect report=cbit-on-mmio: does not hold: no

| rule | place | by | what | outcome |
| --- | --- | --- | --- | --- |
| wrong-key-read | 0x100000..0x100fff initrd, in reserve\\_initrd | unpack\\_to\\_rootfs | bytes written with C=0 are read with C=1 | garbage consumed |
| mixed-key-line | 0x9000..0x903f sme\\_workarea, in startup\\_64 | sme\\_encrypt\\_kernel (hunk 18/sme\\_encrypt\\_kernel) | a line that is dirty with C=0 is touched with C=1 | data lost |

The run again:

    sme-boot run plain
`);
  });
});
