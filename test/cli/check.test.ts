import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { VERSION } from '../../src/base/version.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { sme, type Ran } from './io.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-check-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

let whole: string;
beforeAll(async () => {
  whole = (await sme(['trace', 'traces/bios-minimal/stage-18.yaml'])).out;
});

/** An expected trace with one event changed. */
function changed(name: string, from: RegExp, to: string, text = whole): string {
  const file = join(dir, name);
  const other = text.replace(from, to);
  expect(other).not.toBe(text);
  writeFileSync(file, other);
  return file;
}

describe('sme-boot check', () => {
  test('reports each expected trace below a folder as ok', async () => {
    const { status, out } = await sme(['check', 'traces/intel', 'traces/match/initrd.yaml']);
    expect(out).toMatch(/\n\d+ passed, 0 failed\n$/);
    expect(out).toContain('ok     traces/intel/stage-18.yaml');
    expect(out).toContain('ok     traces/match/initrd.yaml');
    expect(status).toBe(0);
  });

  test('a trace that differs fails with the difference and the command to rerun', async () => {
    const file = changed('differs.yaml', /\{cr: CR3, (.*)C: 1/, '{cr: CR3, $1C: 0');
    const { status, out } = await sme(['check', file]);
    expect(status).toBe(1);
    expect(out).toContain('C: expected 0, found 1');
    expect(out).toContain('sme-boot run bios-minimal --stage 18 --output -');
    expect(out).toContain('0 passed, 1 failed');
  });

  exhaustiveTest('--update rewrites a trace that differs', async () => {
    const file = changed('update.yaml', /value: 0x940000/, 'value: 0x950000');
    const { status, out } = await sme(['check', file, '--update']);
    expect(status).toBe(0);
    expect(out).toMatch(
      /^updated .*update\.yaml: 1 event changed; first in startup_64: ~ \{wrmsr: SYSCFG, .*\} value: 0x950000 → 0x940000\n/,
    );
    expect((await sme(['check', file])).status).toBe(0);
  });

  test.each(
    firstOf(1, [
      ['without the version of the program', /^ {2}version: .*\n/m, ''],
      ['of another version of the program', /^ {2}version: .*$/m, '  version: 9.9.9'],
    ]),
  )('a trace %s passes, and --update leaves its file alone', async (_what, from, to) => {
    const { out: trace } = await sme(['run', 'bios-minimal', '--stage', '0', '--trace', '-']);
    const file = changed('version.yaml', from, to, trace);
    const before = readFileSync(file, 'utf8');
    expect((await sme(['check', file])).status).toBe(0);
    expect((await sme(['check', file, '--update'])).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  describe('of a trace stored as a difference', () => {
    const FILES = { base: 'base.yaml', file: 'rung.yaml', next: 'next.yaml' };
    let here: string;
    const at = (name: keyof typeof FILES): string => join(here, FILES[name]);
    const read = (name: keyof typeof FILES): string => readFileSync(at(name), 'utf8');
    const edit = (name: keyof typeof FILES, from: RegExp | string, to: string): void => {
      const text = read(name);
      expect(text.replace(from, to)).not.toBe(text);
      writeFileSync(at(name), text.replace(from, to));
    };

    /** Stage 3 whole, stage 4 as the difference from stage 3, stage 5 from stage 4, in a folder of their own. */
    beforeEach(async () => {
      here = mkdtempSync(join(dir, 'ladder-'));
      const write = (stage: number, name: keyof typeof FILES, base: string[]): Promise<Ran> =>
        sme([
          'trace',
          `traces/bios-minimal/stage-0${String(stage)}.yaml`,
          ...base,
          '--output',
          at(name),
        ]);
      await write(3, 'base', []);
      await write(4, 'file', ['--base', at('base')]);
      await write(5, 'next', ['--base', at('file')]);
    });

    test('passes if the run equals base plus difference, each file read once', async () => {
      const { status, out } = await sme(['check', here]);
      expect([status, out]).toEqual([0, expect.stringMatching(/3 passed, 0 failed/)]);
    });

    test('fails if the difference is wrong, and --update rewrites that file only', async () => {
      const [base, file, next] = [read('base'), read('file'), read('next')];
      edit('file', /(cpuid: 0x8000001f, eax: )0x1/, '$10x2');
      const { status, out } = await sme(['check', here]);
      expect(status).toBe(1);
      expect(out).toContain('eax: expected 0x2, found 0x1');
      expect(out).toContain('1 passed, 2 failed');
      expect((await sme(['check', here, '--update'])).status).toBe(0);
      expect([read('base'), read('file'), read('next')]).toEqual([base, file, next]);
    });

    exhaustiveTest(
      'is unchanged if its base is rewritten in an event that it does not contain',
      async () => {
        const [base, file, next] = [read('base'), read('file'), read('next')];
        edit('base', /(cpuid: 0x1, eax: )0x800f12/, '$10x800f11');
        const { out } = await sme(['check', here]);
        expect(out).toContain('0 passed, 3 failed');
        expect((await sme(['check', here, '--update'])).status).toBe(0);
        const rewritten = base.replace(/^header:$/m, `header:\n  version: ${VERSION}`);
        expect([read('base'), read('file'), read('next')]).toEqual([rewritten, file, next]);
      },
    );

    exhaustiveTest(
      'fails with the place if it no longer fits its base, and --update rewrites it',
      async () => {
        const file = read('file');
        edit('file', '- {drop: {', '- {drop: {cpu: 7, ');
        const { status, out } = await sme(['check', here]);
        expect(status).toBe(1);
        expect(out).toMatch(
          /E_APPLY: .*rung\.yaml:\d+:\d+, changes\.steps\[\d+\]\.events\[\d+\]: the base has no/,
        );
        expect(out).toMatch(/FAILED .*next\.yaml\n +E_APPLY: .*rung\.yaml/);
        expect((await sme(['check', here, '--update'])).status).toBe(0);
        expect(read('file')).toBe(file);
      },
    );

    exhaustiveTest('is named on stderr if only its base was rewritten', async () => {
      edit('base', /(cpuid: 0x1, eax: )0x800f12/, '$10x800f11');
      const { status, err } = await sme(['check', at('base'), '--update']);
      expect(status).toBe(0);
      expect(err).toMatch(
        /rung\.yaml is a difference from a file that was rewritten: check it too\n$/,
      );
    });

    test.each(firstOf(1, [[[]], [['--update']]]))(
      'is refused if it is a difference from itself, flags %j',
      async (flags) => {
        writeFileSync(at('base'), 'expect: exact\nbase: next.yaml\nchanges: {}\n');
        const { status, err } = await sme(['check', here, ...flags]);
        expect(status).toBe(2);
        expect(err).toMatch(
          /E_BASE: .*\.yaml:\d:\d+, base: a trace cannot be the difference from itself/,
        );
      },
    );
  });

  exhaustiveTest('a match file may name a series, which is in the command to rerun', async () => {
    const file = join(dir, 'series.yaml');
    const match = (garbage: boolean): string =>
      [
        'expect: match',
        'run: {scenario: cmdline-across-2mib, series: fixed, set: {machine.ram: 64MiB}}',
        `consumed: {command line: {intact: ${String(!garbage)}}}`,
        '',
      ].join('\n');
    writeFileSync(file, match(false));
    expect((await sme(['check', file])).status).toBe(0);
    writeFileSync(file, match(true));
    const { status, out } = await sme(['check', file]);
    expect(status).toBe(1);
    expect(out).toContain(
      'sme-boot run cmdline-across-2mib --series fixed --set machine.ram=64MiB',
    );
  });

  test('a match file that does not hold fails with the nearest event', async () => {
    const file = join(dir, 'match.yaml');
    writeFileSync(
      file,
      [
        'expect: match',
        'run: {scenario: bios-minimal, stage: 18}',
        'match:',
        '  - expect: {cr: CR3, table: early_level4_pgt, C: 0}',
        'outcome: {kind: panic}',
        '',
      ].join('\n'),
    );
    const { status, out } = await sme(['check', file]);
    expect(status).toBe(1);
    expect(out).toMatch(/not found/);
    expect(out).toMatch(/booted/);
  });

  test.each(['junit', 'ktap'])('reports as %s', async (form) => {
    const { out } = await sme(['check', 'traces/match/pat-base.yaml', '--reporter', form]);
    expect(out).toMatch(form === 'junit' ? /<testsuite/ : /^KTAP version 1\n1\.\.1\n {2}KTAP/);
  });

  test.each([
    ['not YAML', 'a: [', /E_YAML/],
    ['empty', '', /E_/],
    ['no expectation', 'expect: match\nrun: {scenario: bios-minimal}\n', /E_EXPECTATION/],
    [
      'an alias bomb',
      `a: &a [x,x,x]\nb: &b [${'*a,'.repeat(50)}]\nc: [${'*b,'.repeat(50)}]\n`,
      /E_/,
    ],
    [
      'an unknown key',
      'expect: match\nrun: {scenario: bios-minimal, speed: 9}\nmatch: [{expect: {cr: CR3}}]\n',
      /speed/,
    ],
  ])('a file that is %s is refused with its place', async (name, text, message) => {
    const file = join(dir, `${name.replace(/ /g, '-')}.yaml`);
    writeFileSync(file, text);
    const { status, err } = await sme(['check', file]);
    expect(status).toBe(2);
    expect(err).toMatch(message);
    expect(err).toContain(name.replace(/ /g, '-'));
  });
});

describe('sme-boot check of effects', () => {
  const OWN = 'expect: effects\npatch: 4\nscenario: bios-minimal\n';
  /** A file of effects in the folder. */
  function file(name: string, text: string): string {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  }

  exhaustiveTest(
    'that no longer hold fails with the differences and the command; --update rewrites',
    async () => {
      const path = file('effects.yaml', `${OWN}views: {stage: {screen: 3}}\n`);
      const { status, out } = await sme(['check', path]);
      expect(status).toBe(1);
      expect(out).toContain('stage.screen: expected 3, found (none)');
      expect(out).toContain('stage.steps.early_cpu_init.events.added: expected (none), found 1');
      expect(out).toContain('sme-boot effects bios-minimal 4');
      expect((await sme(['check', path, '--update'])).status).toBe(0);
      expect(readFileSync(path, 'utf8')).toContain('+ {cpuid: 0x8000001f');
      expect((await sme(['check', path])).status).toBe(0);
    },
  );

  exhaustiveTest('that show in no view needs a reason that --update does not make up', async () => {
    const text = 'expect: effects\npatch: 12\nscenario: bios-minimal\n';
    const path = file('unseen.yaml', `${text}views: {stage: {screen: 3}}\n`);
    const { status, err } = await sme(['check', path, '--update']);
    expect([status, err]).toEqual([
      2,
      expect.stringMatching(/E_EFFECTS.*shows in no view on bios/),
    ]);
    writeFileSync(path, `${text}reason: there is no device tree\nviews: {}\n`);
    expect((await sme(['check', path, '--update'])).status).toBe(0);
    expect(readFileSync(path, 'utf8')).toContain('reason: there is no device tree\n');
  });

  test.each([
    [
      'an unknown key',
      `${OWN}views: {stage: {sreen: 3}}\n`,
      /E_EFFECTS: .*:4:\d+.*unknown key "sreen"/,
    ],
    ['no reason though nothing shows', `${OWN}views: {stage: {}}\n`, /E_EFFECTS: .*needs a reason/],
    ['another scenario', OWN.replace('bios', 'bois') + 'views: {}\nreason: x\n', /E_SCENARIO/],
  ])('with %s are refused with their place', async (name, text, message) => {
    const { status, err } = await sme(['check', file(`${name.replace(/ /g, '-')}.yaml`, text)]);
    expect(status).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('sme-boot diff', () => {
  exhaustiveTest('of stages 17 and 18 is the effect of patch 18', async () => {
    const { status, out } = await sme(['diff', 'bios-minimal', '--stage', '17', '--stage', '18']);
    expect(status).toBe(1);
    expect(out).toMatch(/\+ \{wrmsr: SYSCFG, value: 0x940000/);
    expect(out).toMatch(/\+ \{encrypt: 0x1000000/);
    expect(out).toMatch(/early_level4_pgt\[511\].*\n {6}C: 0 → 1/);
  });

  test('of a file and the same run is empty', async () => {
    const { status, out } = await sme([
      'diff',
      'traces/bios-minimal/stage-05.yaml',
      'bios-minimal --stage 5',
    ]);
    expect([status, out]).toEqual([0, '']);
  });

  test('prints data with --format json', async () => {
    const stages = ['--stage', '0', '--stage', '1'];
    const { out } = await sme(['diff', 'bios-minimal', ...stages, '--format', 'json']);
    const data = JSON.parse(out) as { steps: { label: string }[] };
    expect(data.steps.map(({ label }) => label)).toEqual(['mtrr_bp_init']);
  });

  test('refuses a match file', async () => {
    const { status, err } = await sme(['diff', 'traces/match/initrd.yaml', 'bios-minimal']);
    expect([status, err.slice(0, 23)]).toEqual([2, 'sme-boot: E_NOT_A_TRACE']);
  });
});
