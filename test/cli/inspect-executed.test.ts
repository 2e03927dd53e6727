/** The commands that look at a boot, of an executed one: functions are labels, and all comes from the machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeProgram } from './code-image.js';
import { sme, type Ran } from './io.js';

/** mov byte [0x1001000], 7: a store to the second page of the image. */
const STORE = 'c604250010000107';
const WBINVD = '0f09';
/** mov rax, 0x1122334455667788 */
const LARGE = '48b88877665544332211';

let dir: string;
let kernel: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-inspect-executed-'));
  kernel = writeProgram(dir, 'vmlinux', STORE + LARGE);
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const at = (command: string, ...words: string[]): Promise<Ran> =>
  sme([...command.split(' '), 'firmware-syscfg', '--kernel', kernel, '--execute', ...words]);
const json = async (...words: string[]): Promise<Record<string, unknown>> => {
  const { out } = await at('inspect', ...words, '--format', 'json');
  return JSON.parse(out) as Record<string, unknown>;
};

describe('inspect --execute', () => {
  test('has the registers at the entry of a function, and after its return', async () => {
    expect(await json('--at', 'put_o', '--regs')).toMatchObject({
      at: 'put_o',
      reached: true,
      regs: { rip: '0x100002a', rsp: '0x1001fe8', rdx: '0x3f8', rsi: '0x90000' },
    });
    expect(await json('--at', 'put_o:return', '--regs')).toMatchObject({
      regs: { rip: '0x1000011', rsp: '0x1001ff0', rax: '0x6f' },
    });
  });

  test('has all 64 bits of a register at the end, and none that is not modelled', async () => {
    const { regs } = (await json('--regs')) as { regs: Record<string, unknown> };
    expect(regs.rax).toBe('0x1122334455667788');
    expect(regs).not.toHaveProperty('notModelled');
    const { out } = await at('inspect', '--regs');
    expect(out).not.toContain('not executed');
  });

  test('has memory, translations and cached lines, by symbol', async () => {
    const shown = await json('--mem', '0x1001000:1', '--as', 'c0', '--vtop', 'put_o', '--tlb');
    expect(shown).toMatchObject({ mem: { bytes: '07' }, vtop: { va: '0x100002a' } });
    const { out } = await at('inspect', '--cache', '0x1001000');
    expect(out).toMatch(/0x1001000\.\.0x100103f +1 line +C=0 +dirty +CPU 0 +written by _text/);
  });

  test('compares two functions in their order', async () => {
    const { status, out } = await at('inspect', '--at', 'put_o', '--at', 'put_o:return', '--regs');
    expect(status).toBe(0);
    expect(out).toMatch(/^put_o → put_o:return\n/);
    expect(out).toContain('rip  0x100002a → 0x1000011');
  });

  test('says that a function is not reached: exit 1', async () => {
    const { status, out, err } = await at('inspect', '--at', 'never');
    expect(status).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(/the boot did not reach never, it ended in _text: halt in _text\+0x/);
    const anyway = await at('inspect', '--at', 'never', '--anyway', '--regs');
    expect(anyway.out).toContain('rip');
  });

  test('says so too where the limit of instructions comes first', async () => {
    const words = ['--at', 'put_o', '--max-instructions', '2'];
    const { status, err } = await at('inspect', ...words);
    expect(status).toBe(1);
    expect(err).toContain('it ended in _text: limit');
  });

  test('refuses a function that the image lacks, and the options of the model', async () => {
    const unknown = await at('inspect', '--at', 'setup_arch');
    expect(unknown.status).toBe(2);
    expect(unknown.err).toContain('--at: the image has no such function');
    const model = await at('inspect', '--stage', '3');
    expect(model.status).toBe(2);
    expect(model.err).toContain('not the model');
  });
});

describe('exposure --execute', () => {
  test('has the memory in the clear at a function, by writer and step', async () => {
    const { status, out } = await at('exposure', '--at', 'put_o', '--at', 'put_o:return');
    expect(status).toBe(0);
    expect(out).toMatch(/^at put_o: /);
    expect(out).toContain('\nat put_o:return: ');
    expect(out).toContain('command line');
  });

  test('names the function that wrote it, and its step', async () => {
    const flushed = writeProgram(dir, 'flushed', `${STORE}${WBINVD}`);
    const words = ['firmware-syscfg', '--kernel', flushed, '--execute', '--format', 'json'];
    const { out } = await sme(['exposure', ...words]);
    const { sections } = JSON.parse(out) as {
      sections: [{ ranges: { pa: string; writer: unknown; writes: unknown[] }[] }];
    };
    const range = sections[0].ranges.find(({ pa }) => pa === '0x1001000..0x100103f');
    expect(range).toMatchObject({
      writer: { fn: '_text' },
      writes: [{ label: '_text', cpu: 0, encryption: true, through: 'its physical address' }],
    });
  });

  test('names a function that is not reached: exit 1', async () => {
    const { status, err } = await at('exposure', '--at', 'never');
    expect(status).toBe(1);
    expect(err).toContain('the boot did not reach never, it ended in _text: halt');
  });
});

describe('why --execute', () => {
  test('has the writes and reads of a place, newest first', async () => {
    const { status, out } = await sme(
      ['why', '0x1001000', 'firmware-syscfg', '--kernel', kernel, '--execute'].concat(
        '--at',
        'never',
        '--anyway',
      ),
    );
    expect(status).toBe(0);
    expect(out).toContain('0x1001000 is physical 0x1001000');
    expect(out).toMatch(/Writes, newest first\n {2}_text +write +C=0 +0x1001000 +_text\n/);
  });
});
