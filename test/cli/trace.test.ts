import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GOLDEN_RUNS } from '../../src/cli/golden.js';
import { parseTrace } from '../../src/trace/yaml-in.js';
import { sme } from './io.js';
import { exhaustiveTest } from '../cases.js';

const STAGE_9 = 'traces/bios-minimal/stage-09.yaml';
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-trace-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const own = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

describe('sme-boot trace', () => {
  test('prints a trace whole that is stored as a difference', async () => {
    expect(readFileSync(STAGE_9, 'utf8')).toMatch(/^expect: exact\nbase: stage-08\.yaml$/m);
    const { status, out } = await sme(['trace', STAGE_9]);
    expect(status).toBe(0);
    const trace = parseTrace('stage-09.yaml', out);
    expect(trace.header).toMatchObject({ scenario: 'bios-minimal', stage: 9 });
    expect(trace.steps.length).toBeGreaterThan(30);
    const json = await sme(['trace', STAGE_9, '--format', 'json']);
    expect(JSON.parse(json.out)).toEqual(JSON.parse(JSON.stringify(trace)));
  });

  test('prints a whole file unchanged except for its schema line', async () => {
    const file = 'traces/gpu-40-bit/stage-18.yaml';
    const { out } = await sme(['trace', file]);
    expect(`${readFileSync(file, 'utf8').split('\n')[0] ?? ''}\n${out}`).toBe(
      readFileSync(file, 'utf8'),
    );
  });

  test('prints it as "run" prints a boot with --format text', async () => {
    const { out } = await sme(['trace', STAGE_9, '--format', 'text']);
    expect(out).toMatch(/^bios-minimal --stage 9\n\nloader +/);
    expect(out).toMatch(/\n {2}initrd +intact, read by /);
    expect(out).toMatch(/\nbooted: Run \/init as init process\n$/);
  });

  test('converts a whole file to a difference and back, in place', async () => {
    mkdirSync(join(dir, 'below'));
    const base = join(dir, 'a.yaml');
    const file = join(dir, 'below/b.yaml');
    await sme(['trace', 'traces/bios-minimal/stage-08.yaml', '--output', base]);
    await sme(['trace', STAGE_9, '--output', file]);
    const whole = readFileSync(file, 'utf8');
    expect((await sme(['trace', file, '--base', base, '--output', file])).status).toBe(0);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(
      /^expect: exact\nbase: \.\.\/a\.yaml\nchanges:\n {2}header:\n {4}stage: 9$/m,
    );
    expect(text.length).toBeLessThan(whole.length / 10);
    const diff = await sme(['diff', base, file]);
    expect([diff.status, diff.out]).toEqual([1, expect.stringMatching(/enter: clear_mapping/)]);
    expect((await sme(['trace', file, '--output', file])).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(whole);
  });

  test('prints the same text as the golden file of the ladder', async () => {
    const { out } = await sme(['trace', STAGE_9, '--base', 'traces/bios-minimal/stage-08.yaml']);
    expect(out).toBe(readFileSync(STAGE_9, 'utf8'));
  });

  const DIFFERENCE = 'expect: exact\nchanges: {}\nbase: ';
  test.each([
    [
      'that does not exist',
      `${DIFFERENCE}none.yaml\n`,
      /E_BASE: .*:3:7, base: no such file; found .*none\.yaml/,
    ],
    ['that is a match file', `${DIFFERENCE}match.yaml\n`, /E_BASE: .*the base is not a trace/],
    [
      'that is the file itself',
      `${DIFFERENCE}it.yaml\n`,
      /E_BASE: .*from itself; found .*it\.yaml from .*it\.yaml/,
    ],
    ['of no name', 'expect: exact\nchanges: {}\n', /E_CHANGES: .*it\.yaml.*base: expected text/],
    [
      'that is not text',
      `${DIFFERENCE}[1]\n`,
      /E_CHANGES: .*it\.yaml:3:7, base: expected text, found a list/,
    ],
  ])('refuses a base %s', async (_what, text, message) => {
    own('match.yaml', readFileSync('traces/match/initrd.yaml', 'utf8'));
    const { status, err, out } = await sme(['trace', own('it.yaml', text)]);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  exhaustiveTest('refuses a base that is itself a difference from the file', async () => {
    const [file, base] = [
      own('first.yaml', (await sme(['trace', STAGE_9])).out),
      join(dir, 'second.yaml'),
    ];
    await sme(['trace', STAGE_9, '--output', base]);
    await sme(['trace', base, '--base', file, '--output', base]);
    const { status, err } = await sme(['trace', file, '--base', base, '--output', file]);
    expect([status, err]).toEqual([
      2,
      expect.stringMatching(/E_BASE: .*cannot be the difference from itself/),
    ]);
    expect(parseTrace(file, readFileSync(file, 'utf8')).header.stage).toBe(9);
  });

  test.each([
    ['a match file', ['traces/match/initrd.yaml'], /E_NOT_A_TRACE/],
    ['a file that is not there', ['none.yaml'], /E_READ: none\.yaml/],
    ['a difference as JSON', [STAGE_9, '--base', STAGE_9, '--format', 'json'], /E_USAGE/],
  ])('refuses %s', async (_what, words, message) => {
    const { status, err } = await sme(['trace', ...words]);
    expect(status).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('the expected traces of the project', () => {
  test('have the form of GOLDEN_RUNS, each with its base before it', () => {
    const before = new Set<string>();
    for (const { file, base } of GOLDEN_RUNS) {
      const text = readFileSync(`traces/${file}`, 'utf8');
      const [, named] = /^base: (.+)$/m.exec(text) ?? [];
      const [folder = ''] = file.split('/');
      const path = named === undefined ? undefined : join(folder, named);
      expect([file, path]).toEqual([file, base]);
      before.add(file);
    }
    expect(GOLDEN_RUNS.filter(({ base }) => base !== undefined && !before.has(base))).toEqual([]);
  });
});
