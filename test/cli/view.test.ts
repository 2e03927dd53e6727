/** `sme-boot view`. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ViewData } from '../../src/view/page/data.js';
import { pageOf } from '../../src/cli/view.js';
import { firstOf } from '../cases.js';
import { writeProgram } from './code-image.js';
import { sme } from './io.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-view-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** The data of a page. */
function dataOf(html: string): ViewData {
  const [, json = ''] = /id="view-data">([\s\S]*?)<\/script>/.exec(html) ?? [];
  return JSON.parse(json) as ViewData;
}

describe('sme-boot view', () => {
  test('writes one file with the boot that is asked for, and every scenario', async () => {
    const file = join(dir, 'boot.html');
    const { status, out, err } = await sme([
      ...['view', 'bios-minimal', '--stage', '9', '--activate', '--without', '09/initrd'],
      ...['--set', 'machine.ram=256MiB', '--cmdline', 'mem_encrypt=on', '--output', file],
    ]);
    expect([status, out, err]).toEqual([0, '', '']);
    const html = readFileSync(file, 'utf8');
    expect(html.length).toBeLessThan(3e6);
    const { choice, scenarios, series, glossary, reload, sanitize } = dataOf(html);
    expect(choice).toEqual({
      scenario: 'bios-minimal',
      execute: false,
      entry: 'kernel',
      until: '',
      most: 0,
      stage: 9,
      activate: true,
      without: ['09/initrd'],
      stub: false,
      with: [],
      set: ['machine.ram=256MiB', 'cmdline="mem_encrypt=on"'],
    });
    expect(scenarios[0]?.name).toBe('bios-minimal');
    expect(scenarios.map(({ name }) => name)).toContain('epyc-efi');
    expect(series.map(({ name }) => name)).toContain('fixed');
    expect(glossary.map(([term]) => term)).toContain('C-bit');
    expect([reload, sanitize]).toEqual([false, undefined]);
  });

  test('executes an image that is given, and refuses what has no effect on it', async () => {
    const kernel = writeProgram(dir, 'tiny');
    const executed = ['view', 'firmware-syscfg', '--kernel', kernel, '--execute'];
    const file = join(dir, 'executed.html');
    const given = ['--until', 'put_o:return', '--max-instructions', '9', '--sanitize'];
    const { status, err } = await sme([...executed, ...given, '--output', file]);
    expect([status, err]).toEqual([0, '']);
    const { choice, sanitize } = dataOf(readFileSync(file, 'utf8'));
    expect(choice).toMatchObject({ execute: true, entry: 'kernel', until: 'put_o', most: 9 });
    expect(sanitize).toBe(true);
    for (const [more, message] of [
      [['--stage', '3'], '--stage would have no effect'],
      [['--until', 'nope'], 'E_LABEL'],
      [['--entry', 'decompressor'], 'bzImage'],
    ] as const) {
      const refused = await sme([...executed, ...more, '--output', file]);
      expect([more, refused.status, refused.err]).toEqual([
        more,
        2,
        expect.stringContaining(message),
      ]);
    }
  });

  test('allows the script and the style by their hashes', () => {
    const html = pageOf('bios-minimal', {}, false);
    const hash = (text: string): string => createHash('sha256').update(text).digest('base64');
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(html) ?? [];
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(html) ?? [];
    expect(html).toContain(`script-src 'sha256-${hash(script)}'`);
    expect(html).toContain(`style-src 'sha256-${hash(style)}'`);
  });

  test('has an own scenario by the name of its file, and the files of the options', () => {
    const text = readFileSync('scenarios/bios-minimal.yaml', 'utf8');
    const file = join(dir, 'mine.yaml');
    const initrd = join(dir, 'initrd.img');
    writeFileSync(file, text);
    writeFileSync(initrd, 'an initrd');
    const { scenarios, choice, files } = dataOf(pageOf(file, { initrd }, false));
    expect([scenarios[0]?.name, choice.scenario]).toEqual(['mine.yaml', 'mine.yaml']);
    expect(scenarios[0]?.text).toBe(text);
    expect(Buffer.from(files.initrd ?? '', 'base64').toString()).toBe('an initrd');
  });

  test('has the tour for the boot that it is about, and for no other', () => {
    const tourOf = (scenario: string, flags = {}): number =>
      dataOf(pageOf(scenario, flags, false)).tour.length;
    expect(tourOf('epyc-efi')).toBe(10);
    expect([tourOf('bios-minimal'), tourOf('epyc-efi', { stage: 17 })]).toEqual([0, 0]);
    expect(tourOf('epyc-efi', { sanitize: false })).toBe(0);
  });

  test('takes a series, by what it selects', () => {
    const { choice } = dataOf(pageOf('bios-minimal', { series: 'fixed' }, false));
    expect(choice.with).toContain('09/whole-pages');
  });

  test.each(
    firstOf(4, [
      [['--output', 'x.html', '--port', '1'], 'a page is written, or served'],
      [['--hunks', 'mine.mjs', '--output', 'x.html'], 'cannot run the code of own hunks'],
      [['--port', '70000'], 'E_USAGE'],
      [['--without', '09/nope', '--output', 'x.html'], 'E_HUNK'],
      [['nope', '--output', 'x.html'], 'E_SCENARIO_UNKNOWN'],
      [['--kernel', 'README.md', '--output', 'x.html'], 'E_NOT_A_KERNEL'],
      [['--output', '/nowhere/x.html'], 'E_WRITE'],
    ]),
  )('refuses %j', async (words, message) => {
    const { status, out, err } = await sme(['view', ...words]);
    expect([status, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(existsSync('x.html')).toBe(false);
  });
});
