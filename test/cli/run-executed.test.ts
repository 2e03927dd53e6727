import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  bzImageOf,
  elf,
  elfOf,
  LOOKS_AT_LOADER,
  program,
  write,
  writeProgram,
} from './code-image.js';
import { exhaustiveTest } from '../cases.js';
import { sme, type Ran } from './io.js';

const LOOP = 'ebfe';
const UD2 = '0f0b';
const INVD = '0f08';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-execute-'));
  writeProgram(dir, 'halts');
  writeProgram(dir, 'loops', LOOP);
  writeProgram(dir, 'faults', UD2);
  writeProgram(dir, 'stops', INVD);
  writeProgram(dir, 'never-returns', '', { calling: true });
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const execute = (
  kernel: string,
  words: readonly string[] = [],
  ...more: [Parameters<typeof sme>[2]?, Parameters<typeof sme>[3]?]
): Promise<Ran> =>
  sme(['run', 'bios-minimal', '--kernel', join(dir, kernel), '--execute', ...words], {}, ...more);

describe('run --execute', () => {
  test('prints the console, then where it halted and after how many instructions', async () => {
    const { status, out, err } = await execute('halts');
    expect(err).toBe('');
    expect(status).toBe(0);
    expect(out).toMatch(/^bios-minimal: .*\nexecutes halts\ncommand line: .*\n\nok\n\n/);
    expect(out).toMatch(/\nhalt in _text\+0x17: HLT, .*, at 0x1000017, after 11 instructions\n$/);
  });

  test('executes the same file as the payload of a bzImage', async () => {
    const { code, symbols } = program();
    write(dir, 'bzImage', bzImageOf(elf(code, symbols)));
    const { status, out } = await execute('bzImage');
    expect(status).toBe(0);
    expect(out).toContain('\nok\n\nhalt in _text+0x17:');
  });

  test('ends at the limit of instructions', async () => {
    const { status, out } = await execute('loops', ['--max-instructions', '2500000']);
    expect(status).toBe(0);
    expect(out).toMatch(/\nok\n\nlimit in _text\+0x17: .*, after 2,500,000 instructions\n$/);
  });

  test('ends with a triple fault, by the exceptions that led to it', async () => {
    const { status, out } = await execute('faults');
    expect(status).toBe(0);
    expect(out).toMatch(/\ntriple-fault in _text\+0x17: #UD \(.*\), then .*, at 0x1000017, /);
  });

  test('ends with 4 where something is not modelled, which it names with the instruction', async () => {
    const { status, out } = await execute('stops');
    expect(status).toBe(4);
    expect(out).toMatch(
      /\nnot-modelled in _text\+0x17: INVD: .*, by invd \(0f 08\), at 0x1000017, after 10 instr/,
    );
  });

  test('passes command line and initrd', async () => {
    write(dir, 'looks', elfOf(LOOKS_AT_LOADER));
    writeFileSync(join(dir, 'initrd'), 'zero');
    const words = ['--cmdline', 'quiet', '--initrd', join(dir, 'initrd')];
    const { out } = await execute('looks', words);
    expect(out).toContain('\ncommand line: quiet\n\nqz\n\nhalt');
  });

  test('applies settings of the scenario', async () => {
    const { out } = await execute('looks', ['--set', 'cmdline=verbose']);
    expect(out).toContain('\ncommand line: verbose\n\nv');
  });

  test('escapes control characters of the console', async () => {
    write(dir, 'escape', elfOf('baf8030000 b01bee b00dee b00aee f4'));
    const { out } = await execute('escape');
    expect(out).toContain('\n\n\\u001b\n\nhalt');
  });

  test('Ctrl-C ends it with 130, after what was printed', async () => {
    const { status, out } = await execute('loops', [], false, {
      onOutput: () => process.emit('SIGINT'),
    });
    expect(status).toBe(130);
    expect(out).toMatch(/\nok\n\ninterrupted in _text\+0x17: Ctrl-C, .*, after [\d,]+ instr/);
  });

  test('shows instructions a second on a terminal after a second of silence', async () => {
    let now = 0;
    const clock = { now: () => (now += 700) };
    const { err } = await execute('loops', ['--max-instructions', '5000000'], true, clock);
    expect(err).toMatch(/[\d.]+ million instructions, [\d.]+ million a second/);
    expect((await execute('loops', ['--max-instructions', '5000000'])).err).toBe('');
  });
});

describe('--until', () => {
  test('ends when the function has returned', async () => {
    const { status, out } = await execute('halts', ['--until', 'put_o']);
    expect(status).toBe(0);
    expect(out).toMatch(/\n\no\n\nput_o has returned to _text\+0x11, after 6 instructions\n$/);
  });

  test('ends at the entry of a function whose call is the last instruction of its caller', async () => {
    const { status, out } = await execute('never-returns', ['--until', 'forever']);
    expect(status).toBe(0);
    expect(out).toMatch(/\nforever is entered, and never returns, after 11 instructions\n$/);
  });

  exhaustiveTest('says where it waits for a function that does not return', async () => {
    // mov rsp; call forever; hlt; forever: jmp forever
    const code = Buffer.from('48c7c4f01f0001 e801000000 f4 ebfe'.replaceAll(' ', ''), 'hex');
    write(dir, 'waits', elf(code, { _text: 0, forever: 13, _end: 0x2000 }));
    const most = ['--max-instructions', '302000000'];
    const { status, out, err } = await execute('waits', ['--until', 'forever', ...most]);
    expect(status).toBe(0);
    expect(err).toMatch(
      /^sme-boot: forever was entered 30\d million instructions ago and has not returned; .*\n$/,
    );
    expect(out).toContain('forever was entered and did not return');
  });

  test('fails where the boot ends before the function', async () => {
    const { status, out } = await execute('halts', ['--until', 'never']);
    expect(status).toBe(1);
    expect(out).toMatch(/\nhalt in .*; never was not reached\n$/);
  });

  test('refuses a function that the image does not have', async () => {
    const { status, err } = await execute('halts', ['--until', 'put_x']);
    expect(status).toBe(2);
    expect(err).toContain('E_LABEL');
    expect(err).toContain('put_o');
  });
});

describe('--expect', () => {
  test.each([
    ['console=/^o.$/', 'halts', 0],
    ['console=ok', 'halts', 0],
    ['console=o', 'halts', 1],
    ['outcome=halt', 'halts', 0],
    ['outcome=limit', 'halts', 1],
    ['console=/no/', 'faults', 1],
    ['console=/no/', 'stops', 125],
    ['console=/ok/', 'stops', 0],
  ])('%s of %s: exit %i', async (expression, kernel, status) => {
    const ran = await execute(kernel, ['--expect', expression]);
    expect(ran.status).toBe(status);
    const word = status === 0 ? 'holds' : 'does not hold';
    expect(ran.out).toContain(`--expect ${expression}: ${word}: `);
  });

  test.each([['garbage=initrd'], ['intact=initrd']])('refuses %s', async (expression) => {
    const { status, err } = await execute('halts', ['--expect', expression]);
    expect(status).toBe(2);
    expect(err).toContain('with --execute the readers of data are not known');
  });

  test('refuses an expression that is malformed', async () => {
    const { status, err } = await execute('halts', ['--expect', 'console=/(/']);
    expect(status).toBe(2);
    expect(err).toContain('--expect');
  });
});

describe('options that would have no effect are refused:', () => {
  test.each([
    [['--stage', '3']],
    [['--series', 'fixed']],
    [['--activate']],
    [['--without', '09']],
    [['--without', '09', '--stub']],
    [['--neutral']],
    [['--with', '09/relocate-plain']],
    [['--hunks', 'own.mjs']],
  ])('%j with --execute', async (words) => {
    const { status, err } = await execute('halts', words);
    expect(status).toBe(2);
    expect(err).toContain(words[words.length === 3 ? 2 : 0] ?? '');
    expect(err).toContain("the image's own instructions run, not the model");
  });

  test('--execute without an image', async () => {
    const { status, err } = await sme(['run', '--execute']);
    expect(status).toBe(2);
    expect(err).toContain('--execute needs an image with code');
  });

  test.each([
    ['--until', 'put_o'],
    ['--max-instructions', '5'],
  ])('%s without --execute', async (...words) => {
    const { status, err } = await sme(['run', ...words]);
    expect(status).toBe(2);
    expect(err).toContain(`${words[0]} has no effect without --execute`);
  });
});
