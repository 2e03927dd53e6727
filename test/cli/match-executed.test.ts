/** Match files of executed boots: written by `run --execute --match-out`, run by `check`. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeProgram } from './code-image.js';
import { sme, type Ran } from './io.js';

const WBINVD = '0f09';
const LOOP = 'ebfe';

let dir: string;
let text: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-match-executed-'));
  writeProgram(dir, 'vmlinux', WBINVD);
  writeProgram(dir, 'loops', LOOP);
  await run('vmlinux', '--cmdline', 'quiet', '--match-out', at('whole.yaml'));
  text = readFileSync(at('whole.yaml'), 'utf8');
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});
const at = (name: string): string => join(dir, name);
const run = (kernel: string, ...more: string[]): Promise<Ran> =>
  sme(['run', 'bios-minimal', '--kernel', at(kernel), '--execute', ...more]);

describe('run --execute --match-out', () => {
  test('writes a file that check finds as expected', async () => {
    const { status, out } = await sme(['check', at('whole.yaml')]);
    expect([status, out]).toEqual([0, expect.stringMatching(/^ok .*\n\n1 passed, 0 failed\n$/)]);
  });

  test('states the run, without a stage, with the path of the image relative to the file', () => {
    expect(text).toMatch(/^run: .*scenario: bios-minimal/m);
    expect(text).toMatch(/^run: .*set: \{ ?cmdline: quiet ?\}/m);
    expect(text).toMatch(/^run: .*execute: true/m);
    expect(text).toMatch(/^run: .*kernel: .\/vmlinux/m);
    expect(text).not.toMatch(/stage|Patches|consumed/);
  });

  test('has an event of the step, and the outcome', () => {
    expect(text).toMatch(/expect: \{console: ok, in: _text\}\n {4}step: _text/);
    expect(text).toMatch(/^outcome: .*kind: halt/m);
  });

  test('states where the run ends, and that the sanitizer watches', async () => {
    const options = ['--until', 'put_o', '--max-instructions', '1000', '--sanitize'];
    await run('vmlinux', ...options, '--match-out', at('until.yaml'));
    const written = readFileSync(at('until.yaml'), 'utf8');
    expect(written).toMatch(/^run: .*until: put_o/m);
    expect(written).toMatch(/^run: .*max-instructions: 1000/m);
    expect(written).toMatch(/^run: .*sanitize: true/m);
    expect((await sme(['check', at('until.yaml')])).status).toBe(0);
  });

  test('writes to stdout, with the summary on stderr, of one step', async () => {
    const { out, err } = await run('vmlinux', '--match-out', '-', '--match-step', '_text');
    expect(out).toMatch(/^expect: match$/m);
    expect(out).not.toContain('step: loader');
    expect(err).toContain('\nok\n');
  });

  test('refuses a step that the boot did not come to', async () => {
    const { status, err } = await run('vmlinux', '--match-out', '-', '--match-step', 'nowhere');
    expect([status, err]).toEqual([2, expect.stringMatching(/E_LABEL: .*found nowhere/)]);
  });

  test.each([
    [['--match-step', '_text'], /need --match-out/],
    [['--match-out', '-', '--output', '-', '--format', 'json'], /only one of/],
    [['--match-out', '-', '--match-kind', 'mup'], /E_KIND: .*found mup/],
  ])('%j is refused', async (flags, message) => {
    const { status, err } = await run('vmlinux', ...flags);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });

  test('writes nothing of a boot that Ctrl-C ended', async () => {
    const argv = ['run', 'bios-minimal', '--kernel', at('loops'), '--execute'];
    const { status } = await sme([...argv, '--match-out', at('none.yaml')], {}, false, {
      onOutput: () => process.emit('SIGINT'),
    });
    expect(status).toBe(130);
    expect(existsSync(at('none.yaml'))).toBe(false);
  });
});

describe('check of a match file with run.execute', () => {
  const check = async (sections: string, ...more: string[]): Promise<Ran> => {
    const runs = 'run: {scenario: bios-minimal, kernel: vmlinux, execute: true, until: put_o}';
    writeFileSync(at('own.yaml'), `expect: match\n${runs}\n${sections}\n`);
    return sme(['check', at('own.yaml'), ...more]);
  };

  test('fails where the boot ends otherwise, and says how to run it', async () => {
    const { status, out } = await check('outcome: {kind: halt}');
    expect(status).toBe(1);
    expect(out).toContain('kind: expected halt, found stopped');
    expect(out).toMatch(
      /rerun: sme-boot run bios-minimal --kernel .*vmlinux --execute --until put_o/,
    );
  });

  test('compares what DRAM holds, and events', async () => {
    const { status, out } = await check(
      'match: [{not: {cache-flush: wbinvd}}]\nfinal: {initrd: {state: plaintext}}',
    );
    expect([status, out]).toEqual([0, expect.stringContaining('1 passed')]);
  });

  test('lists it as executed', async () => {
    const { out } = await check('outcome: {kind: halt}', '--list');
    expect(out).toMatch(
      /match {2}bios-minimal executed --kernel .*vmlinux --execute --until put_o\n$/,
    );
  });

  test('names a missing image at its key', async () => {
    writeFileSync(
      at('missing.yaml'),
      'expect: match\nrun: {scenario: bios-minimal, kernel: none, execute: true}\noutcome: {kind: halt}\n',
    );
    const { status, out } = await sme(['check', at('missing.yaml')]);
    expect([status, out]).toEqual([2, expect.stringContaining('run.kernel')]);
  });
});
