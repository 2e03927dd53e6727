/** `run` with reports of the sanitizer: the boot is real, its reports are given. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Boot } from '../../src/sequencer/boot.js';
import { RULE_IDS } from '../../src/sanitizer/rules.js';
import type { SanitizerReport } from '../../src/trace/report.js';
import { parseTrace } from '../../src/trace/yaml-in.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { sme, type Ran } from './io.js';

const INITRD: SanitizerReport = {
  rule: 'wrong-key-read',
  step: 'startup_64',
  at: '0x100000..0x100fff initrd',
  C: 1,
  in: 'create_unencrypted_mapping',
  file: 'arch/x86/kernel/head64.c',
  patch: 9,
  hunk: '09/bootdata',
  what: 'bytes written with C=0 are read with C=1',
  outcome: 'garbage consumed',
};
const BASE: SanitizerReport = {
  rule: 'stale-translation',
  n: 2,
  step: 'loader',
  at: '0x9000',
  in: 'verify_cpu',
  what: 'bytes are read that were never written',
  outcome: 'nothing yet',
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-reports-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const reports = jest.spyOn(Boot.prototype, 'reports');
beforeEach(() => {
  reports.mockReturnValue([INITRD, BASE]);
});
const run = (...words: string[]): Promise<Ran> =>
  sme(['run', 'bios-minimal', '--stage', '0', ...words]);
function write(name: string, text: string): string {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
}

describe('the summary of a run', () => {
  test('lists the reports, which do not change the exit status', async () => {
    const { status, out } = await run();
    expect(status).toBe(0);
    expect(out).toContain(`
Reports of the sanitizer
  wrong-key-read at 0x100000..0x100fff initrd, in startup_64
      create_unencrypted_mapping (hunk 09/bootdata), C=1: bytes written with C=0 are read with C=1
      outcome: garbage consumed
  stale-translation at 0x9000, in loader, 2 times
      verify_cpu: bytes are read that were never written
      outcome: nothing yet
`);
    expect(out.trimEnd().split('\n').at(-1)).toBe('booted: Run /init as init process');
  });

  exhaustiveTest('lists twenty reports, and says how many more there are', async () => {
    reports.mockReturnValue(Array.from({ length: 23 }, () => INITRD));
    const { out } = await run();
    expect(out.match(/^ {2}wrong-key-read/gm)).toHaveLength(20);
    expect(out).toContain('\n  and 3 more\n');
  });

  exhaustiveTest('says that there are none, or that it did not look for any', async () => {
    reports.mockReturnValue([]);
    expect((await run()).out).toContain('\nReports of the sanitizer\n  none\n');
    expect((await run('--sanitize')).out).toContain('\nReports of the sanitizer\n  none\n');
    const { out } = await run('--no-sanitize');
    expect(out).toContain('\nReports of the sanitizer\n  not looked for: --no-sanitize\n');
  });
});

describe('the trace of a run', () => {
  test('has the reports, as YAML and JSON', async () => {
    const file = join(dir, 't.json');
    expect((await run('--output', file)).status).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      schema: 2,
      reports: [INITRD, BASE],
    });
    const { out } = await run('--output', '-');
    expect(parseTrace('-', out).reports).toEqual([INITRD, BASE]);
  });

  exhaustiveTest('has no reports with --no-sanitize, and says so', async () => {
    const { out } = await run('--no-sanitize', '--output', '-');
    const { header, reports: none } = parseTrace('-', out);
    expect([header.sanitize, none]).toEqual([false, undefined]);
    expect(out).not.toMatch(/^reports/m);
    expect(parseTrace('-', (await run('--output', '-')).out).header.sanitize).toBeUndefined();
  });

  exhaustiveTest('is checked with its reports, in order', async () => {
    const file = join(dir, 'expected.yaml');
    await run('--output', file);
    expect((await sme(['check', file])).status).toBe(0);
    reports.mockReturnValue([INITRD, { ...BASE, n: 3 }]);
    const { status, out } = await sme(['check', file]);
    expect(status).toBe(1);
    expect(out).toMatch(/expected\.yaml:\d+:5: reports:\n/);
    expect(out).toContain('n: expected 2, found 3');
  });
});

describe('run --fail-on-report', () => {
  test.each(
    firstOf(2, [
      [['--fail-on-report'], 1],
      [['--fail-on-report=mixed-key-line'], 0],
      [['--fail-on-report=wrong-key-read'], 1],
      [['--fail-on-report=mixed-key-line,stale-translation'], 1],
      [['--fail-on-report', '--expect', 'outcome=booted'], 1],
      [['--expect', 'report=wrong-key-read'], 0],
      [['--expect', 'report=mixed-key-line'], 1],
    ] as const),
  )('%j exits with %i', async (words, expected) => {
    expect((await run(...words)).status).toBe(expected);
  });

  test.each([
    [['--fail-on-report=wrong-key-reed'], 'did you mean wrong-key-read?'],
    [['--fail-on-report', 'epyc-efi'], 'expected the scenario before this option'],
    [['--tree', '.'], '--tree has no effect without --format sarif'],
    [['--expect', 'report=mixed'], 'did you mean mixed-key-line?'],
  ])('%j is refused', async (words, message) => {
    const { status, err } = await run(...words);
    expect([status, err]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('run --suppress', () => {
  const both = `
- {rule: wrong-key-read, at: initrd, reason: known}
- {rule: stale-translation, in: verify_cpu, reason: harmless}
`;

  test('counts what it suppresses, and does not fail', async () => {
    const file = write('both.yaml', both);
    const { status, out } = await run('--suppress', file, '--fail-on-report');
    expect(status).toBe(0);
    expect(out).toContain('Reports of the sanitizer\n  2 suppressed\n');
    const trace = await run('--suppress', file, '--output', '-', '--format', 'json');
    expect(JSON.parse(trace.out)).toMatchObject({
      reports: [{ suppressed: 'known' }, { suppressed: 'harmless' }],
    });
  });

  exhaustiveTest('fails for a report that it does not cover', async () => {
    const file = write('one.yaml', '- {rule: wrong-key-read, at: initrd, reason: known}\n');
    const { status, out } = await run('--suppress', file, '--fail-on-report');
    expect([status, out]).toEqual([1, expect.stringContaining('\n  1 suppressed\n')]);
  });

  test('refuses an unused entry after the run, with its line', async () => {
    const file = write('unused.yaml', `${both}- {rule: mixed-key-line, at: dtb, reason: r}\n`);
    const { status, out, err } = await run('--suppress', file);
    expect(status).toBe(2);
    expect(out).toContain('booted: Run /init');
    expect(err).toMatch(/E_SUPPRESSION_UNUSED: \S+unused\.yaml:4:3.*mixed-key-line at dtb/);
  });

  exhaustiveTest('names every unused entry', async () => {
    reports.mockReturnValue([]);
    const { err } = await run('--suppress', write('none.yaml', both));
    expect(err.match(/E_SUPPRESSION_UNUSED/g)).toHaveLength(2);
  });

  test('is in the match file of the run', async () => {
    write('known.yaml', both);
    const file = join(dir, 'known-match.yaml');
    await run('--suppress', join(dir, 'known.yaml'), '--match-out', file);
    expect(readFileSync(file, 'utf8')).toContain('\nsuppress: known.yaml\n');
    expect((await sme(['check', file])).status).toBe(0);
    write('known.yaml', `${both}- {rule: mixed-key-line, at: dtb, reason: r}\n`);
    const unused = await sme(['check', file]);
    expect([unused.status, unused.err]).toEqual([
      2,
      expect.stringMatching(/E_SUPPRESSION_UNUSED: \S*known\.yaml:4:3/),
    ]);
  });

  exhaustiveTest('leaves its reasons in a trace that is updated', async () => {
    const file = join(dir, 'judged.yaml');
    await run('--suppress', write('judge.yaml', both), '--output', file);
    expect((await sme(['check', file])).status).toBe(0);
    writeFileSync(file, readFileSync(file, 'utf8').replace('where: run_init', 'where: nowhere'));
    expect((await sme(['check', '--update', file], { CI: '' })).status).toBe(0);
    const reasons = parseTrace(file, readFileSync(file, 'utf8')).reports?.map(
      ({ suppressed }) => suppressed,
    );
    expect(reasons).toEqual(['known', 'harmless']);
  });

  test('refuses a file with an error before the boot', async () => {
    const { status, out, err } = await run('--suppress', write('bad.yaml', '- {rule: x, at: y}\n'));
    expect([status, out, err]).toEqual([2, '', expect.stringMatching(/bad\.yaml:1:.*reason/)]);
  });
});

describe('run --format', () => {
  exhaustiveTest('junit: a failed case for each rule with reports', async () => {
    const { status, out, err } = await run('--format', 'junit');
    expect(status).toBe(0);
    expect(out).toContain('failures="2"');
    expect(out).toMatch(/<failure message="patches\/0009-\S+\.yaml:\d+: wrong-key-read at/);
    expect(err).toContain('booted: Run /init');
  });

  test('sarif: at the line of the hunk, and at that of the kernel tree', async () => {
    const tree = join(dir, 'tree');
    mkdirSync(join(tree, 'arch/x86/kernel'), { recursive: true });
    writeFileSync(join(tree, 'Makefile'), 'VERSION = 4\nPATCHLEVEL = 6\nSUBLEVEL = 5\n');
    const c = '\n\nstatic void __init create_unencrypted_mapping(void *p)\n{\n}\n';
    writeFileSync(join(tree, 'arch/x86/kernel/head64.c'), c);
    const file = join(dir, 'r.sarif');
    expect((await run('--output', file, '--tree', tree)).status).toBe(0);
    const log = JSON.parse(readFileSync(file, 'utf8')) as {
      runs: [{ results: [unknown, unknown] }];
    };
    const [first, second] = log.runs[0].results;
    const record = readFileSync(
      'patches/0009-insure-that-memory-areas-are-encrypted-when-possible.yaml',
      'utf8',
    );
    const line =
      record.split('\n').findIndex((each) => each.includes('name: create_unencrypted_mapping')) + 1;
    expect(line).toBeGreaterThan(1);
    expect(first).toMatchObject({
      locations: [{ physicalLocation: { region: { startLine: line } } }],
      relatedLocations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'arch/x86/kernel/head64.c' },
            region: { startLine: 3 },
          },
        },
      ],
    });
    expect(second).toMatchObject({ ruleId: 'stale-translation', occurrenceCount: 2 });
  });

  test('github: warnings, and a summary of the step', async () => {
    const summary = join(dir, 'summary.md');
    const words = ['run', 'bios-minimal', '--stage', '0', '--format', 'github'];
    const { out } = await sme(words, { GITHUB_STEP_SUMMARY: summary });
    expect(out).toMatch(/^::warning file=patches\/0009-\S+\.yaml,line=\d+,title=wrong-key-read/);
    expect(readFileSync(summary, 'utf8')).toContain('| wrong-key-read | 0x100000..0x100fff initrd');
  });

  test('refuses a folder that is no tree before the boot', async () => {
    const { status, out, err } = await run('--format', 'sarif', '--tree', dir);
    expect([status, out, err]).toEqual([2, '', expect.stringContaining('E_TREE')]);
  });
});

test('list rules has every rule', async () => {
  const { out } = await sme(['list', 'rules']);
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]),
  ).toEqual(RULE_IDS);
  expect(out).toMatch(/^wrong-key-read +read under another key than it was written with$/m);
});
