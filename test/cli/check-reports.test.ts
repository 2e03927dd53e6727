/** Reports, selection, questions and obsolete files of `check`. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ktapOf } from '../check/ktap.js';
import { sme } from './io.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-reports-'));
  writeFileSync(join(dir, 'a-good.yaml'), `${BASE}outcome: {kind: booted}\n`);
  writeFileSync(join(dir, 'b-bad.yaml'), `${BASE}${BAD}`);
  writeFileSync(join(dir, 'c-malformed.yaml'), 'expect: match\nrun: {scenario: bios-minimal');
  writeFileSync(join(dir, 'd-good.yaml'), `${BASE}outcome: {kind: booted}\n`);
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const BASE = 'expect: match\nrun: {scenario: bios-minimal, stage: 0}\n';
const BAD = [
  'match:',
  '  - expect: {console: /^Command line/}',
  '  - next: {console: /nothing of this kind/}',
  'outcome: {kind: panic}',
  '',
].join('\n');

const at = (name: string): string => join(dir, name);
const shown = (name: string): string => relative('.', at(name));

describe('reports of sme-boot check', () => {
  test('name the place of each failed directive and its neighbours in the trace', async () => {
    const { status, out } = await sme(['check', at('b-bad.yaml')]);
    expect(status).toBe(1);
    expect(out).toContain(`\n  ${shown('b-bad.yaml')}:5:5: match[1] next {console: /nothing`);
    expect(out).toMatch(
      /\n {4}nearest: \S+: \{.*\n(?: {6}.*\n)+ {6}before: \S+: \{console: .*Command/,
    );
    expect(out).toMatch(/\n {6}after: {2}\S+: \{/);
    expect(out).toContain(`\n  ${shown('b-bad.yaml')}:6:10: outcome: differs\n`);
  });

  test('have a malformed file as one failed test, and the others are run', async () => {
    const { status, out, err } = await sme(['check', dir]);
    expect(status).toBe(2);
    expect(out.match(/^(?:ok {4}|FAILED) /gm)).toEqual([
      'ok     ',
      'FAILED ',
      'FAILED ',
      'ok     ',
    ]);
    expect(out).toContain('\n2 passed, 2 failed, 1 invalid\n');
    expect(err).toMatch(/^sme-boot: E_YAML: .*c-malformed\.yaml:2:\d+/);
  });

  test('in JUnit have the first failure as the message', async () => {
    const { out } = await sme(['check', dir, '--format', 'junit']);
    expect(out).toContain('tests="4" failures="1" errors="1" skipped="0"');
    expect(out).toContain(
      `<failure message="${shown('b-bad.yaml')}:5:5: match[1] next {console: /nothing of this kind/}: not found">`,
    );
    expect(out).toMatch(/<error message="\S*c-malformed\.yaml:2:\d+: E_YAML: /);
  });

  test('in KTAP have scenario and stage as subtests, and only what failed as diagnostics', async () => {
    const { out } = await sme(['check', dir, '--format', 'ktap']);
    const { tests, errors } = ktapOf(out);
    expect(errors).toEqual([]);
    expect(tests.map(({ name }) => name)).toEqual(['bios-minimal', 'invalid']);
    const [stage] = tests[0]?.tests ?? [];
    expect(stage?.name).toBe('stage 0');
    expect(stage?.tests.map(({ status }) => status)).toEqual(['ok', 'failed', 'ok']);
    const [, bad] = stage?.tests ?? [];
    expect(bad?.log.join('\n')).toContain('match[1]');
    expect(bad?.log.join('\n')).not.toContain('match[0]');
  });

  test('for GitHub are annotations, and a summary in the file that the environment names', async () => {
    const summary = at('summary.md');
    writeFileSync(summary, 'before\n');
    const { status, out } = await sme(['check', dir, '--format', 'github'], {
      GITHUB_STEP_SUMMARY: summary,
      CI: 'true',
    });
    expect(status).toBe(2);
    const lines = out.split('\n').filter((line) => line.startsWith('::'));
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain(
      `::error file=${shown('b-bad.yaml')},line=5,col=5,title=match[1] next {`,
    );
    expect(lines[0]).toContain('%0A  nearest: ');
    expect(lines[1]).toContain(`file=${shown('c-malformed.yaml')},line=2,`);
    expect(readFileSync(summary, 'utf8')).toMatch(
      /^before\n### sme-boot check: 2 passed, 2 failed, 1 invalid\n\n\| file \|/,
    );
  });

  test('for GitHub name files from the root of the repository', async () => {
    const argv = ['check', at('b-bad.yaml'), '--format', 'github'];
    const { out } = await sme(argv, { GITHUB_WORKSPACE: dir });
    expect(out).toMatch(/^::error file=b-bad\.yaml,line=5,/);
  });

  test('of a whole trace name the line of the event that differs', async () => {
    const file = at('exact.txt');
    await sme(['run', 'bios-minimal', '--stage', '0', '--trace', file, '--format', 'yaml']);
    const text = readFileSync(file, 'utf8');
    const changed = text.replace(/(wrmsr: IA32_PAT, value: )\S+?,/, '$10x1,');
    expect(changed).not.toBe(text);
    writeFileSync(file, changed);
    const line = changed.split('\n').findIndex((each) => each.includes('value: 0x1,')) + 1;
    const { out } = await sme(['check', file]);
    expect(out).toContain(`  ${shown('exact.txt')}:${String(line)}:9: mtrr_bp_init:\n    ~ {wrmsr`);
    expect(out).toMatch(/found 0x\w+\n {8}before: \S+: \{.*\n {8}after: {2}\S+: \{/);
  });

  test.each([
    [
      'a scenario',
      '{ scenario: bios-minmal }',
      /2:6, run: .*bios-minmal; did you mean bios-minimal/,
    ],
    ['a series', '{ scenario: bios-minimal, series: fixd }', /2:6, run: .*did you mean fixed/],
    ['a hunk', '{ scenario: bios-minimal, without: [09/inird] }', /2:6, .*did you mean 09.initrd/],
    [
      'a file',
      '{ scenario: ./a-goood.yaml }',
      /2:18, run\.scenario: .*did you mean .*a-good\.yaml/,
    ],
    [
      'too deep a path',
      `{ scenario: bios-minimal, set: { ${'a.'.repeat(20)}a: 1 } }`,
      /2:6, run: expected at most 16 names/,
    ],
  ])(
    'have place and suggestion for %s that is misspelt, on stderr too',
    async (what, run, found) => {
      const folder = mkdtempSync(join(dir, 'misspelt-'));
      const file = join(folder, 'm.yaml');
      writeFileSync(join(folder, 'a-good.yaml'), '');
      writeFileSync(file, `expect: match\nrun: ${run}\noutcome: {kind: booted}\n`);
      try {
        for (const format of ['text', 'junit', 'ktap', 'github']) {
          const { status, out, err } = await sme(['check', file, '--format', format]);
          expect(status).toBe(2);
          expect(err).toMatch(found);
          expect(err).toContain(`${relative('.', file)}:2:`);
          if (what !== 'too deep a path') expect(out).toContain('did you mean ');
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  test('go to a file with --output, whose name gives the format', async () => {
    const file = at('report.xml');
    const { status, out } = await sme(['check', at('a-good.yaml'), '--output', file]);
    expect([status, out]).toEqual([0, '']);
    expect(readFileSync(file, 'utf8')).toContain('<testsuite name="sme-boot" tests="1"');
  });
});

describe('the selection of sme-boot check', () => {
  test.each<[string, string[]]>([
    ['good', ['a-good', 'd-good']],
    ['?-good.yaml', ['a-good', 'd-good']],
    ['[ab]-good', []],
    ['*-b*.yaml', ['b-bad']],
    ['/[ab]-/', ['a-good', 'b-bad']],
    ['/^a/', []],
  ])('--filter %s', async (pattern, names) => {
    const { status, out, err } = await sme(['check', dir, '--list', '--filter', pattern]);
    const listed = out.split('\n').filter((line) => line !== '');
    expect(listed.map((line) => /([\w-]+)\.yaml/.exec(line)?.[1])).toEqual(names);
    expect(status).toBe(names.length === 0 ? 2 : 0);
    if (names.length === 0) expect(err).toMatch(/E_NOTHING: --filter selects none of 4 files/);
  });

  test('--list says what each file boots and boots nothing', async () => {
    const { status, out } = await sme(['check', dir, '--list']);
    expect(status).toBe(2);
    const [good, , malformed] = out.split('\n');
    expect(good).toBe(`${shown('a-good.yaml')}  match  bios-minimal stage 0`);
    expect(malformed).toMatch(/c-malformed\.yaml {2}invalid {2}E_YAML: /);
  });

  test('--shard takes every Nth file; all shards together are all files', async () => {
    const names = async (shard: string): Promise<string[]> =>
      (await sme(['check', dir, '--list', '--shard', shard])).out.trimEnd().split('\n');
    const all = (await sme(['check', dir, '--list'])).out.trimEnd().split('\n');
    expect([...(await names('1/2')), ...(await names('2/2'))].sort()).toEqual(all);
    expect(await names('1/2')).toEqual([all[0], all[2]]);
    expect((await sme(['check', dir, '--shard', '3/2'])).err).toContain('E_SHARD');
  });

  test('a shard without a file is empty, which is said', async () => {
    const { status, out } = await sme(['check', at('a-good.yaml'), '--shard', '2/2']);
    expect([status, out]).toEqual([0, '\n0 passed, 0 failed\n']);
  });

  test('--fail-fast runs no file after the first that fails, and says so', async () => {
    const { status, out } = await sme(['check', dir, '--fail-fast']);
    expect(status).toBe(1);
    expect(out).not.toContain('d-good');
    expect(out).toContain('\n1 passed, 1 failed, 2 not run\n');
  });

  test.each([
    [['--update', '--shard', '1/2'], /another shard/],
    [['--update', '--interactive'], /give one of them/],
    [['-', '--update'], /--update needs files/],
    [['--update', '--list'], /--list changes nothing/],
    [['--list', '--format', 'ktap'], /--list prints text/],
    [['--filter', '/(/'], /E_FILTER: /],
    [['--jobs', '0'], /a number of threads, 1 to/],
  ])('%j is refused', async (flags, message) => {
    const { status, err } = await sme(['check', dir, ...flags]);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('sme-boot check --interactive', () => {
  const prepare = (name: string): string => {
    const folder = at(name);
    mkdirSync(folder);
    for (const [file, value] of [
      ['one.yaml', '0x1'],
      ['two.yaml', '0x2'],
    ] as const) {
      writeFileSync(
        join(folder, file),
        whole.replace(/(wrmsr: IA32_PAT, value: )\S+?,/, `$1${value},`),
      );
    }
    return folder;
  };
  let whole: string;
  beforeAll(async () => {
    const file = at('whole.txt');
    await sme(['run', 'bios-minimal', '--stage', '0', '--trace', file, '--format', 'yaml']);
    whole = readFileSync(file, 'utf8');
  });

  test('is refused without a terminal, and in CI', async () => {
    const { status, err } = await sme(['check', dir, '--interactive']);
    expect([status, err]).toEqual([2, expect.stringContaining('--interactive needs a terminal')]);
    const ci = await sme(['check', dir, '--interactive'], { CI: '1' }, true, {
      ask: () => Promise.resolve('y'),
    });
    expect([ci.status, ci.err]).toEqual([2, expect.stringContaining('E_CI: --interactive')]);
  });

  test.each<[string, (string | undefined)[], number, string, [boolean, boolean]]>([
    ['takes one and refuses one', ['y', 'n'], 1, '1 passed, 1 failed, 1 updated', [true, false]],
    ['asks again for another answer', ['what', '', 'Yes', 'n'], 1, '1 updated', [true, false]],
    ['takes all', ['a'], 0, '2 passed, 0 failed, 2 updated', [true, true]],
    ['quits', ['q'], 1, '0 passed, 2 failed', [false, false]],
    ['quits at the end of input', [undefined], 1, '0 passed, 2 failed', [false, false]],
  ])('%s', async (title, answers, expected, counts, taken) => {
    const folder = prepare(title.replaceAll(' ', '-'));
    const left = [...answers];
    const asked: string[] = [];
    const { status, out } = await sme(['check', folder, '--interactive'], {}, true, {
      ask: (question) => {
        asked.push(question);
        return Promise.resolve(left.shift());
      },
    });
    expect([status, left, asked.length]).toEqual([expected, [], answers.length]);
    expect(out).toContain(counts);
    expect(out).toMatch(/changed\s[^~]*mtrr_bp_init:\n {4}~ \{wrmsr: IA32_PAT/);
    // What it shows fits the terminal as the report does.
    expect(out.split('\n').filter((line) => line.length > 60)).toEqual([]);
    const isWhole = (name: string): boolean =>
      readFileSync(join(folder, name), 'utf8').replace(/^#.*\n/, '') === whole;
    expect([isWhole('one.yaml'), isWhole('two.yaml')]).toEqual(taken);
  });
});

describe('obsolete files', () => {
  test('are named with what does not exist', async () => {
    const folder = at('obsolete');
    mkdirSync(folder);
    const write = (name: string, run: string): void => {
      writeFileSync(join(folder, name), `expect: match\nrun: {${run}}\noutcome: {kind: booted}\n`);
    };
    write('scenario.yaml', 'scenario: bios-minimul');
    write('hunk.yaml', 'scenario: bios-minimal, without: [09/gone]');
    write('series.yaml', 'scenario: bios-minimal, series: gone');
    writeFileSync(join(folder, 'base.yaml'), 'expect: exact\nbase: gone.yaml\nchanges: {}\n');
    const { status, err } = await sme(['check', folder]);
    expect(status).toBe(2);
    const lines = err.split('\n').filter((line) => line.startsWith('obsolete: '));
    expect(lines.map((line) => line.replace(/[^\s(]*obsolete\//g, ''))).toEqual([
      'obsolete: base.yaml: its base does not exist (gone.yaml)',
      'obsolete: hunk.yaml: a hunk or patch that it names does not exist (09/gone)',
      'obsolete: scenario.yaml: its scenario does not exist (bios-minimul)',
      'obsolete: series.yaml: its series does not exist (gone)',
    ]);
  });

  test('of the project are those that no run of it writes', async () => {
    const file = 'traces/intel/stage-17.yaml';
    copyFileSync('traces/bios-minimal/stage-00.yaml', file);
    try {
      const { status, err } = await sme(['check', file]);
      expect([status, err]).toEqual([
        0,
        `obsolete: ${file}: no run that check --update writes has this file\n`,
      ]);
    } finally {
      rmSync(file);
    }
  });

  test('a base in quotes is a base', async () => {
    const folder = at('quoted');
    mkdirSync(folder);
    const [base, rung] = [join(folder, 'base.yaml'), join(folder, 'rung.yaml')];
    await sme(['trace', 'traces/bios-minimal/stage-00.yaml', '--output', base]);
    await sme(['trace', 'traces/bios-minimal/stage-01.yaml', '--base', base, '--output', rung]);
    const text = readFileSync(rung, 'utf8');
    writeFileSync(rung, text.replace('base: base.yaml', '"base": "base.yaml"'));
    const old = readFileSync(base, 'utf8');
    writeFileSync(base, old.replace(/(cpuid: 0x1, eax: )0x800f12/, '$10x800f11'));
    const { status, err } = await sme(['check', base, '--update']);
    expect(status).toBe(0);
    expect(err).toMatch(
      /rung\.yaml is a difference from a file that was rewritten: check it too\n$/,
    );
  });
});
