import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { REASONS } from '../../src/inspect/exposure/why.js';
import { exhaustiveTest } from '../cases.js';
import { lineOf, sections } from './exposure.js';
import { sme, type Ran } from './io.js';

const SMALL = ['bios-minimal', '--set', 'machine.ram=64MiB'];
const exposure = (...argv: string[]): Promise<Ran> => sme(['exposure', ...SMALL, ...argv]);

describe('sme-boot exposure', () => {
  test('lists at a label each range with writer, owner, reason and contents', async () => {
    const { status, out } = await exposure('--at', 'copy_bootdata');
    expect(status).toBe(0);
    expect(out).toMatch(/^after copy_bootdata: .* in the clear/);
    const at = out.indexOf('command line');
    expect(out.slice(at)).toMatch(
      /^command line\n {4}by {5}firmware or loader\n {4}owner {2}loader: command line\n {4}why .*\n {4}holds .*mem_encrypt=on/,
    );
    expect(out).toContain(
      'sme_encrypt_kernel (18/sme_encrypt_kernel), in startup_64:phys_base, CPU 0',
    );
  });

  exhaustiveTest(
    'with several labels has them in the order of the boot, and what came and went',
    async () => {
      const labels = ['--at', 'smp_init', '--at', 'startup_64:switch', '--at', 'smp_init'];
      const [first, second, ...rest] = await sections(...SMALL, ...labels);
      expect(rest).toEqual([]);
      expect([first?.at, second?.at]).toEqual(['startup_64:switch', 'smp_init']);
      expect(first?.since).toBeUndefined();
      expect(second?.since?.label).toBe('startup_64:switch');
      expect(second?.since?.came.map(({ by }) => by.fn)).toContain('sme_early_mem_dec');
      expect(second?.since?.went.map(({ by }) => by.fn)).toContain('sme_early_mem_enc');
      const { out } = await exposure(...labels);
      expect(out).toMatch(
        /since startup_64:switch\n {2}came {2}20 KiB, written by sme_early_mem_dec/,
      );
    },
  );

  exhaustiveTest('--region and --min leave ranges out, and say how many', async () => {
    const at = ['--at', 'copy_bootdata'];
    const [all] = await sections(...SMALL, ...at);
    const [some] = await sections(...SMALL, ...at, '--region', 'boot params');
    expect(some?.ranges.map(({ names }) => names)).toEqual([['boot params']]);
    expect(some?.hiddenRanges).toBe((all?.ranges.length ?? 0) - 1);
    expect(some?.dramBytes).toBe(all?.dramBytes);
    const { out } = await exposure(...at, '--min', '65536');
    const [large] = await sections(...SMALL, ...at, '--min', '65536');
    expect(large?.ranges.every(({ bytes }) => bytes >= 65536)).toBe(true);
    const hidden = String(large?.hiddenRanges);
    expect(out).toContain(`not shown: ${hidden} ranges below 65536 bytes`);
  });

  test('refuses names and numbers that do not exist, before the boot', async () => {
    const region = await exposure('--region', 'trampolin');
    expect(region.status).toBe(2);
    expect(region.err).toMatch(/E_PLACE.*--region.*trampoline/s);
    const label = await exposure('--at', 'smp_innit');
    expect(label.status).toBe(2);
    expect(label.err).toMatch(/E_LABEL.*--at.*smp_init/s);
    expect((await exposure('--min', '4k')).status).toBe(2);
  });

  exhaustiveTest('says which label the boot did not reach, and exits with 1', async () => {
    const { status, out, err } = await sme([
      ...['exposure', 'kernel-above-4gib', '--at', 'startup_64', '--at', 'run_init'],
    ]);
    expect(status).toBe(1);
    expect(out).toMatch(/^after startup_64: /);
    expect(err).toMatch(
      /^sme-boot: the boot did not reach run_init, it ended in \S+: triple-fault/,
    );
  });

  test('with encryption off says that all memory is in the clear, and how much was written', async () => {
    const { status, out } = await sme(['exposure', 'intel', '--at', 'setup_arch']);
    expect(status).toBe(0);
    expect(out).toMatch(
      /^after setup_arch: no CPU has encryption on, so all memory is in the clear: \S+ MiB were written\n$/,
    );
    const [section] = await sections('intel', '--at', 'setup_arch');
    expect(section).toMatchObject({ encryptingCpus: [], ranges: [] });
  });

  test('fits the terminal', async () => {
    const { out } = await sme(['exposure', ...SMALL, '--at', 'copy_bootdata'], {}, true);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test('escapes control characters of foreign text', async () => {
    const cmdline = `mem_encrypt=on \u009b31m bidi\u202e`;
    const { out } = await exposure('--cmdline', cmdline, '--at', 'copy_bootdata');
    expect(out).toContain('mem_encrypt=on');
    expect([...out].filter((char) => /[\u0080-\u009f\u202e]/.test(char))).toEqual([]);
  });
});

/** The line of `run` with the sums, as text. */
describe('the summary of a run', () => {
  exhaustiveTest('has one line with what exposure lists, and its command', async () => {
    const { out } = await sme(['run', ...SMALL]);
    const [section] = await sections(...SMALL);
    const { ranges = [] } = section ?? {};
    expect(lineOf(out)).toMatch(
      /^In the clear at the end: \S+ MiB in \d+ ranges \(largest: .*, by /,
    );
    expect(lineOf(out)).toContain(` in ${String(ranges.length)} ranges `);
    expect(out).toContain(`\n  sme-boot exposure ${SMALL.join(' ')}\n`);
  });

  test('has none with encryption off', async () => {
    expect(lineOf((await sme(['run', ...SMALL, '--stage', '17'])).out)).toBeUndefined();
  });
});

test('the page has every reason', () => {
  const page = readFileSync('docs/exposure.md', 'utf8');
  for (const reason of REASONS) expect(page).toContain(`\`${reason}\``);
});
