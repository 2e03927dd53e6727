/** `sme-boot run --execute` and its kin on Debian's unmodified cloud kernel with SME on. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { traceSchema, type TraceEvent } from '../../src/trace/trace.js';
import { sme, type Ran } from '../cli/io.js';

const CMDLINE =
  'console=tty0 console=ttyS0 earlyprintk=serial,ttyS0,115200 nokaslr mem_encrypt=on lpj=4000000';
const { vmlinuz } = JSON.parse(readFileSync('.cache/debian-kernel/kernel.json', 'utf8')) as {
  vmlinuz: string;
};

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
}, 120_000);

test('why names the function that set the mask', async () => {
  const { out } = await sme([
    ...['why', 'sme_me_mask', 'firmware-syscfg', '--kernel', vmlinuz, '--execute'],
    ...['--cmdline', CMDLINE, '--at', 'start_kernel'],
  ]);
  expect(out).toMatch(/sme_enable +write +C=0 .* sme_enable\n/);
}, 120_000);
