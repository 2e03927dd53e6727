import { beforeEach, describe, expect, test } from '@jest/globals';
import { FIX_BTMAPS_SLOTS, NR_FIX_BTMAPS } from '../../../src/kernel/constants.js';
import { alignDown, PAGE_SIZE, pa, va, type Va } from '../../../src/machine/address.js';
import { BootCheckpoint } from '../../kernel/at-label.js';

const checkpoint = new BootCheckpoint('setup_memory_map');
const { k } = checkpoint;
const MIB = 2 ** 20;
const MOST = NR_FIX_BTMAPS * PAGE_SIZE;

/** Physical address of a mapped one; undefined if a read faults. */
function physical(address: number): number | undefined {
  const found = k.cpu.translate(va(address));
  return 'vector' in found ? undefined : found.pa;
}
function mapped(phys: number | bigint, size: number): Va {
  const address = k.fn.early_memremap(phys, size);
  if (address === 0) throw new Error('not mapped');
  return address;
}

beforeEach(() => {
  checkpoint.restore();
});

describe('early_memremap', () => {
  test('maps the pages of a range, at the offset in the first, and none after them', () => {
    const address = mapped(40 * MIB + 0xff0, 0x20);
    expect(address - alignDown(address, PAGE_SIZE)).toBe(0xff0);
    expect([0, 0x0f, 0x10, 0x1f].map((at) => physical(address + at))).toEqual(
      [0, 0x0f, 0x10, 0x1f].map((at) => 40 * MIB + 0xff0 + at),
    );
    const first = alignDown(address, PAGE_SIZE);
    expect(physical(first + 2 * PAGE_SIZE)).toBeUndefined();
    expect(physical(first - 1)).toBeUndefined();
  });

  // __early_ioremap(): WARN_ON(!size || last_addr < phys_addr), nrpages > NR_FIX_BTMAPS.
  test.each([
    ['no byte', 40 * MIB, 0],
    ['a range beyond 2^64', 2n ** 64n - 8n, 9],
    ['one page more than a slot has', 40 * MIB, MOST + 1],
    ['a slot of pages from the middle of a page on', 40 * MIB + 1, MOST],
  ])('maps nothing for %s, and takes no slot', (_what, phys, size) => {
    expect(k.fn.early_memremap(phys, size)).toBe(0);
    expect(k.state.slots.every((slot) => slot === null)).toBe(true);
  });

  test('maps up to 2^64 and a whole slot', () => {
    expect(k.fn.early_memremap(2n ** 64n - 8n, 8)).not.toBe(0);
    const address = mapped(40 * MIB, MOST);
    expect(physical(address + MOST - 1)).toBe(40 * MIB + MOST - 1);
  });

  test('uses a slot for each mapping, and fails without a free one', () => {
    const addresses = Array.from({ length: FIX_BTMAPS_SLOTS }, (_, i) =>
      mapped((40 + i) * MIB, MOST),
    );
    expect(addresses.map(physical)).toEqual(addresses.map((_, i) => (40 + i) * MIB));
    expect(k.fn.early_memremap(80 * MIB, 1)).toBe(0);
    const [, second = va(0)] = addresses;
    k.fn.early_memunmap(second, MOST);
    expect(mapped(80 * MIB, 1)).toBe(second);
  });
});

describe('early_memunmap', () => {
  test('unmaps every page of the range and frees the slot', () => {
    const address = mapped(40 * MIB + 0xff0, PAGE_SIZE);
    k.fn.early_memunmap(address, PAGE_SIZE);
    expect([0, 0x10, PAGE_SIZE - 1].map((at) => physical(address + at))).toEqual([
      ...[undefined, undefined, undefined],
    ]);
    expect(k.state.slots.every((slot) => slot === null)).toBe(true);
  });

  test.each([
    ['size', 0, 1],
    ['address', 1, 0],
  ])('does nothing for another %s', (_what, shift, more) => {
    const address = mapped(40 * MIB, 64);
    k.fn.early_memunmap(va(address + shift), 64 + more);
    expect(physical(address)).toBe(40 * MIB);
  });
});

test('copy_from_early_mem copies more than a slot maps, from any offset, and nothing around it', () => {
  const length = MOST + 5;
  const from = 40 * MIB + 3;
  k.machine.dmaWrite(
    pa(from),
    Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 12)) & 0xff),
  );
  const target = k.__va(60 * MIB + 1);
  const around = (): Uint8Array[] => [
    k.readBytes(va(target - 1), 1),
    k.readBytes(va(target + length), 1),
  ];
  const before = around();
  k.fn.copy_from_early_mem(target, from, length);
  // Both are read through the direct map: what the early mapping has read is what that one reads.
  const direct = k.readBytes(k.__va(from), length);
  expect(Buffer.compare(k.readBytes(target, length), direct)).toBe(0);
  expect(around()).toEqual(before);
  expect(k.state.slots.every((slot) => slot === null)).toBe(true);
});
