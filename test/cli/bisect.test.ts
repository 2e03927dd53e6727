import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exhaustiveTest } from '../cases.js';
import { sme, type Ran } from './io.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-bisect-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const SMALL = ['--scenario', 'bios-minimal', '--set', 'machine.ram=64MiB'];
const bisect = (series: string, ...more: string[]): Promise<Ran> =>
  sme(['bisect', series, ...SMALL, ...more]);
/** Stages that were tested, as `18 bad`. */
const tested = ({ out }: Ran): string[] =>
  [...out.matchAll(/^stage +(\d+) +(\w+)/gm)].map(
    ([, stage, verdict]) => `${stage ?? ''} ${verdict ?? ''}`,
  );

describe('sme-boot bisect', () => {
  test('names the first patch with which the predicate holds', async () => {
    const ran = await bisect('rfc-v1', '--expect', 'garbage=initrd');
    expect([ran.status, ran.err]).toEqual([0, '']);
    expect(tested(ran).slice(0, 3)).toEqual(['18 bad', '0 good', '9 good']);
    expect(ran.out).toMatch(
      /^patch 18 is the first with which it holds\n {4}x86: Add support to turn on/m,
    );
  });

  exhaustiveTest('with --activate skips the stages that do not link with patch 18', async () => {
    const ran = await bisect('rfc-v1', '--activate', '--expect', 'intact=boot params');
    expect(ran.status).toBe(0);
    expect(tested(ran)).toContain('0 skip');
    expect(ran.out).toMatch(/^stage +0 +skip +E_MISSING_NEED: .*sme_enable from 06$/m);
    expect(ran.out).toMatch(
      /^patch 09 is the first with which it holds\n {4}x86: Insure that memory areas/m,
    );
  });

  test('lists the candidates if only skipped stages are left', async () => {
    const ran = await bisect('rfc-v1', '--activate', '--expect', 'event={wrmsr: SYSCFG}');
    expect(ran.status).toBe(125);
    expect(tested(ran)).toContain('6 bad');
    expect(ran.out).toMatch(
      /one of\n {4}the base kernel: .*\n {4}patch 01: [^]*\n {4}patch 06: .*\n$/,
    );
  });

  test('reports that the predicate holds with the base kernel already, or never', async () => {
    const already = await bisect('rfc-v1', '--expect', 'outcome=booted');
    expect([already.status, tested(already)]).toEqual([0, ['18 bad', '0 bad']]);
    expect(already.out).toMatch(/^holds with the base kernel already$/m);
    const never = await bisect('rfc-v1', '--expect', 'outcome=hung');
    expect([never.status, tested(never)]).toEqual([1, ['18 good']]);
    expect(never.out).toMatch(/^rfc-v1: does not hold with the whole series$/m);
  });

  exhaustiveTest('requires all of several predicates, and prints data as JSON', async () => {
    const { status, out } = await bisect(
      'rfc-v1',
      ...['--expect', 'outcome=booted', '--expect', 'event={cr: CR3, C: 1}', '--format', 'json'],
    );
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      series: 'rfc-v1',
      scenario: 'bios-minimal',
      expect: ['outcome=booted', 'event={cr: CR3, C: 1}'],
      found: 'first',
      patch: 18,
      subject: 'x86: Add support to turn on Secure Memory Encryption',
    });
  });

  exhaustiveTest('searches a series file with its hunks of each stage', async () => {
    const file = join(dir, 'short.yaml');
    writeFileSync(
      file,
      'name: short\ntitle: t\nsource: s\nstage: 9\nactivate: true\nwithout: [09/initrd]\nwith: [09/flush-tlb]\n',
    );
    const ran = await bisect(file, '--expect', 'event={tlb-flush: cr3, in: clear_mapping}');
    expect(tested(ran)[0]).toBe('9 bad');
    expect(ran.out).toMatch(
      /^patch 09 is the first with which it holds\n.*\n {4}with 09\/flush-tlb$/m,
    );
    expect((await bisect(file, '--expect', 'outcome=booted', '--stage', '10')).err).toMatch(
      /^sme-boot: E_STAGE: short has no such stage; expected 0 to 9, found 10$/m,
    );
  });

  test.each([
    ['good', ['--stage', '17', '--expect', 'garbage=initrd'], 0],
    ['bad', ['--stage', '18', '--expect', 'garbage=initrd'], 1],
    ['skip', ['--stage', '5', '--activate', '--expect', 'garbage=initrd'], 125],
  ])('a single stage is %s, by the statuses of git bisect run', async (verdict, argv, status) => {
    const ran = await bisect('rfc-v1', ...argv);
    expect(ran.status).toBe(status);
    expect(tested(ran)).toEqual([`${argv[1] ?? ''} ${verdict}`]);
  });

  test.each([
    [[], /E_USAGE: bisect: SERIES is missing/],
    [['rfc-v1'], /E_USAGE: bisect needs --expect/],
    [['rfc-v1', '--expect', 'nonsense'], /E_USAGE: --expect/],
    [['rfc-v1', '--expect', 'outcome=panic', '--stage', '19'], /expected a plain number from 0/],
    [['rfc-v1', '--expect', 'outcome=panic', '--scenario', 'none'], /E_SCENARIO_UNKNOWN/],
    [['no-such', '--expect', 'outcome=panic'], /E_SERIES_UNKNOWN: .*merged-4-14, rfc-v1/],
    [['no/such.yaml', '--expect', 'outcome=panic'], /E_READ: no\/such\.yaml/],
  ])('bad usage exits 2: %j', async (argv, message) => {
    const { status, out, err } = await sme(['bisect', ...argv]);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  test('has help with an example of git bisect run', async () => {
    const { status, out } = await sme(['bisect', '--help']);
    expect(status).toBe(0);
    expect(out).toContain(
      'git bisect run sme-boot bisect rfc-v1 --expect garbage=initrd --stage 12',
    );
    expect(out).toMatch(/Exit status:\n {2}0 +found[^]*\n {2}1 +[^]*\n {2}125 +undecided/);
  });
});
