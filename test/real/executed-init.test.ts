/**
 * Debian's unmodified kernels, executed from the ELF's entry to a user-space /init and to its halt. Each boot takes a core
 * about a minute.
 */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readKernelImage, type KernelImage } from '../../src/firmware/image/kernel-image.js';
import { KEY_HOST, pa, va } from '../../src/machine/address.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { scenario } from '../helpers.js';
import { debianImages, fetchedOf } from './images.js';
import { executable, ramDisk, writeAndPowerOff } from './user-space.js';

const CMDLINE = 'console=ttyS0 mem_encrypt=on cryptomgr.notests';
const LINE = 'This line comes from CPL 3.';
/** More than a boot needs, in instructions, by the image. */
const MOST: Readonly<Record<string, number>> = {
  cloud: 600e6,
  'cloud-5.10': 500e6,
  'cloud-6.12': 1100e6,
  'cloud-next': 1500e6,
};
const MINUTES = 60_000;

function image(name: string): KernelImage {
  const found = debianImages().find((each) => each.name === name);
  if (found === undefined) throw new Error(`${name}: no such image was fetched`);
  return readKernelImage(new Uint8Array(readFileSync(found.vmlinuz)), { file: name });
}

/** Boots to the end. Its RAM disk has an /init that writes a line and powers off. */
function booted(name: string, cmdline = CMDLINE, ...settings: string[]): ExecutedBoot {
  const boot = new ExecutedBoot({
    scenario: scenario('firmware-syscfg', `cmdline=${cmdline}`, ...settings),
    image: image(name),
    initrd: ramDisk(executable('init', writeAndPowerOff(LINE))),
    cipher: nodeCipher,
  });
  const end = boot.run({ maxInstructions: MOST[name] ?? Infinity });
  expect([end.kind, boot.uart.text]).toEqual(['halt', expect.stringContaining('System halted')]);
  expect(boot.uart.text).toContain('Run /init as init process');
  expect(boot.uart.text).toContain(`\n${LINE}\r\n`);
  return boot;
}

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const BANNER = 'Linux version ';

/** The kernel's banner: as the kernel reads it, with C=1, with C=0, and in DRAM. */
function banner(boot: ExecutedBoot): Record<'kernel' | 'key' | 'c1' | 'c0' | 'dram', unknown> {
  const { machine } = boot;
  const at = boot.symbol('linux_banner');
  const entry = machine.cpus[0].translate(at);
  if (!('pa' in entry)) throw new Error(entry.why);
  const bytes = new Uint8Array(BANNER.length);
  expect(machine.cpus[0].read(va(at), bytes)).toBeNull();
  return {
    kernel: text(bytes),
    key: entry.key,
    c1: text(machine.dmaRead(pa(entry.pa), BANNER.length, KEY_HOST)),
    c0: text(machine.dmaRead(pa(entry.pa), BANNER.length)),
    dram: text(machine.dram.peek(pa(entry.pa), BANNER.length)),
  };
}

function isEncrypted(boot: ExecutedBoot): void {
  const found = banner(boot);
  expect(found).toMatchObject({ kernel: BANNER, key: KEY_HOST, c1: BANNER });
  expect(found.c0).not.toBe(BANNER);
  expect(found.dram).not.toBe(BANNER);
  // 5.10 has AMD at the beginning of the line.
  expect(boot.uart.text).toMatch(/Memory Encryption Features active: (?:AMD )?SME/);
}

function isPlain(boot: ExecutedBoot): void {
  expect(banner(boot)).toMatchObject({ kernel: BANNER, key: 0, c0: BANNER });
  expect(boot.uart.text).not.toContain('AMD SME');
}

describe('a 6.1 kernel reaches user space and its halt', () => {
  test(
    'with SME on, its banner in DRAM as ciphertext',
    () => {
      const boot = booted('cloud');
      isEncrypted(boot);
      const { instructions } = boot.executor;
      expect(instructions).toBeGreaterThan(440e6);
      expect(instructions).toBeLessThan(475e6);
      // The timer gave the ticks: no lpj= was given.
      expect(boot.uart.text).toContain('Fast TSC calibration using PIT');
      expect(boot.uart.text).toMatch(/rtc_cmos rtc_cmos: setting system clock to 2016-04-26T22:00/);
    },
    15 * MINUTES,
  );

  test(
    'with the C-bit at bit 51',
    () => {
      const boot = booted('cloud', CMDLINE, 'machine.sme.cBit=51', 'machine.sme.reduction=5');
      isEncrypted(boot);
      expect(boot.machine.cpus[0].cr3 >> 51n).toBe(1n);
    },
    15 * MINUTES,
  );

  test(
    'without encryption where the firmware has not set SYSCFG',
    () => isPlain(booted('cloud', CMDLINE, 'firmware.syscfgMemEncrypt=false')),
    15 * MINUTES,
  );

  test(
    'without encryption with mem_encrypt=off',
    () => isPlain(booted('cloud', CMDLINE.replace('=on', '=off'))),
    15 * MINUTES,
  );
});

// 6.12 and later: their payload is in ZSTD, and the decompressor's flag asks for encryption.
test.each(fetchedOf('cloud-5.10', 'cloud-6.12', 'cloud-next'))(
  'the kernel %s reaches user space with SME on',
  (name) => isEncrypted(booted(name)),
  20 * MINUTES,
);
