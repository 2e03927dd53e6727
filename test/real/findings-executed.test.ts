/** What docs/findings.md says of Debian's kernels, executed: each of the four that is here. */
import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sme } from '../cli/io.js';
import { busybox } from './debian-kernel.js';
import { debianImages, fetchedOf } from './images.js';
import { directory, executable, ramDisk } from './user-space.js';

const TIME = 600_000;
const CMDLINE = 'console=ttyS0 earlyprintk=serial,ttyS0,115200 mem_encrypt=on';
const KERNELS = fetchedOf('cloud-5.10', 'cloud', 'cloud-6.12', 'cloud-next');

async function printed(command: string, name: string, ...more: string[]): Promise<string> {
  const vmlinuz = debianImages().find((each) => each.name === name)?.vmlinuz ?? '';
  const cmdline = more.includes('--cmdline') ? [] : ['--cmdline', CMDLINE];
  const kernel = ['--kernel', vmlinuz, '--execute', ...cmdline];
  const { out, err } = await sme([command, 'firmware-syscfg', ...kernel, ...more]);
  expect(err).toBe('');
  return out;
}

/** Runs `use` with a directory that is removed afterwards. */
async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const made = mkdtempSync(join(tmpdir(), 'sme-boot-findings-'));
  try {
    return await use(made);
  } finally {
    rmSync(made, { recursive: true });
  }
}

/** An SSDT of 64 bytes, whose AML is a name with a string (ACPI 5.2.6, 5.2.11.2). */
function ssdt(): Uint8Array {
  const table = Buffer.alloc(64);
  table.write('SSDT@', 0, 'latin1');
  table.writeUInt8(2, 8);
  table.write('SMEBT1EXAMPLE1', 10, 'latin1');
  table.write('\x08NAM0\x0da name of the table', 36, 'latin1');
  table.writeUInt8(-table.reduce((sum, byte) => sum + byte, 0) & 0xff, 9);
  return table;
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

  test(
    'leaves the command line of the loader in the clear',
    async () => {
      const at = ['--at', 'acpi_boot_table_init', '--set', 'loader.cmdlineAt=0x20000'];
      const out = await printed('exposure', name, ...at, '--region', 'command line');
      expect(out).toMatch(/0x20000\.\.0x20fff {2}4 KiB {2}command line/);
      expect(out).toContain('left from before encryption was on');
      expect(out).toContain(`holds  text "${CMDLINE}"`);
    },
    TIME,
  );

  test(
    'writes the early VGA console with C=1, so that the screen stays empty',
    async () => {
      const vga = ['--set', 'machine.vga=true', '--mem', '0xb8dc0:480', '--as', 'c0'];
      const screen = (encryption: string): Promise<string> =>
        printed(
          'inspect',
          name,
          '--at',
          'acpi_boot_table_init',
          ...vga,
          ...['--cmdline', `console=ttyS0 earlyprintk=vga mem_encrypt=${encryption}`],
        );
      // Each character with the attribute 7, on a line from its first bracket.
      expect(await screen('off')).toMatch(/^0*b8e60 {2}5b 07 20 07 /m);
      expect(await screen('on')).toMatch(/^0*b8dc0( +20 07){8} .*\n\*\n$/);
    },
    TIME,
  );

  test(
    'copies an ACPI table of the RAM disk to memory through C=0',
    async () => {
      const folders = ['kernel', 'kernel/firmware', 'kernel/firmware/acpi'].map(directory);
      const disk = ramDisk(...folders, executable('kernel/firmware/acpi/ssdt.aml', ssdt()));
      const out = await inDirectory(async (made) => {
        const initrd = join(made, 'initrd');
        writeFileSync(initrd, disk);
        return printed('exposure', name, '--at', 'acpi_boot_table_init', '--initrd', initrd);
      });
      const copied = out.split(/\n(?= {2}0x)/).find((range) => /SSDT at \+0x0;/.test(range)) ?? '';
      // 6.12 has no copy of memcpy in it.
      expect(copied).toMatch(/in use by (acpi_table_upgrade|memcpy_orig)/);
      expect(copied).toContain('written through C=0 with encryption on');
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

describe.each(KERNELS.filter((name) => /^cloud(-5|$)/.test(name)))(
  'from its decompressor, the kernel %s',
  (name) => {
    const boot = (cmdline: string): Promise<string> =>
      printed(
        'run',
        name,
        ...['--entry', 'decompressor', '--max-instructions', '150000000'],
        ...['--cmdline', `console=ttyS0 earlyprintk=serial,ttyS0,115200 nokaslr ${cmdline}`],
      );

    test(
      'dies of the address of the RSDP that was passed to it, with encryption on',
      async () => {
        const out = await boot('mem_encrypt=on');
        expect(out).toMatch(/RIP: 0010:acpi_tb_print_table_header/);
        expect(out).toContain('Kernel panic - not syncing: Attempted to kill the idle task!');
        expect(await boot('mem_encrypt=off')).toMatch(/ACPI: RSDP 0x0+E0010 .*\n.*ACPI: [RX]SDT /);
      },
      TIME,
    );
  },
);

// Fixed by later kernels: the commits are in docs/findings.md.
describe.each(KERNELS)('of what is fixed, the kernel %s', (name) => {
  const before = name === 'cloud-5.10';

  test(
    'has or has not: the feature SME is kept while encryption is off',
    async () => {
      const bytes = await inDirectory(async (made) => {
        const file = join(made, 'bytes');
        const place = ['--at', 'setup_per_cpu_areas', '--mem', 'boot_cpu_data:256', '--as', 'c0'];
        await printed('inspect', name, ...place, '--cmdline', 'console=ttyS0', '--save', file);
        return readFileSync(file);
      });
      // x86_capability begins with EDX of CPUID function 1; X86_FEATURE_SME is bit 0 of its word 19.
      const words = bytes.indexOf(Uint8Array.of(0xff, 0xfb, 0x8b, 0x07));
      expect(words).toBeGreaterThan(0);
      expect(bytes.readUInt32LE(words + 19 * 4) & 1).toBe(before ? 1 : 0);
    },
    TIME,
  );
});

test.each(KERNELS.filter((name) => name !== 'cloud-next'))(
  '%s has or has not what is fixed: the last 16 bytes of a setup_data node are mapped with C=1',
  async (name) => {
    const script = `#!/bin/busybox sh
/bin/busybox mount -t sysfs none /sys
/bin/busybox hexdump -C /sys/kernel/boot_params/setup_data/0/data
/bin/busybox poweroff -f
`;
    const disk = ramDisk(
      directory('bin'),
      directory('sys'),
      executable('bin/busybox', busybox()),
      executable('init', script),
    );
    const out = await inDirectory(async (made) => {
      const [initrd, data] = [join(made, 'initrd'), join(made, 'data')];
      writeFileSync(initrd, disk);
      writeFileSync(data, 'setup data of 16');
      const cmdline = ['--cmdline', 'console=ttyS0 mem_encrypt=on cryptomgr.notests'];
      const most = ['--max-instructions', '1500000000'];
      return printed('run', name, ...cmdline, ...most, '--initrd', initrd, '--dtb', data);
    });
    expect(out).toMatch(/\n0{8} {2}.*\|\r?\n0{6}10\r?\n/);
    expect(out.includes('|setup data of 16|')).toBe(name !== 'cloud-5.10');
  },
  TIME,
);
