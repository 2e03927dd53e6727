/** The loops of patch 09 over the 2 MiB pages of boot data. */
import { expect, test } from '@jest/globals';
import { PAGE_OFFSET } from '../../src/kernel/constants.js';
import type { Kernel } from '../../src/kernel/kernel.js';
import { va, type Va } from '../../src/machine/address.js';
import { link } from '../../src/series/link.js';
import { hunksOf } from '../../src/series/patches.js';

const MIB = 2 ** 20;
const hunks = [2, 3, 6, 7, 8, 9].flatMap((patch) => [...hunksOf(patch)]);
const { table } = link(hunks);
/** The linked body of a name, with a kernel that has only what the body calls. */
const call = (name: string, k: object, ...args: unknown[]): unknown =>
  Reflect.apply(table.get(name)?.body ?? (() => undefined), undefined, [k as Kernel, ...args]);

// The patch's do-while: the first step is made for any size, each further one if more than 2 MiB was left before it.
test.each([
  ['no byte', 0, 1],
  ['one byte', 1, 1],
  ['one byte less than 2 MiB', 2 * MIB - 1, 1],
  ['2 MiB', 2 * MIB, 1],
  ['one byte more than 2 MiB', 2 * MIB + 1, 2],
  ['4 MiB', 4 * MIB, 2],
  ['5 MiB', 5 * MIB, 3],
])('an area of %s takes steps of 2 MiB from its own address', (_what, size, count) => {
  const from = PAGE_OFFSET + 3 * MIB + 0x123;
  expect(call('create_unencrypted_mapping:steps', {}, va(from), size)).toEqual(
    Array.from({ length: count }, (_, i) => from + i * 2 * MIB),
  );
});

test('each 2 MiB page of an area is mapped without the mask before the copy, and unmapped after it', () => {
  const mask = 1n << 47n;
  const log: string[] = [];
  const at = (address: Va): string => `${(address - PAGE_OFFSET) / MIB} MiB`;
  const fn: Record<string, (...args: never[]) => unknown> = {
    sme_me_mask: () => mask,
    'early_make_pgtable:install': (address: Va, entry: bigint) =>
      log.push(`map ${at(address)} ${entry.toString(16)}`),
    __clear_mapping: (address: Va) => log.push(`unmap ${at(address)}`),
  };
  const k = {
    fn,
    sym: () => va(0),
    readU64: () => 0xe3n | mask,
    memcpy: (_to: Va, from: Va, size: number) => log.push(`copy ${at(from)} ${size}`),
  };
  const names = ['create_unencrypted_mapping:steps', 'create_unencrypted_mapping', 'clear_mapping'];
  for (const name of names) fn[name] = (...args) => call(name, k, ...args);
  call('sme_memcpy', k, va(0), va(PAGE_OFFSET + 3 * MIB), 2 * MIB + 1);
  // early_make_pgtable() takes the page's own address: bits below 2 MiB are cut off.
  expect(log).toEqual([
    ...['map 3 MiB 2000e3', 'map 5 MiB 4000e3'],
    `copy 3 MiB ${2 * MIB + 1}`,
    ...['unmap 3 MiB', 'unmap 5 MiB'],
  ]);
});

test('without a mask nothing is mapped or unmapped', () => {
  const k = { fn: { sme_me_mask: () => 0n } };
  expect(call('create_unencrypted_mapping', k, va(PAGE_OFFSET), 1)).toBeUndefined();
  expect(call('clear_mapping', k, va(PAGE_OFFSET), 1)).toBeUndefined();
});
