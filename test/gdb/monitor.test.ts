import { beforeEach, describe, expect, test } from '@jest/globals';
import { monitor } from '../../src/gdb/monitor.js';
import type { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { machineDigest } from '../machine-digest.js';
import { at, guest, SECRET } from './guest.js';

let boot: ExecutedBoot;
beforeEach(() => {
  boot = guest();
});
const hex = (address: number): string => `0x${address.toString(16)}`;
const runTo = (address: number): void => {
  boot.run({ breakpoints: new Set([address]), maxInstructions: 1000 });
};

describe('cbit', () => {
  test('has each table with the C-bit under which it is read, the key, and the bytes three ways', () => {
    runTo(at('finish'));
    const before = machineDigest(boot.machine);
    const lines = monitor(boot, `cbit ${hex(SECRET)}`);
    expect(machineDigest(boot.machine)).toEqual(before);
    expect(lines[0]).toBe(hex(SECRET));
    expect(lines[1]).toMatch(
      /^PGD {2}table 0x[0-9a-f]+ read with C=0 {2}\[0\] {2}0x0{8}[0-9a-f]{8} {2}C=0 {2}table {2}→ 0x/,
    );
    expect(lines[2]).toMatch(/^PUD .*C=0 {2}table/);
    expect(lines[3]).toMatch(
      /^PMD {2}table 0x[0-9a-f]+ read with C=0 {2}\[12\] {2}0x00008000018[0-9a-f]{5} {2}C=1 {2}leaf {2}→ 0x1800000$/,
    );
    expect(lines.slice(4, 8)).toEqual([
      'physical 0x1800000, C=1, WB',
      "read under the host's key (C=1)",
      "last written under the host's key (C=1)",
      "the cache holds the line under the host's key (C=1), dirty",
    ]);
    // The store is still in the cache, so that DRAM has something else under either key.
    expect(lines.slice(8).map((line) => line.slice(0, 6))).toEqual(['DRAM  ', 'C=0   ', 'C=1   ']);
    expect(lines[10]).toContain('88 77 66 55 44 33 22 11');
    expect(lines[8]).not.toContain('88 77 66 55');
    expect(lines[9]).toBe(lines[8]?.replace('DRAM', 'C=0 '));
  });

  test('follows a write-back: DRAM has ciphertext, C=1 the value', () => {
    runTo(at('finish'));
    boot.machine.cache.wbinvd('all');
    const lines = monitor(boot, `cbit ${hex(SECRET)}`);
    expect(lines).toContain('the cache does not hold the line');
    expect(lines.at(-1)).toMatch(/^C=1 {3}88 77 66 55 44 33 22 11 /);
    expect(lines.at(-3)).not.toContain('88 77 66 55');
  });

  test('takes symbols, registers and offsets', () => {
    const first = (text: string): string | undefined => monitor(boot, `cbit ${text}`)[0];
    expect(first('linux_banner')).toBe('0xffffffff81000800');
    expect(first('linux_banner+0x10')).toBe('0xffffffff81000810');
    expect(first('$rip')).toBe(hex(at('_text')));
    expect(first('$RIP+16')).toBe(hex(at('_text') + 16));
    expect(first('4096')).toBe('0x1000');
    expect(first('0xffffffff81000000')).toBe('0xffffffff81000000');
  });

  test.each(['nothing', '$st0', '$cs', '0x0000800000000000', '0x', '1+', '__proto__'])(
    '%s is no address',
    (text) => {
      expect(monitor(boot, `cbit ${text}`)).toEqual([
        `${text}: no such address; expected 0x…, a symbol or $rip, also with +offset`,
      ]);
    },
  );

  test('says where the walk ends', () => {
    const lines = monitor(boot, 'cbit linux_banner');
    expect(lines.at(-2)).toMatch(/^PGD .* \[511\] .* not-present$/);
    expect(lines.at(-1)).toMatch(/^#PF\(0\): not-present/);
    expect(monitor(boot, 'cbit')).toEqual(['cbit needs an address']);
  });

  test('says what is no memory, and where C-bits are not in force', () => {
    const { base, size } = boot.machine.config.ram.at(-1) ?? { base: 0, size: 0 };
    expect(monitor(boot, `cbit ${hex(base + size)}`).at(-1)).toBe(
      'neither memory nor a device is there',
    );
    expect(monitor(boot, 'cbit 0xa0000').at(-1)).toMatch(/a device is there$/);
    boot = guest('firmware.syscfgMemEncrypt=false');
    expect(monitor(boot, 'cbit 0x1000')).toContain(
      'SYSCFG[23] is clear: C-bits are not in force, read without a key',
    );
  });

  test('of a part without memory encryption there is no C=1', () => {
    boot = guest('machine.cpu=intel-broadwell', 'firmware.syscfgMemEncrypt=false');
    const lines = monitor(boot, 'cbit 0x1000');
    expect(lines).toContain('the part has no memory encryption: read without a key');
    expect(lines.at(-1)).toMatch(/^C=0/);
  });
});

describe('help', () => {
  test('lists the commands; so does an unknown one', () => {
    const help = monitor(boot, 'help');
    expect(help.join('\n')).toMatch(/^monitor cbit ADDRESS: .*\nmonitor help: /);
    expect(monitor(boot, 'constructor x')).toEqual(['constructor: no such command', ...help]);
    expect(monitor(boot, ' ')).toEqual(['no command', ...help]);
  });
});
