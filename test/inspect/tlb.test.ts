import { describe, expect, test } from '@jest/globals';
import { tlbOf } from '../../src/inspect/tlb.js';
import { pa, PMD_SIZE, va } from '../../src/machine/address.js';
import { CR4 } from '../../src/machine/cpu/registers.js';
import { ZEN3 } from '../../src/machine/cpu/cpu-models.js';
import {
  C_BIT,
  LARGE,
  PMD,
  PTE,
  setEntry,
  SMALL,
  smallMachine,
  TABLE,
  touch,
} from './small-machine.js';

const M2 = PMD_SIZE;

/** All three pages in the TLB. */
function filled() {
  const m = smallMachine();
  for (const at of [2 * M2, M2, 0]) touch(m, at);
  return m;
}
const staleAt = (m: ReturnType<typeof smallMachine>, at: string) =>
  tlbOf(m, m.cpus[0]).find((row) => row.va === at)?.stale;

test('lists what the TLB holds by address, all as the page tables have it', () => {
  const m = filled();
  expect(tlbOf(m, m.cpus[0])).toEqual([
    // The MTRRs give the page several types: the TLB holds a part of it.
    { va: '0x0', bytes: 4096, page: M2, pa: '0x0', c: 0, type: 'WB', flags: 'RW|D' },
    { va: '0x200000', bytes: 4096, pa: '0x200000', c: 1, type: 'WB', flags: 'RW|D' },
    { va: '0x400000', bytes: M2, pa: '0x400000', c: 1, type: 'WB', flags: 'RW|D' },
  ]);
});

describe('a translation is stale where its entry was changed without a flush', () => {
  test.each([
    ['the C-bit', BigInt(M2) | SMALL, 'C=0'],
    ['the address', BigInt(3 * M2) | SMALL | C_BIT, '0x600000'],
    ['write permission', BigInt(M2) | (SMALL & ~2n) | C_BIT, 'D'],
    ['the dirty bit', BigInt(M2) | (SMALL & ~0x40n) | C_BIT, 'RW'],
    ['PCD and PWT', BigInt(M2) | SMALL | 0x18n | C_BIT, 'UC'],
    ['all of these', BigInt(3 * M2) | 0x39n, '0x600000, C=0, UC, no flags'],
    ['present', 0n, 'not-present, PTE entry 0x13000 read with C=0: 0x0'],
    [
      'a reserved bit',
      BigInt(M2) | SMALL | C_BIT | (1n << 48n),
      'reserved, PTE entry 0x13000 read with C=0: 0x1800000200163, reserved bits 48',
    ],
  ])('%s', (_name, entry, tables) => {
    const m = filled();
    setEntry(m, PTE, 0, entry);
    expect(staleAt(m, '0x200000')).toBe(tables);
    expect([staleAt(m, '0x0'), staleAt(m, '0x400000')]).toEqual([undefined, undefined]);
  });

  test('an entry that is rewritten with the same bits is not stale', () => {
    const m = filled();
    setEntry(m, PTE, 0, BigInt(M2) | SMALL | C_BIT);
    expect(staleAt(m, '0x200000')).toBeUndefined();
  });

  test('a dirty bit that only the tables have is no difference: a write walks again', () => {
    const m = smallMachine();
    setEntry(m, PTE, 0, BigInt(M2) | (SMALL & ~0x40n) | C_BIT);
    touch(m, M2);
    setEntry(m, PTE, 0, BigInt(M2) | SMALL | C_BIT);
    expect(tlbOf(m, m.cpus[0])).toMatchObject([{ flags: 'RW' }]);
    expect(staleAt(m, '0x200000')).toBeUndefined();
  });

  test('a large page that was split is compared page by page', () => {
    const m = filled();
    for (let i = 0; i < 512; i++) setEntry(m, PTE, i, BigInt(2 * M2 + i * 4096) | SMALL | C_BIT);
    setEntry(m, PMD, 2, BigInt(PTE) | TABLE);
    expect(staleAt(m, '0x400000')).toBe('a 4K page');
    setEntry(m, PTE, 511, BigInt(2 * M2 + 511 * 4096) | SMALL);
    expect(staleAt(m, '0x400000')).toBe('from 0x5ff000 on: a 4K page, C=0');
    setEntry(m, PTE, 2, 0n);
    expect(staleAt(m, '0x400000')).toMatch(/^from 0x402000 on: not-present, PTE entry 0x13010 /);
  });

  test('small pages over which a large one was put', () => {
    const m = filled();
    setEntry(m, PMD, 1, BigInt(M2) | LARGE | C_BIT);
    expect(staleAt(m, '0x200000')).toBe('a 2M page');
  });

  test('a global translation of tables that CR3 no longer points to', () => {
    const m = smallMachine();
    m.cpus[0].writeCr4(CR4.PAE | CR4.PGE);
    touch(m, M2);
    m.cpus[0].writeCr3(0x2_0000n);
    expect(tlbOf(m, m.cpus[0])).toMatchObject([{ flags: 'RW|D|G' }]);
    expect(staleAt(m, '0x200000')).toMatch(/^(not-present|reserved), PGD entry 0x20000 /);
  });
});

test('a CPU without paging has no translations', () => {
  const m = smallMachine(undefined, 2);
  const [, second] = m.cpus;
  expect(second === undefined ? undefined : tlbOf(m, second)).toEqual([]);
});

test.each([
  ['without', undefined],
  ['with HwEnfCacheCoh,', ZEN3],
])('the list changes neither TLB, cache nor memory, %s', (_name, model) => {
  const run = (listed: boolean) => {
    const m = smallMachine(model);
    for (const at of [0, M2, 2 * M2]) touch(m, at);
    // The tables are dirty in the cache, under the key of another mapping.
    m.cpus[0].storeU64(va(PTE), 0n);
    if (listed) tlbOf(m, m.cpus[0]);
    for (const at of [0, M2 + 0x1000, M2]) touch(m, at);
    const { tlb } = m.cpus[0];
    return {
      tlb: tlb.entries(),
      cache: m.cache.snapshot(),
      dram: m.dram.peek(pa(0), 0x20000),
    };
  };
  expect(run(true)).toEqual(run(false));
});
