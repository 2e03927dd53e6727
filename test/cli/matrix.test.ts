import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseMatrix } from '../../src/analysis/matrix/merge.js';
import type { MatrixReport } from '../../src/analysis/matrix/report.js';
import { allHunks } from '../../src/series/patches.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { sme } from './io.js';
import { buildProgram } from './program.js';

/** One hunk never runs, one changes nothing, without one the initrd is garbage, without one the boot ends early. */
const SOME = ['04/scattered', '06/load_cr3', '09/initrd', '10/efi'];
const ONLY = ['--only', ...SOME];

let dir: string;
let whole: MatrixReport;
let wholeText: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-matrix-'));
  const { out } = await sme(['matrix', 'bios-minimal', ...ONLY, '--format', 'json']);
  wholeText = out;
  whole = parseMatrix('-', out);
}, 60_000);
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const file = (name: string): string => join(dir, name);
const hunksOf = ({ rows }: MatrixReport): string[] => rows.map(({ hunk }) => hunk);

describe('sme-boot matrix', () => {
  test('runs the selected rows, in the order of the series', async () => {
    expect(hunksOf(whole)).toEqual(SOME);
    expect(whole.missing).toEqual([]);
    expect(whole.scenarios.map(({ name, outcome }) => [name, outcome.kind])).toEqual([
      ['bios-minimal', 'booted'],
    ]);
    const given = ['10/efi,9/initrds', '06/load_cr3'];
    const odd = await sme(['matrix', 'bios-minimal', '--only', ...given]);
    expect([odd.status, odd.err.slice(0, 16)]).toEqual([2, 'sme-boot: E_HUNK']);
    const patch = ['matrix', 'bios-minimal', '--only', '9', '04', '--format', 'json'];
    const { out } = await sme(patch);
    expect(hunksOf(parseMatrix('-', out))).toEqual(['04/scattered', '09/bootdata', '09/initrd']);
  }, 60_000);

  exhaustiveTest(
    'prints text, without colours if stdout is not a terminal',
    async () => {
      const { status, out, err } = await sme(['matrix', 'bios-minimal', ...ONLY]);
      expect([status, err]).toEqual([0, '']);
      expect(out).toMatch(
        /^bios-minimal\n {2}booted in run_init; read as garbage: BIOS data area, /,
      );
      expect(out).toMatch(/\n {2}09\/initrd +out +panic +initrd +unpack_to_rootfs reads/);
      expect(out).toMatch(/\nrfc-v1 without each hunk: 4 rows, 2 differ from the whole series/);
      expect(out).not.toContain('\u001b');
    },
    60_000,
  );

  exhaustiveTest(
    'shows progress on a terminal, and clears it',
    async () => {
      const { out, err } = await sme(['matrix', 'bios-minimal', ...ONLY], {}, true);
      expect(err).toContain('\r\u001b[K[=====               ] 1/4 bios-minimal 04/scattered');
      expect(err.endsWith('\r\u001b[K')).toBe(true);
      expect(out).toContain('09/initrd');
    },
    60_000,
  );

  test.each(
    firstOf(1, [
      ['m.md', /^# .*\n[\s\S]*\| `?09\/initrd`? \|/],
      ['m.html', /^<!DOCTYPE html>[\s\S]*09\/<wbr>initrd|^<!DOCTYPE html>[\s\S]*09\/initrd/],
      ['m.json', /^\{\n {2}"sme-boot-matrix": 1,/],
      ['m.txt', /^bios-minimal\n/],
    ]),
  )(
    'writes %s in the format of its name',
    async (name, form) => {
      const argv = ['matrix', 'bios-minimal', ...ONLY, '--out', file(name)];
      expect(await sme(argv)).toEqual({ status: 0, out: '', err: '' });
      expect(readFileSync(file(name), 'utf8')).toMatch(form);
    },
    60_000,
  );

  exhaustiveTest(
    'writes the format of --format, whatever the name',
    async () => {
      const more = ['--format', 'json', '--out', file('m2.html')];
      await sme(['matrix', 'bios-minimal', ...ONLY, ...more]);
      expect(parseMatrix('m2.html', readFileSync(file('m2.html'), 'utf8'))).toEqual(whole);
    },
    60_000,
  );

  exhaustiveTest(
    'applies settings to the scenario, and has them in the command of a row',
    async () => {
      const only = ['--only', '09/initrd', '--set', 'machine.ram=256MiB'];
      const { out } = await sme(['matrix', 'bios-minimal', ...only, '--format', 'json']);
      const { rows, scenarios } = parseMatrix('-', out);
      expect(scenarios[0]?.digest).not.toBe(whole.scenarios[0]?.digest);
      expect(rows[0]?.command).toBe(
        'sme-boot run bios-minimal --set machine.ram=256MiB --without 09/initrd',
      );
      expect(rows[0]?.wrong?.name).toBe('initrd');
    },
    60_000,
  );

  exhaustiveTest(
    'runs shards that merge to the whole report',
    async () => {
      for (const shard of ['1', '2']) {
        const more = ['--shard', `${shard}/2`, '--out', file(`part-${shard}.json`)];
        expect((await sme(['matrix', 'bios-minimal', ...ONLY, ...more])).status).toBe(0);
      }
      const part = (n: number): MatrixReport =>
        parseMatrix('', readFileSync(file(`part-${String(n)}.json`), 'utf8'));
      expect(hunksOf(part(1))).toEqual(['04/scattered', '09/initrd']);
      expect(hunksOf(part(2))).toEqual(['06/load_cr3', '10/efi']);
      const parts = [file('part-2.json'), file('part-1.json')];
      const { status, out } = await sme(['matrix', 'merge', ...parts, '--format', 'json']);
      expect(status).toBe(0);
      expect(parseMatrix('-', out)).toEqual(whole);
      const merged = await sme(['matrix', 'merge', ...parts, '--out', file('merged.json')]);
      expect(merged).toEqual({ status: 0, out: '', err: '' });
      expect(readFileSync(file('merged.json'), 'utf8')).toBe(out);
    },
    60_000,
  );

  exhaustiveTest(
    '--keep writes match files that check accepts, in a folder per scenario',
    async () => {
      const folder = file('kept');
      const set = ['--set', 'machine.ram=256MiB'];
      const only = ['--only', ...SOME, '18/sme_enable'];
      const argv = ['matrix', 'bios-minimal', 'intel', ...only, ...set, '--keep', folder];
      expect((await sme(argv)).status).toBe(0);
      const names = [...SOME, '18/sme_enable'].map((id) => `${id.replace('/', '-')}.yaml`);
      for (const scenario of ['bios-minimal', 'intel']) {
        expect(readdirSync(join(folder, scenario)).sort()).toEqual(names);
      }
      const { status, out } = await sme(['check', folder]);
      expect(out).toMatch(/\n10 passed, 0 failed\n$/);
      expect(status).toBe(0);
      await sme(['matrix', 'intel', '--only', '10/efi', '--keep', file('kept-one')]);
      expect(readdirSync(file('kept-one'))).toEqual(['10-efi.yaml']);
      // The match file is specific: it fails for the boot without another hunk.
      const kept = join(folder, 'bios-minimal', '09-initrd.yaml');
      const text = readFileSync(kept, 'utf8').replace('[09/initrd]', '[04/scattered]');
      writeFileSync(kept, text);
      expect((await sme(['check', kept])).status).toBe(1);
    },
    120_000,
  );

  describe('refuses without output', () => {
    test.each<[string, string[], RegExp]>([
      ['no jobs', ['bios-minimal', '--jobs', '0'], /--jobs.*a number of threads, 1 to 256/],
      ['half a job', ['bios-minimal', '--jobs', '1.5'], /--jobs.*a number of threads/],
      ['jobs by name', ['bios-minimal', '--jobs', 'many'], /--jobs.*a number of threads/],
      ['a shard before the first', ['bios-minimal', '--shard', '0/2'], /E_SHARD: .*found "0\/2"/],
      ['a shard after the last', ['bios-minimal', '--shard', '3/2'], /E_SHARD: .*found "3\/2"/],
      ['a shard by name', ['bios-minimal', '--shard', 'x'], /E_SHARD: .*found "x"/],
      ['an unknown hunk', ['bios-minimal', '--only', '09/initrds'], /E_HUNK: .*found 09\/initrds/],
      ['an unknown patch', ['bios-minimal', '--only', '19'], /E_HUNK: .*found 19/],
      ['an unknown scenario', ['bios-minimal', 'no-such'], /E_SCENARIO_UNKNOWN: .*found no-such/],
      ['a scenario file that is not there', ['./no.yaml'], /E_READ: .*no such file/],
      ['a wrong setting', ['bios-minimal', '--set', 'machine.cpus=none'], /E_\w+: .*machine\.cpus/],
      ['an unknown form', ['bios-minimal', '--format', 'pdf'], /--format.*pdf/],
    ])('%s', async (_, argv, message) => {
      const out = file('refused.json');
      const {
        status,
        out: printed,
        err,
      } = await sme(['matrix', ...argv, '--out', out, '--keep', file('no')]);
      expect(status).toBe(2);
      expect(err).toMatch(message);
      expect(printed).toBe('');
      expect(existsSync(out)).toBe(false);
      expect(existsSync(file('no'))).toBe(false);
    });

    test.each<[string, (report: MatrixReport) => unknown, RegExp]>([
      ['what is no report', () => [], /E_MATRIX: .*other\.json:1:1/],
      [
        'a report of another version',
        (r) => ({ ...r, 'sme-boot-matrix': 2 }),
        /E_MATRIX: .*found 2/,
      ],
      ['a report of another series', (r) => ({ ...r, series: 'v2' }), /E_MATRIX_MERGE: .*found v2/],
      [
        'rows that disagree',
        (r) => ({ ...r, rows: r.rows.map((row) => ({ ...row, outcome: { kind: 'hung' } })) }),
        /E_MATRIX_MERGE: rows\."bios-minimal 04\/scattered"\.outcome/,
      ],
    ])('to merge %s', async (_, change, message) => {
      writeFileSync(file('one.json'), JSON.stringify(whole));
      writeFileSync(file('other.json'), JSON.stringify(change(whole)));
      const argv = ['matrix', 'merge', file('one.json'), file('other.json')];
      const { status, err } = await sme([...argv, '--out', file('refused.json')]);
      expect(status).toBe(2);
      expect(err).toMatch(message);
      expect(existsSync(file('refused.json'))).toBe(false);
    });

    test('to merge no file, or one that does not exist', async () => {
      expect((await sme(['matrix', 'merge'])).status).toBe(2);
      const { status, err } = await sme(['matrix', 'merge', file('none.json')]);
      expect([status, err.slice(0, 16)]).toEqual([2, 'sme-boot: E_READ']);
    });
  });
});

describe('as a program with workers', () => {
  /** The program, and a module that makes stderr a terminal: progress is shown there only. */
  let made: { program: string; terminal: string } | undefined;
  const prepared = (): { program: string; terminal: string } => {
    if (made !== undefined) return made;
    writeFileSync(
      file('terminal.mjs'),
      "import tty from 'node:tty';" +
        "import { syncBuiltinESMExports } from 'node:module';" +
        'tty.isatty = (fd) => fd === 2;' +
        'syncBuiltinESMExports();',
    );
    const terminal = pathToFileURL(file('terminal.mjs')).href;
    made = { terminal, program: buildProgram(dir) };
    return made;
  };

  exhaustiveTest(
    'makes the same report with two workers as in this thread',
    () => {
      const { program } = prepared();
      const argv = ['matrix', 'bios-minimal', ...ONLY, '--jobs', '2', '--format', 'json'];
      const ran = spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8' });
      expect([ran.status, ran.stderr]).toEqual([0, '']);
      expect(ran.stdout).toBe(wholeText);
    },
    60_000,
  );

  for (const jobs of [1, 2]) {
    exhaustiveTest(
      `ends on Ctrl-C with the rows so far, with --jobs ${String(jobs)}`,
      async () => {
        const { program, terminal } = prepared();
        const out = file(`interrupted-${String(jobs)}.json`);
        const argv = ['matrix', 'bios-minimal', 'epyc-efi', '--jobs', String(jobs), '--out', out];
        const child = spawn(process.execPath, ['--import', terminal, program, ...argv]);
        const all = 2 * allHunks().length;
        let err = '';
        let interrupted = false;
        child.stderr.on('data', (data: Buffer) => {
          err += data.toString();
          if (interrupted || !/ 3\/\d+ /.test(err)) return;
          interrupted = true;
          child.kill('SIGINT');
        });
        const status = await new Promise((done) => {
          child.on('close', (code, signal) => {
            done(code ?? signal);
          });
        });
        expect(status).toBe(130);
        expect(err).toMatch(new RegExp(`interrupted: \\d+ of ${String(all)} rows\n$`));
        const { rows, scenarios, missing } = parseMatrix(out, readFileSync(out, 'utf8'));
        expect(rows.length).toBeGreaterThanOrEqual(3);
        expect(missing.length).toBeGreaterThan(0);
        expect(rows.length + missing.length).toBe(all);
        expect(scenarios.length).toBeGreaterThan(0);
        expect(err).toContain(`interrupted: ${String(rows.length)} of`);
      },
      60_000,
    );
  }
});
