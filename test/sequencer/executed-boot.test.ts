import { describe, expect, test } from '@jest/globals';
import type { KernelImage } from '../../src/firmware/image/kernel-image.js';
import { SymbolTable } from '../../src/firmware/image/symbols.js';
import { pa } from '../../src/machine/address.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { scenario } from '../helpers.js';

const TEXT = -0x7f00_0000;
const ENTRY = 0x100_0000;
/** mov edx, 0x3f8; mov al, 'o'; out dx, al; at put_k: mov al, 'k'; out dx, al; hlt */
const CODE = Buffer.from('baf8030000b06feeb06beef4', 'hex');
const PUT_K = 8;
const XLOADFLAGS = 0x9_0236;

/** An image of a few instructions. */
function image(version = 'Linux version 6.1.0'): KernelImage {
  const symbols = new SymbolTable([
    { name: '_text', address: TEXT, type: 'T' },
    { name: 'put_k', address: TEXT + PUT_K, type: 'T' },
  ]);
  const bytes = new Uint8Array(0x1000);
  bytes.set(CODE);
  const segment = { vaddr: TEXT, paddr: ENTRY, bytes, memsz: bytes.length };
  return {
    kind: 'vmlinux',
    file: 'test',
    digest: '',
    version,
    segments: [segment],
    entry: ENTRY,
    symbols,
  } as KernelImage;
}

function executed(cmdline: string, version?: string): ExecutedBoot {
  const made = scenario('firmware-syscfg', `cmdline=${cmdline}`);
  return new ExecutedBoot({ scenario: made, image: image(version), cipher: nodeCipher });
}

test('an image runs from its entry, with the zero page in RSI, and writes to the console', () => {
  const boot = executed('quiet');
  expect(boot.executor.core.unsigned(6)).toBe(0x9_0000);
  expect(boot.run()).toEqual({ kind: 'halt', at: ENTRY + CODE.length });
  expect(boot.uart.text).toBe('ok');
});

test('a function is reached under its physical address too', () => {
  const boot = executed('quiet');
  expect(boot.runTo('put_k')).toEqual({ kind: 'breakpoint', at: ENTRY + PUT_K });
  expect(boot.uart.text).toBe('o');
  expect(() => boot.runTo('absent')).toThrow('the image has no such function');
});

test('a boot goes on from a snapshot, with console and devices', () => {
  const whole = executed('quiet');
  whole.runTo('put_k');
  const restored = executed('quiet');
  restored.restore(structuredClone(whole.snapshot()));
  expect([restored.uart.text, restored.executor.instructions]).toEqual(['o', 3]);
  expect(restored.run()).toEqual(whole.run());
  expect([restored.uart.text, restored.snapshot().executor.core]).toEqual([
    'ok',
    whole.snapshot().executor.core,
  ]);
});

test('the interrupt of the serial port reaches the 8259A', () => {
  const { devices } = executed('quiet');
  devices.uart.portOut(0x3fc, 0x08, 1);
  devices.uart.portOut(0x3f9, 0x02, 1);
  expect(devices.pic.latched(4)).toBe(true);
});

test('a machine with one CPU has the APICs that CPUID and the MADT name', () => {
  const { devices, machine } = executed('quiet');
  expect(machine.cpus).toHaveLength(1);
  expect(devices.apic?.units).toHaveLength(1);
  expect(devices.ioApic).not.toBeNull();
});

describe('bit 7 of xloadflags', () => {
  const flag = (cmdline: string, version: string): number =>
    (executed(cmdline, version).machine.dmaRead(pa(XLOADFLAGS), 1)[0] ?? 0) >> 7;

  test.each([
    ['is set for mem_encrypt=on since 6.9', 'a mem_encrypt=on b', 'Linux version 6.9.0', 1],
    ['is set for 6.12', 'mem_encrypt=on', 'Linux version 6.12.117', 1],
    ['is clear before 6.9', 'mem_encrypt=on', 'Linux version 6.8.12', 0],
    ['is clear without the option', 'quiet', 'Linux version 6.12.117', 0],
    ['is clear for a longer word', 'xmem_encrypt=on', 'Linux version 6.12.117', 0],
    ['is clear for off after on', 'mem_encrypt=on mem_encrypt=off', 'Linux version 6.12.117', 0],
    ['is set for on after off', 'mem_encrypt=off mem_encrypt=on', 'Linux version 6.12.117', 1],
  ] as const)('%s', (_name, cmdline, version, value) => {
    expect(flag(cmdline, version)).toBe(value);
  });
});
