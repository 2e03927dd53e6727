/** `--entry decompressor`: the stub of a bzImage is executed, with a stub of a few instructions. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bzImageOf, elf, program, write, writeProgram } from './code-image.js';
import { sme, type Ran } from './io.js';
import { stubImage } from './stub-image.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-entry-'));
  write(dir, 'bzImage', stubImage());
  write(dir, 'other-code', stubImage({ copied: '90'.repeat(64) + 'f4' }));
  writeProgram(dir, 'vmlinux');
  const { code, symbols } = program();
  write(dir, 'no-stub', bzImageOf(elf(code, symbols)));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const at = (name: string): string => join(dir, name);
const execute = (
  kernel: string,
  words: readonly string[],
  scenario = 'bios-minimal',
): Promise<Ran> => sme(['run', scenario, '--kernel', at(kernel), '--execute', ...words], {});
const DECOMPRESSOR = ['--entry', 'decompressor'];

describe('the decompressor', () => {
  test.each([
    ['at the 32-bit entry by a BIOS’ loader', 'bios-minimal', 'D'],
    ['at the 64-bit entry by an EFI loader', 'no-iommu', 'd'],
  ])('is entered %s', async (_title, scenario, letter) => {
    const { status, out, err } = await execute('bzImage', DECOMPRESSOR, scenario);
    expect(err).toBe('');
    expect(status).toBe(0);
    expect(out).toContain(`\n\n${letter}ok\n\nhalt in _text+0x17: `);
    expect(out).toContain('\nbegins at the decompressor');
  });

  test('is not entered by default, nor with --entry kernel', async () => {
    const { out } = await execute('bzImage', []);
    expect(out).toContain('\n\nok\n\nhalt in _text+0x17: ');
    expect((await execute('bzImage', ['--entry', 'kernel'])).out).toBe(out);
  });

  test('is what the code is called until it enters the kernel', async () => {
    const { out } = await execute('bzImage', [...DECOMPRESSOR, '--max-instructions', '3']);
    expect(out).toMatch(/\nlimit in decompressor\+0x8: .*, at 0x1000008, after 3 instructions\n$/);
  });

  test('comes before a function of --until, at the place where it has put the kernel', async () => {
    const { status, out } = await execute('bzImage', [...DECOMPRESSOR, '--until', 'put_o']);
    expect(status).toBe(0);
    expect(out).toMatch(/\nput_o has returned to _text\+0x11, after \d+ instructions\n$/);
  });

  test('never enters a kernel where other code is at its address', async () => {
    const { status, out } = await execute('other-code', [...DECOMPRESSOR, '--until', 'put_o']);
    expect(status).toBe(1);
    expect(out).toMatch(/\nhalt in decompressor.*; put_o was not reached\n$/);
  });

  test('has a trace, with the entry in its header, that check makes again', async () => {
    const made = await execute('bzImage', [...DECOMPRESSOR, '--output', at('trace.yaml')]);
    expect(made.status).toBe(0);
    const text = readFileSync(at('trace.yaml'), 'utf8');
    expect(text).toMatch(/^ {2}entry: decompressor$/m);
    expect(text).toContain('what: loader GDT');
    expect(text).not.toContain('(empty)');
    expect(text).toMatch(/label: decompressor\n[^]*label: _text\n/);
    expect((await sme(['check', at('trace.yaml')])).status).toBe(0);
  });

  test('is watched by the sanitizer', async () => {
    const { out } = await execute('bzImage', [...DECOMPRESSOR, '--sanitize']);
    expect(out).toContain('\nno report of the sanitizer\n');
  });

  test('has snapshots, which go on to the same end', async () => {
    const whole = await execute('bzImage', DECOMPRESSOR);
    for (const most of ['3', '12', '16']) {
      const words = [...DECOMPRESSOR, '--max-instructions', most, '--snapshot', at('state')];
      await execute('bzImage', words);
      const { out } = await execute('bzImage', [...DECOMPRESSOR, '--from', at('state')]);
      expect(out.slice(out.indexOf('\nhalt'))).toBe(whole.out.slice(whole.out.indexOf('\nhalt')));
    }
    const refused = await execute('bzImage', ['--from', at('state')]);
    expect(refused.status).toBe(2);
    expect(refused.err).toContain('another choice of --entry');
  });

  test('is followed by inspect: a symbol is where the kernel is', async () => {
    const words = ['--kernel', at('bzImage'), '--execute', ...DECOMPRESSOR, '--at', 'put_o'];
    const place = ['--regs', '--mem', 'put_o:3', '--as', 'c0'];
    const { out } = await sme(['inspect', 'bios-minimal', ...words, ...place], {});
    expect(out).toMatch(/^0*1400018 {2}b0 6f ee /m);
    expect(out).toMatch(/^rip +0x1400018$/m);
  });
});

test('memory of a boot that is in its decompressor is owned by it, and has no symbols of the kernel', async () => {
  const words = ['--kernel', at('bzImage'), '--execute', ...DECOMPRESSOR];
  const stopped = [...words, '--max-instructions', '3'];
  const { status, out } = await sme(['exposure', 'firmware-syscfg', ...stopped], {});
  expect(status).toBe(0);
  expect(out).toContain('kernel image');
  expect(out).not.toMatch(/put_o|_text/);
  const { err } = await sme(['inspect', 'bios-minimal', ...stopped, '--mem', 'put_o:3'], {});
  expect(err).toContain('the decompressor has not entered the kernel');
});

describe('refused:', () => {
  test.each([
    ['an ELF file', ['vmlinux', ...DECOMPRESSOR], 'a vmlinux has no decompressor'],
    ['another word', ['bzImage', '--entry', 'decompresor'], 'decompressor'],
    ['a bzImage without code', ['no-stub', ...DECOMPRESSOR], '(syssize)'],
  ])('%s', async (_what, [kernel = '', ...words], text) => {
    const { status, err } = await execute(kernel, words);
    expect(status).toBe(2);
    expect(err).toContain(text);
  });

  test('without --execute', async () => {
    const { status, err } = await sme(['run', 'bios-minimal', ...DECOMPRESSOR], {});
    expect(status).toBe(2);
    expect(err).toContain('--entry has no effect without --execute');
  });
});
