import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { firstOf } from '../cases.js';
import { sme } from './io.js';

let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-match-out-'));
  await sme(['run', 'bios-minimal', '--match-out', at('whole.yaml')]);
  text = readFileSync(at('whole.yaml'), 'utf8');
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const at = (name: string): string => join(dir, name);
let text: string;

describe('run --match-out', () => {
  test('writes a file that check finds as expected', async () => {
    const { status, out } = await sme(['check', at('whole.yaml')]);
    expect([status, out]).toEqual([0, expect.stringMatching(/^ok .*\n\n1 passed, 0 failed\n$/)]);
  });

  test('names the patches with an event', () => {
    expect(text).toContain(
      '# Patches with an event here, without which it fails: 03, 06, 07, 08, 09, 10, 13, 18.\n',
    );
  });

  test.each(firstOf(2, ['09', '08', '03', '06', '07', '10', '13', '18']))(
    'writes a file that fails without patch %s',
    async (patch) => {
      const file = at(`without-${patch}.yaml`);
      const without = `run: {scenario: bios-minimal, stage: 18, without: ['${patch}'], stub: true}`;
      expect(text).toContain('run: {scenario: bios-minimal, stage: 18}');
      // Events only: the outcome and the sections are as they may be.
      const events = text.replace(/^run: .*$/m, without).replace(/^consumed:[^]*$/m, '');
      writeFileSync(file, events);
      const { status, out } = await sme(['check', file]);
      expect(status).toBe(1);
      expect(out).toMatch(new RegExp(`hunk: ${patch}/\\S+\\}.*: (?:not found|unused)`));
    },
  );

  test.each<[string, string[]]>([
    ['settings and a command line', ['--set', 'machine.cpus=2', '--cmdline', 'mem_encrypt=off 5']],
    ['a command line that is a number', ['--cmdline', '5']],
    ['a series', ['--series', 'fixed']],
    [
      'a stage with patch 18 and a hunk left out',
      ['--stage', '9', '--activate', '--without', '09/initrd'],
    ],
  ])('states the run with %s', async (name, flags) => {
    const file = at(`${name.replaceAll(' ', '-')}.yaml`);
    await sme(['run', 'bios-minimal', ...flags, '--match-out', file]);
    const { status, out } = await sme(['check', file]);
    expect([status, out]).toEqual([0, expect.stringMatching(/1 passed/)]);
  });

  test('writes to stdout, of the chosen step and kind', async () => {
    const argv = ['run', 'bios-minimal', '--match-out', '-', '--match-step', 'reserve_initrd'];
    const { out, err } = await sme([...argv, '--match-kind', 'encrypt']);
    expect(out.match(/- expect: .*\n.*/g)).toEqual([
      expect.stringMatching(/- expect: \{encrypt: .* initrd, .*\}\n {4}step: reserve_initrd/),
    ]);
    expect(err).toMatch(/booted/);
  });

  test.each([
    [['--match-step', 'x'], /need --match-out/],
    [['--match-out', 'm.yaml', '--match-kind', 'mup'], /E_KIND: .*found mup/],
    [['--match-out', '-', '--match-step', 'nowhere'], /E_LABEL: .*found nowhere/],
    [['--match-out', '-', '--trace', '-'], /only one of/],
  ])('%j is refused', async (flags, message) => {
    const { status, err } = await sme(['run', 'bios-minimal', '--stage', '0', ...flags]);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('run --expect', () => {
  const argv = ['run', 'bios-minimal', '--stage', '0'];
  test('exits with 0 if all expressions hold, and prints what was seen', async () => {
    const { status, out } = await sme([
      ...argv,
      '--expect',
      'outcome=booted',
      '--expect',
      'event={wrmsr: IA32_PAT}',
    ]);
    expect(status).toBe(0);
    expect(out).toMatch(/\n--expect outcome=booted: holds: booted in run_init\n/);
    expect(out).toMatch(
      /\n--expect event=\{wrmsr: IA32_PAT\}: holds: mtrr_bp_init: \{wrmsr: .*\}\n$/,
    );
  });

  test('exits with 1 if one does not hold', async () => {
    const { status, out } = await sme([
      ...argv,
      '--expect',
      'outcome=booted',
      '--expect',
      'garbage=initrd',
      '--expect',
      'intact=device tree',
      '--expect',
      'event={wrmsr: IA32_PAT, value: 0x1}',
    ]);
    expect(status).toBe(1);
    expect(out).toMatch(/garbage=initrd: does not hold: \w+ got the bytes that were written, /);
    expect(out).toMatch(/intact=device tree: does not hold: not read; the boot read boot params, /);
    expect(out).toMatch(
      /value: 0x1\}: does not hold: none; nearest mtrr_bp_init: .* \(value: expected 0x1, found 0x/,
    );
  });

  test('replaces what the scenario itself expects', async () => {
    const without = ['run', 'epyc-efi', '--without', '09/initrd'];
    const { status } = await sme([...without, '--expect', 'outcome=panic']);
    expect(status).toBe(0);
  });

  test('is read before the boot', async () => {
    const { status, out, err } = await sme([...argv, '--expect', 'outcome=fine']);
    expect([status, out, err]).toEqual([2, '', expect.stringContaining('E_USAGE')]);
  });
});
