import { beforeEach, describe, expect, test } from '@jest/globals';
import { readMemory, writeMemory } from '../../src/gdb/memory.js';
import { KEY_HOST, KEY_PLAIN, pa, va, type Va } from '../../src/machine/address.js';
import type { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { machineDigest } from '../machine-digest.js';
import { at, guest, SECRET } from './guest.js';

let boot: ExecutedBoot;
const secret = va(SECRET);
/** What the program stores, in memory. */
const STORED = Uint8Array.of(0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11);

const read = (from: Va, length: number): Uint8Array =>
  readMemory(boot.machine, boot.executor.cpu, from, length);
const write = (to: Va, ...bytes: number[]): boolean =>
  writeMemory(boot.machine, boot.executor.cpu, to, Uint8Array.from(bytes));
const runTo = (address: number): void => {
  boot.run({ breakpoints: new Set([address]), maxInstructions: 1000 });
};

beforeEach(() => {
  boot = guest();
});

describe('a read', () => {
  test('uses the key of the mapping in force', () => {
    runTo(at('finish'));
    expect(read(secret, 8)).toEqual(STORED);
    expect(boot.machine.cache.holds(pa(SECRET), KEY_HOST, true)).toBe(true);
    expect(boot.machine.dmaRead(pa(SECRET), 8)).not.toEqual(STORED);
  });

  test('changes nothing: neither tables nor TLB nor cache', () => {
    runTo(at('finish'));
    const before = machineDigest(boot.machine);
    read(secret, 4096);
    read(va(0x1900_0000), 16);
    read(va(-0x7f00_0000), 16);
    expect(machineDigest(boot.machine)).toEqual(before);
  });

  test('ends before a page that is not mapped, and before what is not canonical', () => {
    expect(read(va(-0x7f00_0000), 4)).toHaveLength(0);
    expect(read(va(2 ** 47 - 2), 4)).toHaveLength(0);
    expect(read(va(-1), 4)).toHaveLength(0);
    const { base, size } = boot.machine.config.ram.at(-1) ?? { base: 0, size: 0 };
    expect(read(va(base + size - 3), 8)).toHaveLength(3);
  });
});

describe('a write', () => {
  test('goes to memory under the key, and the CPU reads it', () => {
    runTo(at('finish'));
    expect(write(va(SECRET + 2), 1, 2)).toBe(true);
    expect([...read(secret, 8)]).toEqual([0x88, 0x77, 1, 2, 0x44, 0x33, 0x22, 0x11]);
    const out = new Uint8Array(8);
    expect(boot.executor.cpu.read(secret, out)).toBeNull();
    expect(out).toEqual(read(secret, 8));
    expect(boot.machine.dmaRead(pa(SECRET), 8, KEY_HOST)).toEqual(out);
    expect(boot.machine.dmaRead(pa(SECRET), 8, KEY_PLAIN)).not.toEqual(out);
  });

  test('of a range that is not mapped to its end writes nothing', () => {
    const { base, size } = boot.machine.config.ram.at(-1) ?? { base: 0, size: 0 };
    const last = va(base + size - 2);
    const before = read(last, 2);
    expect(write(last, 1, 2, 3)).toBe(false);
    expect(read(last, 2)).toEqual(before);
  });

  test('crosses pages', () => {
    expect(write(va(SECRET - 2), 1, 2, 3, 4)).toBe(true);
    expect([...read(va(SECRET - 2), 4)]).toEqual([1, 2, 3, 4]);
  });
});
