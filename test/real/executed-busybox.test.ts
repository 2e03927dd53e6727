/**
 * Debian's static busybox as a shell on an executed 6.1 kernel with SME on: fork, exec, pipes, timers and signals of a real user
 * space. Fetched by scripts/fetch-debian-kernel.mjs.
 */
import { expect, test } from '@jest/globals';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { scenario } from '../helpers.js';
import { busybox, debianKernel } from './debian-kernel.js';
import { directory, executable, ramDisk } from './user-space.js';

const SCRIPT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
echo "flags: $(/bin/busybox grep -o -w sme /proc/cpuinfo)"
/bin/busybox sleep 2
echo "slept until $(/bin/busybox date -u +%Y-%m-%d)"
/bin/busybox poweroff -f
`;
const MINUTES = 60_000;

test(
  'busybox as /init mounts proc and finds sme in /proc/cpuinfo',
  () => {
    const boot = new ExecutedBoot({
      scenario: scenario(
        'firmware-syscfg',
        'cmdline=console=ttyS0 mem_encrypt=on cryptomgr.notests',
      ),
      image: debianKernel(),
      initrd: ramDisk(
        directory('bin'),
        directory('proc'),
        executable('bin/busybox', busybox()),
        executable('init', SCRIPT),
      ),
      cipher: nodeCipher,
    });
    const end = boot.run({ maxInstructions: 900e6 });
    expect([end.kind, boot.uart.text]).toEqual(['halt', expect.stringContaining('System halted')]);
    expect(boot.uart.text).toContain('\nflags: sme\r\n');
    expect(boot.uart.text).toContain('\nslept until 2016-04-26\r\n');
    // Two seconds of virtual time, less the instructions of the ticks.
    expect(boot.executor.core.skipped).toBeGreaterThan(150e6);
  },
  15 * MINUTES,
);
