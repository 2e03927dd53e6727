/** Options of the kernel that are not modelled, as `sme-boot run` and `sme-boot list options` tell them. */
import { describe, expect, test } from '@jest/globals';
import { exhaustiveTest } from '../cases.js';
import { OPTIONS } from '../../src/linux/options/options.js';
import { parseTrace } from '../../src/trace/yaml-in.js';
import { sme } from './io.js';

const LINE = 'console=tty0 quiet splash nokaslr maxcpus=1 mem_encrypt=on';

describe('options that are not modelled', () => {
  test('are listed in one line of the summary with reasons; so are those without an effect', async () => {
    const { out } = await sme(['run', '--stage', '0', '--cmdline', LINE]);
    const lines = out.split('\n');
    expect(lines.filter((line) => line.startsWith('not modelled:'))).toEqual([
      'not modelled: quiet (an option of 4.6, init/main.c), splash (unknown to 4.6: passed to init)',
    ]);
    expect(lines).toContain('no effect here: nokaslr (reasons: sme-boot list options)');
  });

  exhaustiveTest('are in the header of the trace; without them it has no such field', async () => {
    const headerOf = async (line: string): Promise<readonly string[] | undefined> => {
      const { out } = await sme(['run', '--stage', '0', '--cmdline', line, '--trace', '-']);
      return parseTrace('-', out).header.optionsNotModelled;
    };
    expect(await headerOf(LINE)).toEqual(['quiet', 'splash']);
    expect(await headerOf('console=tty0 mem_encrypt=on')).toBeUndefined();
  });
});

describe('sme-boot list options', () => {
  test('lists each with its handler, its file, and whether it is modelled', async () => {
    const { status, out } = await sme(['list', 'options']);
    expect(status).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(OPTIONS.length);
    expect(lines).toEqual([...lines].sort());
    const line = (name: string): string | undefined =>
      lines.find((each) => each.startsWith(`${name} `))?.replace(/ +/g, ' ');
    expect(line('mem')).toBe('mem early arch/x86/kernel/e820.c modelled');
    expect(line('quiet')).toBe('quiet early init/main.c not modelled');
    expect(line('nokaslr')).toMatch(/^nokaslr find .* without effect: the kernel is where/);
  });
  test('prints JSON with --format json', async () => {
    const { out } = await sme(['list', 'options', '--format', 'json']);
    const rows = JSON.parse(out) as { name: string; modelled: string }[];
    expect(rows.find(({ name }) => name === 'iommu')?.modelled).toBe('modelled');
  });
});
