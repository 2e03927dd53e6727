/**
 * Debian's unmodified 6.1 kernel, executed with SME on, loads itself by kexec_file_load(2) and enters it: its own digest of the
 * new kernel, the code that copies it, the purgatory that computes the digest again, the decompressor, and the same kernel
 * with SME on once more. The cache holds all of it: what is not written back before would overwrite the new kernel.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { KEY_HOST, pa } from '../../src/machine/address.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { scenario } from '../helpers.js';
import { debianKernel } from './debian-kernel.js';
import { debianImages } from './images.js';
import { executable, kexecInto, ramDisk } from './user-space.js';

const CMDLINE = 'console=ttyS0 mem_encrypt=on';
/** Without ACPI: its decompressor would pass the RSDP, which this memory map gives no C=0. */
const SECOND = `${CMDLINE} earlyprintk=serial,ttyS0,115200 nokaslr acpi=off`;
const MINUTES = 60_000;

test(
  'a kernel with SME on enters another one by kexec, which turns SME on again',
  () => {
    const file = debianImages().find(({ name }) => name === 'cloud')?.vmlinuz ?? '';
    const boot = new ExecutedBoot({
      scenario: scenario(
        'firmware-syscfg',
        `cmdline=${CMDLINE} cryptomgr.notests`,
        'machine.cache.size=64MiB',
      ),
      image: debianKernel(),
      initrd: ramDisk(
        executable('init', kexecInto('/k', SECOND)),
        executable('k', readFileSync(file)),
      ),
      cipher: nodeCipher,
    });
    const { uart, names } = boot;
    const until = (text: string, most: number): void => {
      for (let i = 0; i < most && !uart.text.includes(text); i++) {
        expect(boot.run({ maxInstructions: 10e6 }).kind).toBe('limit');
      }
      expect(uart.text).toContain(text);
    };
    until('Run /init as init process', 60);
    expect(names.progress).toBe('running');
    until('kexec_core: Starting new kernel', 600);
    boot.run({ maxInstructions: 100e6 });
    // Purgatory.
    expect([names.progress, names.place]).toEqual(['left', null]);
    expect(() => boot.stopsAt('start_kernel')).not.toThrow();
    expect(names.codeAt(boot.executor.cpu.rip)).toBeUndefined();
    const snapshot = structuredClone(boot.snapshot());

    const first = uart.text.length;
    const second = (): string => uart.text.slice(first);
    until(`Command line: ${SECOND}`, 600);
    expect(second()).toContain("KASLR disabled: 'nokaslr' on cmdline.");
    // kexec_file_load() has taken the highest place that is free.
    expect(names.progress).toBe('running');
    expect(names.place?.offset).toBe(0);
    expect(names.place?.kernelAt).toBeGreaterThan(0x4000_0000);
    for (let i = 0; i < 100 && !second().includes('Memory Encryption Features'); i++) {
      boot.run({ maxInstructions: 10e6 });
    }
    expect(second()).toContain('Memory Encryption Features active: AMD SME');
    expect(second()).not.toMatch(/BUG:|WARNING: CPU|Oops|Kernel panic/);
    const at = pa(names.addressesOf('linux_banner')[1]);
    const banner = (...key: [typeof KEY_HOST?]): string =>
      Buffer.from(boot.machine.dmaRead(at, 13, ...key)).toString('latin1');
    expect(banner()).not.toBe('Linux version');
    expect(banner(KEY_HOST)).toBe('Linux version');

    boot.restore(snapshot);
    expect([names.progress, names.place, boot.kernelPlaced]).toEqual(['left', null, false]);
  },
  15 * MINUTES,
);
