import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeProgram } from './code-image.js';
import { sme, type Ran } from './io.js';

/** wbinvd */
const WBINVD = '0f09';
const [LOAD_CR3, STORE_ENTRY, LOAD] = ['0f22db', '4889042508200700', '8a042500002000'];
/**
 * Stores a byte at 2 MiB under C=1, and loads it under C=0: mov rbx, cr3; mov rax, [0x72008]; bts rax, 47; …; mov byte
 * [0x200000], 7; wbinvd; btr rax, 47; …; mov al, [0x200000]
 */
const WRONG_KEY = [
  ...['0f20db', '488b042508200700', '480fbae82f', STORE_ENTRY, LOAD_CR3, 'c604250000200007'],
  ...[WBINVD, '480fbaf02f', STORE_ENTRY, LOAD_CR3, LOAD],
].join('');

let dir: string;
let kernel: string;
let file: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-executed-trace-'));
  kernel = writeProgram(dir, 'vmlinux', WBINVD);
  file = join(dir, 'trace.yaml');
  await execute('--until', 'put_o', '--output', file);
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const words = (...more: string[]): string[] => [
  ...['bios-minimal', '--kernel', kernel, '--execute'],
  ...more,
];
const execute = (...more: string[]): Promise<Ran> => sme(['run', ...words(...more)]);

describe('run --execute --output', () => {
  test('writes a trace whose header has the run', () => {
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/\n {2}execute: true\n {2}until: put_o\n/);
    expect(text).toMatch(/\n {4}kernel:\n {6}path: .\/vmlinux\n/);
    expect(text).toMatch(/ - label: put_o:return\n/);
    expect(text).toMatch(/\noutcome:\n {2}kind: stopped\n/);
  });

  test('check runs it again, and passes', async () => {
    const { status, out } = await sme(['check', file]);
    expect(out).toContain('1 passed');
    expect(status).toBe(0);
  });

  test('check fails where an event differs, and says how to run it', async () => {
    const other = join(dir, 'other.yaml');
    writeFileSync(other, readFileSync(file, 'utf8').replaceAll('after 6 inst', 'after 7 inst'));
    const { status, out } = await sme(['check', other]);
    expect(status).toBe(1);
    expect(out).toMatch(/sme-boot run bios-minimal .*--execute --until put_o/);
  });

  test('diff compares two executed boots, and an executed one with the model', async () => {
    const same = await sme(['diff', file, words('--until', 'put_o').join(' ')]);
    expect(same.status).toBe(0);
    const longer = await sme(['diff', file, words().join(' ')]);
    expect(longer.status).toBe(1);
    expect(longer.out).toContain('halt');
    const model = await sme(['diff', file, 'bios-minimal']);
    expect(model.status).toBe(1);
  });

  test('writes JSON of the same', async () => {
    const { out, err } = await execute('--output', '-', '--format', 'json');
    expect(JSON.parse(out)).toMatchObject({ header: { execute: true }, outcome: { kind: 'halt' } });
    expect(err).toContain('\nok\n');
  });

  test('has the outcome of a boot that Ctrl-C ended', async () => {
    const loops = writeProgram(dir, 'loops', 'ebfe');
    const argv = [
      'run',
      'bios-minimal',
      '--kernel',
      loops,
      '--execute',
      '--output',
      join(dir, 'i.yaml'),
    ];
    const { status } = await sme(argv, {}, false, { onOutput: () => process.emit('SIGINT') });
    expect(status).toBe(130);
    expect(readFileSync(join(dir, 'i.yaml'), 'utf8')).toContain('\n  kind: interrupted\n');
  });

  test('--expect event= is about the trace', async () => {
    const { status } = await execute('--expect', 'event={cache-flush: wbinvd, in: _text}');
    expect(status).toBe(0);
    expect((await execute('--expect', 'event={cr: CR3}')).status).toBe(1);
  });
});

describe('run --execute --sanitize', () => {
  test('names the function of RIP in a report', async () => {
    const wrong = writeProgram(dir, 'wrong', WRONG_KEY);
    const argv = ['run', 'firmware-syscfg', '--kernel', wrong, '--execute', '--sanitize'];
    const { status, out } = await sme([...argv, '--expect', 'report=wrong-key-read']);
    expect(out).toMatch(/\nreports of the sanitizer\n/);
    expect(out).toMatch(/wrong-key-read.*0x200000/);
    expect(out).toMatch(/holds: at 0x200000.*, in _text by _text/);
    expect(status).toBe(0);
  });

  describe('with a report', () => {
    const run = (...more: string[]): Promise<Ran> => {
      const wrong = writeProgram(dir, 'wrong', WRONG_KEY);
      const argv = ['run', 'firmware-syscfg', '--kernel', wrong, '--execute', '--sanitize'];
      return sme([...argv, ...more]);
    };

    test.each([
      [[], 1],
      [['wrong-key-read'], 1],
      [['stale-translation'], 0],
    ])('--fail-on-report %j exits with %i', async (rules, expected) => {
      expect((await run('--fail-on-report', ...rules)).status).toBe(expected);
    });

    test.each([
      ['junit', /<failure .*wrong-key-read/],
      ['sarif', /"ruleId": ?"wrong-key-read"/],
      ['github', /^::\w+ .*wrong-key-read/m],
    ])('--format %s has it', async (form, pattern) => {
      const { out, err, status } = await run('--format', form);
      expect(out).toMatch(pattern);
      expect(err).toContain('reports of the sanitizer');
      expect(status).toBe(0);
    });

    test('names the run in JUnit, with the command that repeats it', async () => {
      const { out } = await run('--format', 'junit');
      expect(out).toContain('firmware-syscfg, wrong executed');
      expect(out).toContain('--execute --sanitize');
    });

    test('a suppressed one does not fail the run, and an unused entry is an error', async () => {
      const path = join(dir, 'suppressed.yaml');
      const entry = (rule: string): string =>
        `- rule: ${rule}\n  in: _text\n  reason: the program does so\n`;
      writeFileSync(path, entry('wrong-key-read'));
      const suppressed = await run('--fail-on-report', '--suppress', path);
      expect(suppressed.err).toBe('');
      expect(suppressed.status).toBe(0);
      writeFileSync(path, entry('wrong-key-read') + entry('cbit-on-mmio'));
      const unused = await run('--suppress', path);
      expect(unused.err).toContain('E_SUPPRESSION_UNUSED');
      expect(unused.status).toBe(2);
    });
  });

  test('says that there is no report', async () => {
    const { out } = await execute('--sanitize', '--until', 'put_o');
    expect(out).toMatch(/\nno report of the sanitizer\n/);
  });

  test('without it the trace says that the sanitizer was off', () => {
    expect(readFileSync(file, 'utf8')).toContain('\n  sanitize: false\n');
  });

  test.each([
    [['--expect', 'report=wrong-key-read'], '--sanitize'],
    [['--format', 'sarif'], '--sanitize'],
    [['--fail-on-report'], '--sanitize'],
    [['--suppress', 'none.yaml'], '--sanitize'],
  ])('%j is refused', async (more, message) => {
    const { status, err } = await execute(...more);
    expect(status).toBe(2);
    expect(err).toContain(message);
  });
});
