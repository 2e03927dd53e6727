import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { addRunOptions, bootOptions } from '../../src/cli/run-options.js';
import {
  ascii,
  buildBzImage,
  buildElf,
  concat,
  le32,
  lz4Legacy,
  noise,
} from '../firmware/image/build.js';
import { buildPe } from '../firmware/image/build-pe.js';

const TEXT = -0x7f00_0000;
const vmlinux = buildElf({
  segments: [{ vaddr: TEXT, paddr: 0x100_0000, bytes: noise(4096) }],
  symbols: [{ name: '_text', value: TEXT }],
});
const bzImage = buildBzImage({ payload: concat(lz4Legacy(vmlinux), le32(vmlinux.length)) });
const uki = buildPe({
  sections: [
    ['.cmdline', ascii('root=/dev/sda2 mem_encrypt=on\n')],
    ['.linux', bzImage],
    ['.initrd', ascii('070701')],
  ],
});

describe('--kernel with a UKI', () => {
  let dir: string;
  let kernel: string;
  let initrd: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'sme-boot-uki-'));
    kernel = join(dir, 'linux.efi');
    initrd = join(dir, 'initrd');
    writeFileSync(kernel, uki);
    writeFileSync(initrd, 'mine');
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  test('boots with its initrd and its command line, which the trace records', () => {
    const options = bootOptions('bios-minimal', { kernel });
    expect(options.initrd).toEqual(ascii('070701'));
    expect(options.scenario.cmdline).toBe('root=/dev/sda2 mem_encrypt=on');
    expect(options.settings).toEqual({ cmdline: 'root=/dev/sda2 mem_encrypt=on' });
  });

  test('uses the initrd of --initrd instead', () => {
    const options = bootOptions('bios-minimal', { kernel, initrd });
    const given = options.initrd;
    if (given === undefined || !('read' in given)) throw new Error('no initrd of the user');
    expect(given.read(0, given.length)).toEqual(ascii('mine'));
    expect(options.scenario.cmdline).toBe('root=/dev/sda2 mem_encrypt=on');
  });

  test.each([
    ['--cmdline', { cmdline: 'quiet' }],
    ['--set cmdline=', { set: ['cmdline=quiet'] }],
  ])('uses the command line of %s instead', (_option, flags) => {
    const options = bootOptions('bios-minimal', { kernel, ...flags });
    expect(options.scenario.cmdline).toBe('quiet');
    expect(options.settings).toEqual({ cmdline: 'quiet' });
    expect(options.initrd).toEqual(ascii('070701'));
  });

  test('changes neither initrd nor command line if the file is not a UKI', () => {
    writeFileSync(join(dir, 'vmlinuz'), bzImage);
    const options = bootOptions('bios-minimal', { kernel: join(dir, 'vmlinuz') });
    expect(options.scenario).toEqual(bootOptions('bios-minimal', {}).scenario);
    expect('initrd' in options).toBe(false);
  });
});

describe('the names of --without and --with', () => {
  const parsed = (...args: string[]): Record<string, unknown> =>
    addRunOptions(new Command('run')).parse(args, { from: 'user' }).opts();

  test('are one or more, in one value between commas, in several, or with the option again', () => {
    expect(
      parsed('--without', '09/initrd,10', '8', '--without', ',11,', '--with', '15/before-paging'),
    ).toMatchObject({ without: ['09/initrd', '10', '8', '11'], with: ['15/before-paging'] });
  });

  test.each(['', ',', ',,'])('are refused if there is none: %j', (value) => {
    expect(() => parsed('--without', value)).toThrow(
      /E_USAGE: expected the name of a hunk, patch or alternative, found /,
    );
  });
});
