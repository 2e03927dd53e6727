/** Control characters of the input, in every kind of output. The files are of the kinds that were found to reach a terminal. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { firstOf } from '../cases.js';
import { sme } from './io.js';

const dir = mkdtempSync(join(tmpdir(), 'sme-boot-escapes-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** What a terminal obeys: control characters, and those that reverse the order of the text. */
const OBEYED = /(?![\n\t])[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
/** The same where colours are on. */
const ESC = String.fromCharCode(0x1b);
const COLOURS = new RegExp(`${ESC}\\[[\\d;]*m`, 'g');
const STATUS_LINE = new RegExp(`\\r${ESC}\\[K|${ESC}\\[K|\\r`, 'g');
const withoutColours = (text: string): string => text.replaceAll(COLOURS, '');
const EVIL = 'x\u001b[2J\u001b]0;t\u0007\u007f\u009b31m\u202e\u2066';
const ESCAPED = 'x\\u001b[2J\\u001b]0;t\\u0007\\u007f\\u009b31m\\u202e\\u2066';

const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

/** A match file with control characters in a pattern and in a name that has a line end. */
const match = file(
  'm-esc.yaml',
  `expect: match
run: { scenario: bios-minimal, stage: 0 }
match:
  - expect: { console: "nope\\e[2J]]>&<x\\u0000\\u202e" }
final:
  "evil\\e[31m\\n# SKIP\\nok 1 forged": { state: plaintext }
`,
);

describe.each([['never'], ['always']])('with --color=%s', (color) => {
  test.each(['text', 'ktap', 'junit'])('a report as %s', async (form) => {
    const { status, out } = await sme([`--color=${color}`, 'check', match, '--reporter', form]);
    expect(status).toBe(1);
    expect(withoutColours(out)).not.toMatch(OBEYED);
    // A name does not begin a line of its own.
    expect(out).not.toMatch(/^(?:# *)?# SKIP|^ok 1 forged/m);
    if (form !== 'junit') expect(out).toContain('nope\\u001b[2J]]>&<x\\u0000\\u202e');
  });

  test('a boot with a title, a command line and a console of that kind', async () => {
    const set = ['--set', `title=${JSON.stringify(EVIL)}`, '--cmdline', EVIL];
    const { status, out, err } = await sme([
      `--color=${color}`,
      ...['run', 'bios-minimal', '--stage', '0', ...set],
    ]);
    expect([status, err]).toEqual([0, '']);
    expect(withoutColours(out)).not.toMatch(OBEYED);
    expect(withoutColours(out)).toContain(`bios-minimal: ${ESCAPED}\n`);
    expect(withoutColours(out)).toContain(`command line: ${ESCAPED}\n`);
    if (color === 'always') expect(out).toContain('\u001b[1mbios-minimal');
  });

  test('colours of the input are not those of the program', async () => {
    const set = ['--set', `title=${JSON.stringify('a\u001b[31mred')}`];
    const { out } = await sme([`--color=${color}`, 'run', 'bios-minimal', '--stage', '0', ...set]);
    expect(out).toContain('a\\u001b[31mred\n');
  });
});

test.each([
  ['a scenario', ['run', EVIL]],
  ['a command', [EVIL]],
  ['an option', ['run', `--${EVIL}`]],
  ['a choice', ['list', EVIL]],
  ['a number', ['run', '--stage', EVIL]],
  ['a setting', ['run', '--set', `machine.ram=${EVIL}`]],
  ['a setting without a value', ['run', '--set', EVIL]],
  ['a place', ['inspect', 'bios-minimal', '--stage', '0', '--at', 'startup_64', '--vtop', EVIL]],
  ['a label', ['inspect', 'bios-minimal', '--at', EVIL]],
  ['an output', ['run', '--trace', join(dir, EVIL, 'none')]],
])('an error about %s, also on a terminal', async (_title, argv) => {
  const { status, out, err } = await sme(argv, {}, true);
  expect(status).toBe(2);
  expect(out).not.toMatch(OBEYED);
  expect(err.replaceAll(STATUS_LINE, '')).not.toMatch(OBEYED);
  expect(err).toContain('\\u001b[2J');
});

describe('files and machine formats escape in their own way', () => {
  const set = ['--cmdline', EVIL, '--stage', '0'];

  test.each(['yaml', 'json'])('a trace as %s', async (form) => {
    const path = join(dir, `trace.${form}`);
    await sme(['run', 'bios-minimal', ...set, '--trace', path, '--trace-format', form]);
    const text = readFileSync(path, 'utf8');
    expect(text).not.toMatch(OBEYED);
    const data = parse(text) as { header: { settings: Record<string, string> } };
    expect(data.header.settings.cmdline).toBe(EVIL);
  });

  test('the list of scenarios as JSON', async () => {
    const { out } = await sme(['list', 'hunks', '--format', 'json']);
    expect(out).not.toMatch(OBEYED);
    expect(JSON.parse(out)).not.toHaveLength(0);
  });

  test('a scenario from a log', async () => {
    const log = file(
      'dm-esc.log',
      [
        'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
        'BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable',
        'smpboot: CPU0: AMD \u001b[2J\u001b]0;pwned\u0007 EPYC (family: 0x17, model: 0x1)',
        'DMI: a\u001b[31mb\u0007\u009b31m \u202e',
        'Command line: x\u001b[31m earlyprintk=xen\u001b[2J \u007f',
        '',
      ].join('\n'),
    );
    const { status, out } = await sme(['scenario', 'from-dmesg', log]);
    expect(status).toBe(0);
    expect(out).not.toMatch(OBEYED);
    expect(parse(out)).toMatchObject({ name: 'dm-esc' });
  });

  test.each(firstOf(1, ['text', 'markdown', 'json', 'html']))('a matrix as %s', async (form) => {
    const scenario = file(
      'evil.yaml',
      `${readFileSync('scenarios/bios-minimal.yaml', 'utf8').replace(/^title: .*$/m, `title: ${JSON.stringify(EVIL)}`)}`,
    );
    const argv = ['matrix', scenario, '--only', '12', '--format', form, '--out', join(dir, 'm')];
    expect(await sme(argv)).toMatchObject({ status: 0, err: '' });
    expect(readFileSync(join(dir, 'm'), 'utf8')).not.toMatch(OBEYED);
  });
});
