/** What docs/findings.md says of Debian's kernels, executed: each of the four that is here. */
import { describe, expect, test } from '@jest/globals';
import { sme } from '../cli/io.js';
import { debianImages, fetchedOf } from './images.js';

const TIME = 600_000;
const CMDLINE = 'console=ttyS0 earlyprintk=serial,ttyS0,115200 mem_encrypt=on';
const KERNELS = fetchedOf('cloud-5.10', 'cloud', 'cloud-6.12', 'cloud-next');

async function printed(command: string, name: string, ...more: string[]): Promise<string> {
  const vmlinuz = debianImages().find((each) => each.name === name)?.vmlinuz ?? '';
  const kernel = ['--kernel', vmlinuz, '--execute', '--cmdline', CMDLINE];
  const { out, err } = await sme([command, 'firmware-syscfg', ...kernel, ...more]);
  expect(err).toBe('');
  return out;
}

describe.each(KERNELS)('the kernel %s', (name) => {
  test(
    'leaves the end of the RAM disk in the work area, in plain text',
    async () => {
      const region = ['--region', 'after the kernel'];
      const out = await printed('exposure', name, '--at', 'start_kernel', ...region);
      expect(out).toMatch(/2 MiB {2}after the kernel\+0x2000\n {4}by {5}code at 0x\w+, in /);
      expect(out).toContain('written through C=0 with encryption on');
      expect(out).toContain('looks like cpio entry');
    },
    TIME,
  );

  test(
    'reads the command line beyond a 2 MiB boundary through C=1',
    async () => {
      const place = ['--mem', 'boot_command_line:32', '--as', 'c1'];
      const at = ['--at', 'copy_bootdata:return', '--set', 'loader.cmdlineAt=0x3ffff0'];
      const [first, second] = (await printed('inspect', name, ...at, ...place))
        .trimEnd()
        .split('\n')
        .slice(-2);
      expect(first).toContain(`|${CMDLINE.slice(0, 16)}|`);
      expect(second).not.toContain(CMDLINE.slice(16, 24));
    },
    TIME,
  );

  test(
    'reads what firmware wrote below 1 MiB through C=1: RSDP, iBFT, BIOS data area, option ROM',
    async () => {
      const out = await printed('run', name, '--sanitize', '--until', 'acpi_boot_table_init');
      expect(out).toContain('A valid RSDP was not found');
      expect(out).toMatch(/wrong-key-read at 0xe0010 RSDP, in acpi_boot_table_init/);
      expect(out).toMatch(/wrong-key-read at 0x413..0x414, .*\n {6}reserve_bios_regions, C=1/);
      expect(out).toMatch(/wrong-key-read at 0xc0000..0xc0001 option ROM/);
      // The first line that firmware or the loader wrote in the searched 512 KiB.
      expect(out).toMatch(/wrong-key-read at 0x90000.* boot params.*\n {6}\w+_ibft_region, C=1/);
    },
    TIME,
  );

  test(
    'encrypts a command line in the last page of the RAM disk, and reads it through C=0',
    async () => {
      const initrd = ['--set', 'loader.initrdAt=0x7000000', '--set', 'loader.initrdSize=401KiB'];
      const place = ['--mem', 'boot_command_line:16', '--as', 'c1', '--at', 'copy_bootdata:return'];
      const at = (address: string): Promise<string> =>
        printed('inspect', name, ...initrd, ...place, '--set', `loader.cmdlineAt=${address}`);
      expect(await at('0x7064800')).not.toContain('|console');
      expect(await at('0x7065000')).toContain(`|${CMDLINE.slice(0, 16)}|`);
    },
    TIME,
  );
});

test(
  'a zero page across a 2 MiB boundary leaves 6.1 without its memory map',
  async () => {
    const most = ['--max-instructions', '35000000'];
    const out = await printed('run', 'cloud', '--set', 'loader.zeroPageAt=0x3ffd80', ...most);
    expect(out).toContain('Kernel panic - not syncing: alloc_low_pages: can not alloc memory');
  },
  TIME,
);
