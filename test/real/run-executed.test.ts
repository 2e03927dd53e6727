/** `sme-boot run --execute` and its kin on Debian's unmodified cloud kernel with SME on. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { traceSchema, type TraceEvent } from '../../src/trace/trace.js';
import { sme, type Ran } from '../cli/io.js';

const CMDLINE = 'console=tty0 console=ttyS0 earlyprintk=serial,ttyS0,115200 nokaslr mem_encrypt=on';
const { vmlinuz, version } = JSON.parse(
  readFileSync('.cache/debian-kernel/kernel.json', 'utf8'),
) as { vmlinuz: string; version: string };

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-real-executed-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const executed = (command: string, ...more: string[]): Promise<Ran> => {
  const kernel = ['--kernel', vmlinuz, '--execute', '--cmdline', CMDLINE];
  return sme([...command.split(' '), 'firmware-syscfg', ...kernel, ...more]);
};

test('run --until mem_encrypt_init: the console says that SME is active, and the trace has how', async () => {
  const file = join(dir, 'trace.json');
  const words = ['--until', 'mem_encrypt_init', '--output', file];
  const expression = 'console=/Memory Encryption Features active: AMD SME/';
  const { status, out } = await executed('run', ...words, '--expect', expression);
  expect(out).toContain('mem_encrypt_init has returned to start_kernel');
  expect(status).toBe(0);
  const trace = traceSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const all: readonly TraceEvent[] = trace.steps.flatMap(({ events }) => events);
  expect(all).toContainEqual(expect.objectContaining({ cpuid: '0x8000001f', in: 'sme_enable' }));
  expect(all).toContainEqual(expect.objectContaining({ cr: 'CR3', C: 1, table: 'early_top_pgt' }));
  expect(all.some(({ encrypt }) => String(encrypt).endsWith(' startup_64'))).toBe(true);
  expect(all.length).toBeLessThan(2000);
  expect(trace.outcome).toMatchObject({ kind: 'stopped' });
}, 600_000);

test('inspect --at F:return has the mask in RAX, which sme_enable has computed', async () => {
  const { out } = await executed(
    'inspect',
    '--at',
    'sme_enable:return',
    '--mem',
    'sme_me_mask:8',
    '--as',
    'c0',
  );
  expect(out).toContain('00 00 00 00 00 80 00 00');
});

test('exposure at start_kernel finds what the encryption in place has left behind the kernel', async () => {
  const { status, out } = await executed(
    'exposure',
    '--at',
    'start_kernel',
    '--region',
    'after the kernel',
  );
  expect(status).toBe(0);
  expect(out).toMatch(/after the kernel\+0x\w+\n/);
  expect(out).toContain('written through C=0 with encryption on');
  // The last part of the RAM disk, in plain text: an archive of cpio.
  expect(out).toMatch(/2 MiB {2}after the kernel\+0x2000\n.*in sme_encrypt_kernel/);
  expect(out).toContain('looks like cpio entry');
}, 120_000);

test('why names the function that set the mask', async () => {
  const { out } = await sme([
    ...['why', 'sme_me_mask', 'firmware-syscfg', '--kernel', vmlinuz, '--execute'],
    ...['--cmdline', CMDLINE, '--at', 'start_kernel'],
  ]);
  expect(out).toMatch(/sme_enable +write +C=0 .* sme_enable\n/);
}, 120_000);

describe('the RSDP at 0xe0010, which firmware wrote without the C-bit', () => {
  const map = (rom: number): string => {
    const entries = [
      { start: 0, end: 0x9fbff, type: 'usable' },
      { start: 0x9fc00, end: 0x9ffff, type: 'reserved' },
      { start: rom, end: 0xfffff, type: 'reserved' },
      { start: 0x100000, end: 0x7fffffff, type: 'usable' },
    ];
    return `firmware.e820=${JSON.stringify(entries)}`;
  };

  test('is not found where the memory map has a hole in 0xe0000..0xfffff, which is then mapped C=1', async () => {
    const words = ['--until', 'acpi_boot_table_init', '--sanitize', '--set', map(0xf0000)];
    const { out } = await executed('run', ...words);
    expect(out).toContain('A valid RSDP was not found');
    expect(out).toMatch(/wrong-key-read at 0xe0010 RSDP, in acpi_boot_table_init/);
  }, 300_000);

  test('is found where the map says that all of it is reserved', async () => {
    const { out } = await executed('run', '--until', 'acpi_boot_table_init', '--set', map(0xe0000));
    expect(out).toMatch(/ACPI: RSDP 0x0*E0010/);
    expect(out).not.toContain('A valid RSDP was not found');
  }, 300_000);
});

test('a snapshot of one process goes on in another to the same instruction', async () => {
  const file = join(dir, 'state');
  const until = ['--until', 'acpi_boot_table_init'];
  const whole = await executed('run', ...until);
  await executed('run', '--until', 'e820__memory_setup', '--snapshot', file);
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      ...['dist/sme-boot.js', 'run', 'firmware-syscfg', '--kernel', vmlinuz, '--execute'],
      ...['--cmdline', CMDLINE, '--from', file, ...until],
    ],
    { encoding: 'utf8' },
  );
  expect(status).toBe(0);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(whole.out.trimEnd().split('\n').at(-1));
}, 300_000);

/** SHA-256 of the steps of the trace up to e820__memory_setup, by the version of the image. A change of the trace changes them. */
const TRACES: Readonly<Record<string, string>> = {
  '6.1.192-3': '223cdb72f04adb8a70d503b21eff2504a41e3b169ac64cdb164cdbca1575edad',
};

test('two processes write the same trace, whose digest is known for the version of the image', () => {
  const digests = [1, 2].map(() => {
    const kernel = ['--kernel', vmlinuz, '--execute', '--cmdline', CMDLINE];
    const words = ['--until', 'e820__memory_setup', '--output', '-', '--format', 'json'];
    const { status, stdout } = spawnSync(
      process.execPath,
      ['dist/sme-boot.js', 'run', 'firmware-syscfg', ...kernel, ...words],
      { encoding: 'utf8', maxBuffer: 1 << 28 },
    );
    expect(status).toBe(0);
    const { steps } = traceSchema.parse(JSON.parse(stdout));
    return createHash('sha256').update(JSON.stringify(steps)).digest('hex');
  });
  expect(digests[1]).toBe(digests[0]);
  expect(digests[0]).toBe(TRACES[version] ?? digests[0]);
}, 120_000);
