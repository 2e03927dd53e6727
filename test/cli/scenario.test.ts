import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exhaustiveTest } from '../cases.js';
import { parseScenario } from '../../src/scenario/scenario.js';
import { readYaml } from '../../src/base/yaml-source.js';
import { sme } from './io.js';

const FIXTURES = 'test/fixtures/dmesg';
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sme-boot-scenario-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const fromDmesg = (...args: string[]) => sme(['scenario', 'from-dmesg', ...args]);
/** Writes a log to a file. */
function log(name: string, data: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, data);
  return file;
}
const CONTROL = /[^\P{Cc}\n]|\p{Cf}/u;

describe('sme-boot scenario from-dmesg', () => {
  test('writes a scenario whose comments list what was read, guessed and not used', async () => {
    const { status, out } = await fromDmesg(`${FIXTURES}/hotplug-cpus.txt`);
    expect(status).toBe(0);
    expect(out).toMatch(/^# From the kernel log hotplug-cpus\.txt\.\n# About the log:\n/);
    expect(out).toMatch(/^# {3}machine\.cpu: intel-broadwell for Intel\(R\)/m);
    expect(out).toMatch(/^# {3}machine\.cpus: 4; 8 possible \(line 22\)$/m);
    expect(out).toMatch(/^# Guessed or chosen:$/m);
    expect(out).toMatch(/^ {4}- \{ start: 0x0, end: 0x9dbff, type: usable \}$/m);
    const scenario = parseScenario('x', readYaml('x', out, { hex: 'number' }).value);
    expect(scenario.name).toBe('hotplug-cpus');
    expect(scenario.loader).toMatchObject({ initrdAt: 0x3120_3000, initrdSize: 0x36f_6000 });
  });

  test('uses the boot of --boot, and has its number in a remark', async () => {
    const last = await fromDmesg(`${FIXTURES}/two-boots.txt`);
    expect(last.out).toMatch(/the log has 2 boots; this is boot 2, lines 19 to 36/);
    const first = await fromDmesg(`${FIXTURES}/two-boots.txt`, '--boot', '1');
    expect(first.out).toMatch(/this is boot 1, lines 1 to 18/);
    const none = await fromDmesg(`${FIXTURES}/two-boots.txt`, '--boot', '3');
    expect(none).toMatchObject({ status: 2, out: '' });
    expect(none.err).toMatch(/E_DMESG: .*two-boots\.txt: no such boot.*1 \(from 1, Linux/s);
    for (const wrong of ['0', 'x', '1e1', '']) {
      expect(await fromDmesg(`${FIXTURES}/two-boots.txt`, '--boot', wrong)).toMatchObject({
        status: 2,
        out: '',
      });
    }
  });

  test('writes to a file, under a name', async () => {
    const file = join(folder, 'mine.yaml');
    const args = ['--output', file, '--name', 'mine', '--as-logged'];
    const { status, out } = await fromDmesg(`${FIXTURES}/ryzen-5950x.txt`, ...args);
    expect({ status, out }).toEqual({ status: 0, out: '' });
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^name: mine$/m);
    expect(text).toMatch(/^cmdline: BOOT_IMAGE=\S+ root=\/dev\/sda1 ro$/m);
  });

  test('reads UTF-16, with a remark', async () => {
    const text = `\ufeff${readFileSync(`${FIXTURES}/two-boots.txt`, 'utf8')}`;
    const file = log(
      'wide.log',
      new Uint8Array(Uint16Array.from(text, (c) => c.charCodeAt(0)).buffer),
    );
    const { status, out } = await fromDmesg(file);
    expect(status).toBe(0);
    expect(out).toMatch(/converted to read the log: UTF-16LE text/);
  });

  test.each([
    ['no memory map', 'nothing\n', /E_DMESG: .*bad\.log: the log has no memory map/],
    [
      'a broken map',
      'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\nBIOS-e820: [mem 0x00\nx\n',
      /E_DMESG: .*bad\.log:2: 1 lines of the memory map are broken/,
    ],
    ['a compressed log', Uint8Array.of(0x1f, 0x8b, 8, 0), /E_DMESG: .*bad\.log: .*zcat/],
    ['a map of Xen', readFileSync(`${FIXTURES}/xen-dom0.txt`), /bad\.log: a Xen guest's map/],
  ])('refuses %s with its place and exits 2', async (_what, data, message) => {
    const { status, out, err } = await fromDmesg(log('bad.log', data));
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err.replace(/\n +/g, ' ')).toMatch(message);
  });

  test('writes no control characters, not even from the file name', async () => {
    const esc = String.fromCharCode(27);
    const file = log(
      `a${esc}[2J\nname: x .log`,
      [
        'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable',
        'BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable',
        `smpboot: CPU0: AMD ${esc}[2J\u0007\u009b EPYC (family: 0x17, model: 0x1)`,
        `DMI: a\u202eb\u0007`,
        `Command line: x${esc}[31m y\u007f earlyprintk=xen${esc}[2J`,
        'Hypervisor detected: K\u0008VM',
      ].join('\n'),
    );
    const { status, out } = await fromDmesg(file);
    expect(status).toBe(0);
    expect(out).not.toMatch(CONTROL);
    expect(out).toMatch(/^# From the kernel log a name: x \.log\.$/m);
    const { value } = readYaml('x', out, { hex: 'number' });
    expect(value).toMatchObject({ title: 'a?b?', cmdline: 'x y? mem_encrypt=on' });
  });

  test('has help with examples', async () => {
    const { out } = await fromDmesg('--help');
    expect(out).toMatch(/--boot <N>/);
    expect(out).toMatch(/kern\.log --boot 2/);
  });
});

describe('the initrd of a log', () => {
  const data = (size: number): string =>
    `name: x\ntitle: x\nmachine: { cpu: zen-1, ram: 128MiB }\nfirmware: { syscfgMemEncrypt: true }\nloader: { initrdSize: ${String(size)} }\ncmdline: console=tty0 mem_encrypt=on\n`;

  exhaustiveTest('has the size in the log, and is unpacked', async () => {
    const { out } = await sme(['run', log('long.yaml', data(2 ** 21))]);
    expect(out).toMatch(/^ {2}initrd +ciphertext \(2097152 bytes\)/m);
    expect(out).not.toMatch(/^initrd: /m);
    expect(out).toMatch(/^booted: /m);
  });

  test('has a line about another size with --initrd, or if the built-in one is larger', async () => {
    const short = await sme(['run', log('short.yaml', data(4096)), '--stage', '0']);
    expect(short.out).toMatch(/^initrd: \d+ bytes; on the scenario's machine it had 4096/m);
    const own = ['--initrd', log('own.cpio', new Uint8Array(512)), '--stage', '0'];
    const given = await sme(['run', log('long.yaml', data(2 ** 21)), ...own]);
    expect(given.out).toMatch(/^initrd: 512 bytes; on the scenario's machine it had 2097152/m);
  });
});
