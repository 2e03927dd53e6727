import { describe, expect, test } from '@jest/globals';
import { firstOf } from '../cases.js';
import { sme } from './io.js';

/** The completions of the last word, without what they are, and the last line. */
async function completions(...words: string[]): Promise<{ values: string[]; more: string }> {
  const { status, out, err } = await sme(['__complete', '--', ...words]);
  expect([status, err]).toEqual([0, '']);
  const lines = out.trimEnd().split('\n');
  const more = lines.pop() ?? '';
  return { values: lines.map((line) => line.split('\t')[0] ?? ''), more };
}

describe('completion', () => {
  test.each(
    firstOf(20, [
      [['ma'], ['matrix', 'man']],
      [['__'], []],
      [['help', 'matr'], ['matrix']],
      [
        ['probe', '07-e'],
        ['07-early-memremap', '07-early-memremap-initrd'],
      ],
      [['matrix', 'me'], ['merge']],
      [['scenario', ''], ['from-dmesg']],
      [['run', 'bios-m'], ['bios-minimal']],
      [
        ['run', '--st'],
        ['--stage', '--stub'],
      ],
      [['run', '--ne'], []],
      [['run', '--stage', '17'], ['17']],
      [['run', '--stage=17'], ['--stage=17']],
      [['--color', 'al'], ['always']],
      [['--color', 'never', 'trac'], ['trace']],
      [
        ['run', '--format', ''],
        ['text', 'yaml', 'json', 'jsonl', 'perfetto', 'junit', 'sarif', 'github'],
      ],
      [['check', '--format', 'j'], ['junit']],
      [['run', '--series', 'rf'], ['rfc-v1']],
      [['run', '--without', '09/initrd', '09/ini'], ['09/initrd']],
      [['inspect', '--at', 'startup_64:p'], ['startup_64:phys_base']],
      [
        ['inspect', '--cpu', ''],
        ['0', '1', '2', '3'],
      ],
      [['inspect', 'bios-minimal', '--cpu', ''], ['0']],
      [['inspect', '--vtop', 'early_level4'], ['early_level4_pgt']],
      [['inspect', '--vtop', '_tex'], ['_text']],
      [['inspect', '--cache', 'kernel te'], ['kernel text']],
      [['inspect', '--mem', 'kernel te'], ['kernel text:']],
      [['run', '--set', 'machine.r'], ['machine.ram=']],
      [
        ['run', '--set', 'machine.vga='],
        ['machine.vga=true', 'machine.vga=false'],
      ],
      [['run', '--set=machine.vga=t'], ['--set=machine.vga=true']],
      [['bisect', 'rfc-v1', 'bios-m'], ['bios-minimal']],
      [['bisect', 'rfc-v1', '--expect', 'outcome=p'], ['outcome=panic']],
      [['bisect', 'rfc-v1', '--expect', 'garbage=init'], ['garbage=initrd']],
      [['effects', '--view', 'w'], ['without']],
      [['findings', 'vm'], ['vmcb']],
      [['findings', '--patch', '17'], ['17']],
      [['patches', '--links', 's'], ['source=']],
      [
        ['effects', '1'],
        ['1', '10', '11', '12', '13', '14', '15', '16', '17', '18'],
      ],
      [['matrix', 'al'], ['all']],
      [['list', 'h'], ['hunks']],
      [['schema', 'tr'], ['trace']],
      [
        ['completion', ''],
        ['bash', 'zsh', 'fish'],
      ],
      [['matrix', '--jobs', ''], []],
      [['run', 'a-file', 'b'], []],
    ]),
  )('%j', async (words, expected) => {
    const { values } = await completions(...words);
    expect(values).toEqual(expected);
  });

  test('says what a completion is', async () => {
    const { out } = await sme(['__complete', '--', 'run', 'bios-minimal']);
    expect(out).toMatch(/^bios-minimal\tZen 1, 2 GiB/m);
  });

  test.each([
    [['run', '--kernel', ''], ':files'],
    [['check', ''], ':files'],
    [['run', '--set', 'machine.ra'], ':open'],
    [['run', '--stage', ''], ':'],
    [['run', ''], ':files'],
    [['diff', 'traces/a.yaml', ''], ':files'],
    [['run', '--output', ''], ':files'],
  ])('%j has %s', async (words, expected) => {
    expect((await completions(...words)).more).toBe(expected);
  });

  test('a series that cannot be read is no error', async () => {
    expect(await completions('list', 'symbols', 'no-such', '--at', '')).toMatchObject({
      more: ':',
    });
  });
});

describe('for bash', () => {
  const forBash = async (line: string, breaks = ' =:'): Promise<string> =>
    (await sme(['__complete', '--breaks', breaks, '--line', line])).out;
  test.each([
    ['sme-boot run bios-m', 'bios-minimal\n:files\n'],
    ['sme-boot inspect --at startup_64:p', 'phys_base\n:\n'],
    ['sme-boot run --set machine.vga=t', 'true\n:\n'],
    ['sme-boot inspect --mem kernel\\ te', "'kernel text:'\n:open\n"],
    ["sme-boot inspect --mem 'kernel te", 'kernel text:\n:open\n'],
    ['sme-boot list ', expect.stringMatching(/^scenarios\nseries\n/)],
  ])('%j', async (line, expected) => {
    expect(await forBash(line)).toEqual(expected);
  });
  test('leaves what bash does not break', async () => {
    expect(await forBash('sme-boot run --set machine.vga=t', ' ')).toBe('machine.vga=true\n:\n');
  });
});

test.each(['bash', 'zsh', 'fish'])('the script for %s calls the hidden command', async (shell) => {
  const { status, out } = await sme(['completion', shell]);
  expect(status).toBe(0);
  expect(out).toContain('__complete');
});
