import { describe, expect, test } from '@jest/globals';
import { exhaustiveTest } from '../cases.js';
import { forgotten } from '../../src/cli/why.js';
import { sme } from './io.js';

const SMALL = ['bios-minimal', '--set', 'machine.ram=64MiB'];

describe('sme-boot why', () => {
  test('prints writers and readers, newest first, with C-bit and hunk, and how the place is reached', async () => {
    const { status, out } = await sme([
      ...['why', 'sme_me_mask', ...SMALL, '--at', 'startup_64:phys_base'],
    ]);
    expect(status).toBe(0);
    expect(out).toContain('in kernel image, which the loader filled with C=0\n');
    const [, writes = '', reads = ''] =
      /Writes[^\n]*\n([\s\S]*?)\n\nReads[^\n]*\n([\s\S]*?)\n\n/.exec(out) ?? [];
    expect(writes.split('\n').map((line) => line.split(/ {2,}/).slice(1, 4).join(' '))).toEqual([
      'startup_64:phys_base write-back C=1',
      'startup_64:phys_base write C=1',
      'startup_64:phys_base write-back C=0',
      'startup_64 write C=0',
    ]);
    expect(writes).toMatch(/sme_enable \(18\/sme_enable\), 2 times$/);
    expect(reads).toMatch(/startup_64 \(06\/head_64\)/);
    expect(out).toMatch(/TLB +0x8001a00000 +2M +C=0/);
    expect(out).toMatch(/tables .*C=1/);
  });

  test('as JSON has all rows, and finds the read that is wrong', async () => {
    const { status, out } = await sme([
      ...['why', 'initrd:64', ...SMALL, '--at', 'load_ucode_bsp', '--format', 'json'],
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ...{ place: 'initrd:64', at: 'load_ucode_bsp', reached: true },
      where: { placed: [{ name: 'initrd', by: 'loader' }] },
      writes: [],
      reads: [{ kind: 'read', in: 'find_ucode_in_initrd', key: 1, step: 'load_ucode_bsp', n: 2 }],
    });
  });

  test('says that firmware wrote what no region names', async () => {
    const { out } = await sme(['why', '0x413:2', ...SMALL, '--at', 'reserve_ebda_region']);
    expect(out).toContain('firmware or the loader wrote there with C=0, before the first step\n');
    expect(out).toContain('earlier in loader: loader, C=0: written');
  });

  exhaustiveTest('leaves translations beyond the first to --all', async () => {
    const { out } = await sme(['why', '0x2065000:64', 'initrd-behind-kernel']);
    expect(out).toMatch(/^ {2}and 65\d{3} more \(--all\)$/m);
    expect(out.split('\n').length).toBeLessThan(100);
  });

  exhaustiveTest('leaves older rows to --all', async () => {
    const rows = (out: string): number =>
      out.split('\n').filter((line) => /^ {2}\S.* C=\d/.test(line)).length;
    const words = ['why', 'early_level4_pgt', ...SMALL, '--at', 'reserve_initrd'];
    const [short, all] = [await sme(words), await sme([...words, '--all'])];
    expect(short.out).toMatch(/ {2}and \d+ older ones \(--all\)\n/);
    expect(all.out).not.toContain('older ones');
    expect(rows(all.out)).toBeGreaterThan(rows(short.out));
  });

  exhaustiveTest('names devices, and CPUs other than the boot CPU', async () => {
    const { out } = await sme(['why', 'trampoline', 'epyc-efi', '--at', 'smp_init', '--all']);
    expect(out).toMatch(/, CPU 1/);
  });

  exhaustiveTest('fits the terminal', async () => {
    const { out } = await sme(['why', 'sme_me_mask', ...SMALL], {}, true);
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('lists the reports of the sanitizer about the place, unless it is off', async () => {
    const words = ['why', 'initrd:64', ...SMALL, '--at', 'load_ucode_bsp'];
    const { out } = await sme(words);
    expect(out).toMatch(
      /Reports of the sanitizer about it\n {2}wrong-key-read at 0x\S+ initrd, in load_/,
    );
    expect((await sme([...words, '--no-sanitize'])).out).not.toContain('sanitizer');
    const other = await sme(['why', '0x9f000', ...words.slice(2)]);
    expect(other.out).toContain('no report of the sanitizer about it\n');
  });

  test('says how far back the accesses are known, if older ones are forgotten', () => {
    const history = { forgotten: 3, since: 'mm_init', newestFirst: [1, 2] };
    const [part] = forgotten(history);
    expect(part?.data).toEqual({ older: 3, since: 'mm_init' });
    expect(part?.text(80)).toBe(
      'Only the newest 2 accesses are known, from mm_init on; 3 older ones are forgotten\n',
    );
    expect(forgotten({ ...history, forgotten: 0 })).toEqual([]);
  });

  test('exits 1 if the boot does not reach the label', async () => {
    const words = ['why', 'initrd', ...SMALL, '--stage', '6', '--activate', '--at', 'run_init'];
    const { status, out, err } = await sme(words);
    expect([status, out.trim()]).toEqual([1, '']);
    expect(err).toContain('did not reach run_init');
  });

  test.each([
    [['initrdd'], /E_PLACE.*no such place|initrdd/s],
    [['initrd', '--at', 'startup_63'], /E_LABEL/],
    [['initrd:0'], /E_MEM/],
    [[], /PLACE is missing/],
    [['initrd', ...SMALL, '--anyway'], /--at/],
  ])('refuses %j', async (words, message) => {
    const { status, err } = await sme(['why', ...words]);
    expect(status).toBe(2);
    expect(err).toMatch(message);
  });
});
