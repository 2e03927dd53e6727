/** Debian's unmodified cloud kernel, executed on the machine with SME on. Fetched by scripts/fetch-debian-kernel.mjs. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, pa, va } from '../../src/machine/address.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { scenario } from '../helpers.js';
import { machineDigest } from '../machine-digest.js';
import { debianKernel } from './debian-kernel.js';
import { debianImages } from './images.js';

const CMDLINE =
  'console=tty0 console=ttyS0 earlyprintk=serial,ttyS0,115200 nokaslr mem_encrypt=on lpj=4000000';
const image = debianKernel();

function executed(cmdline: string, ...settings: string[]): ExecutedBoot {
  return new ExecutedBoot({
    scenario: scenario('firmware-syscfg', `cmdline=${cmdline}`, ...settings),
    image,
    cipher: nodeCipher,
  });
}

/** Instructions retired at the entry of each function, in order; that of _printk by the image's version. */
const MILESTONES = [
  ['sme_enable', 70],
  ['sme_encrypt_kernel', 4221],
  ['x86_64_start_kernel', 26_074],
] as const;
const PRINTK: Readonly<Record<string, number>> = { '6.1.192-2': 32_651, '6.1.176-1': 32_654 };

describe('with SME on', () => {
  const boot = executed(CMDLINE);
  const banner = boot.symbol('linux_banner') - boot.symbol('_text') + boot.loaded.kernelAt;
  const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

  test.each(MILESTONES)('%s is entered after %i instructions', (name, instructions) => {
    expect(boot.runTo(name, 100_000)).toMatchObject({ kind: 'breakpoint' });
    expect(boot.executor.instructions).toBe(instructions);
  });

  test('_printk is entered after the number of instructions that is known of the version', () => {
    expect(boot.runTo('_printk', 100_000)).toMatchObject({ kind: 'breakpoint' });
    const { version } = debianImages().find(({ name }) => name === 'cloud') ?? {};
    const known = PRINTK[version ?? ''] ?? boot.executor.instructions;
    expect(boot.executor.instructions).toBe(known);
    expect(Math.abs(known - 32_651)).toBeLessThan(1000);
  });

  test('the kernel has encrypted itself: DRAM has ciphertext of linux_banner, C=1 reads it', () => {
    const { machine } = boot;
    expect(text(machine.dmaRead(pa(banner), 14, KEY_HOST))).toBe('Linux version ');
    expect(text(machine.dram.peek(pa(banner), 14))).not.toBe('Linux version ');
    const entry = machine.cpus[0].translate(va(boot.symbol('linux_banner')));
    expect(entry).toMatchObject({ pa: banner, key: KEY_HOST });
  });

  test('mem_encrypt_init says so on the serial console, and rest_init is reached', () => {
    expect(boot.runTo('mem_encrypt_init', 200e6)).toMatchObject({ kind: 'breakpoint' });
    // About 147 million on a machine without a local APIC, whose registers read ones.
    expect(boot.executor.instructions).toBeGreaterThan(140e6);
    expect(boot.executor.instructions).toBeLessThan(150e6);
    expect(boot.uart.text).toMatch(/Linux version 6\.1\.0-\d+-cloud-amd64/);
    expect(boot.uart.text).not.toContain('AMD SME');
    expect(boot.runTo('rest_init', 20e6)).toMatchObject({ kind: 'breakpoint' });
    expect(boot.uart.text).toContain('Memory Encryption Features active: AMD SME');
  }, 600_000);
});

test('with mem_encrypt=off the kernel does not encrypt itself: C=0 reads linux_banner', () => {
  const boot = executed(CMDLINE.replace('=on', '=off'));
  expect(boot.runTo('x86_64_start_kernel', 100_000)).toMatchObject({ kind: 'breakpoint' });
  const banner = boot.symbol('linux_banner') - boot.symbol('_text') + boot.loaded.kernelAt;
  const bytes = boot.machine.dmaRead(pa(banner), 5);
  expect(String.fromCharCode(...bytes)).toBe('Linux');
});

test('with SYSCFG not set by the firmware it boots without encryption', () => {
  const boot = executed(CMDLINE, 'firmware.syscfgMemEncrypt=false');
  expect(boot.runTo('_printk', 100_000)).toMatchObject({ kind: 'breakpoint' });
  expect(boot.machine.cpus[0].cr3 >> 47n).toBe(0n);
});

test('two boots are the same: registers, console and DRAM after the same instructions', () => {
  const state = (): unknown => {
    const boot = executed(CMDLINE);
    boot.run({ maxInstructions: 300_000 });
    const { core } = boot.executor;
    return [core.rip, ...core.r, core.flags.value, boot.uart.text, boot.machine.cpus[0].tlb.size];
  };
  expect(state()).toEqual(state());
});

test('a boot goes on from a snapshot to the same state: registers, time, console, memory and cache', () => {
  const state = (boot: ExecutedBoot): unknown => [
    boot.executor.snapshot().core,
    boot.uart.text,
    machineDigest(boot.machine),
  ];
  const whole = executed(CMDLINE);
  whole.run({ maxInstructions: 200_000 });
  const snapshot = structuredClone(whole.snapshot());
  whole.run({ maxInstructions: 200_000 });
  const restored = executed(CMDLINE);
  restored.restore(snapshot);
  expect(restored.executor.instructions).toBe(200_000);
  restored.run({ maxInstructions: 200_000 });
  expect(state(restored)).toEqual(state(whole));
});

test('memory that is encrypted at once, and not when it is read, makes no difference', () => {
  const state = (lazy: boolean): unknown => {
    const boot = new ExecutedBoot({
      scenario: scenario('firmware-syscfg', `cmdline=${CMDLINE}`),
      image,
      cipher: nodeCipher,
      lazy,
    });
    boot.run({ maxInstructions: 300_000 });
    return [boot.executor.snapshot().core, boot.uart.text, machineDigest(boot.machine)];
  };
  expect(state(false)).toEqual(state(true));
});
