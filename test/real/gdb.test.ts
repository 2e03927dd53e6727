/** Debian's gdb on Debian's unmodified cloud kernel with SME on. Fetched by scripts/fetch-debian-kernel.mjs. */
import { expect, test } from '@jest/globals';
import { hex } from '../../src/machine/address.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { scenario } from '../helpers.js';
import { gdb } from '../live/gdb.js';
import { debianKernel } from './debian-kernel.js';

test('it breaks at start_kernel, reads linux_banner through its mapping, and finds its C-bit', async () => {
  const boot = new ExecutedBoot({
    scenario: scenario('firmware-syscfg', 'cmdline=console=ttyS0 nokaslr mem_encrypt=on'),
    image: debianKernel(),
    cipher: nodeCipher,
  });
  const startKernel = hex(boot.symbol('start_kernel'));
  const banner = hex(boot.symbol('linux_banner'));
  const { output, status, end } = await gdb(boot, [
    `x/s ${banner}`,
    `break *${startKernel}`,
    'continue',
    'printf "at %#lx\\n", $rip',
    'print/x $cr3',
    `x/s ${banner}`,
    'monitor cbit linux_banner',
    'monitor cbit sme_me_mask',
    'detach',
  ]);
  expect({ status, end }).toEqual({ status: 0, end: 'detached' });
  // Before the kernel has made its tables, its addresses are not mapped.
  expect(output).toContain(`Cannot access memory at address ${banner}`);
  expect(output).toContain(`at ${startKernel}\n`);
  expect(boot.executor.instructions).toBeGreaterThan(26_000);
  expect(output).toMatch(/^\$1 = 0x8000[0-9a-f]{8}$/m);
  expect(output).toMatch(new RegExp(`^${banner}:\\t"Linux version 6\\.1\\.`, 'm'));
  const [, walk = '', mask = ''] = output.split(/^0xffffffff[0-9a-f]+\n(?=PGD)/m);
  expect(walk).toMatch(/^PGD .*read with C=1 .*C=1 .*table/);
  expect(walk).toMatch(/^PMD .*C=1 .*leaf/m);
  expect(walk).toMatch(/^C=1 {3}4c 69 6e 75 78 20 .*\|Linux version 6.\|$/m);
  expect(walk).toMatch(/^DRAM {2}/m);
  expect(walk).not.toMatch(/^DRAM .*\|Linux/m);
  // Bit 47, little-endian.
  expect(mask).toMatch(/^C=1 {3}00 00 00 00 00 80 00 00 /m);
}, 600_000);
