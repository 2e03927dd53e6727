/** The early page tables of Debian's 6.1, executed with SME on, beside those that the model makes of the same image. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, pa, PAGE_SIZE, PMD_SIZE } from '../../src/machine/address.js';
import type { Machine } from '../../src/machine/machine.js';
import { readUnder } from '../../src/machine/quiet.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { boot, scenario } from '../helpers.js';
import { debianKernel } from './debian-kernel.js';

const SCENARIO = scenario('firmware-syscfg');
const LABEL = 'x86_64_start_kernel';
const C_BIT = 1n << 47n;
const PRESENT = 1n;

const image = debianKernel();
const executed = new ExecutedBoot({ scenario: SCENARIO, image, cipher: nodeCipher });
const end = executed.runTo(LABEL, 100_000);
const model = boot({ scenario: SCENARIO, image });
while (model.ahead[0] !== LABEL && model.step());

const { kernelAt } = executed.loaded;
const physical = (link: number): number => link - executed.symbol('_text') + kernelAt;

/** Tables by the names of 6.1: the pages of each machine, which differ where the model has its own in the overlay. */
const TABLES = {
  early_top_pgt: pages('early_top_pgt', 'early_level4_pgt'),
  identity_pud: pages('early_dynamic_pgts', 'early_dynamic_pgts'),
  identity_pmd: pages('early_dynamic_pgts', 'early_dynamic_pgts', PAGE_SIZE),
  level3_kernel_pgt: pages('level3_kernel_pgt'),
  level2_kernel_pgt: pages('level2_kernel_pgt'),
  level2_fixmap_pgt: pages('level2_fixmap_pgt'),
  level1_fixmap_pgt: pages('level1_fixmap_pgt'),
} as const;
type Table = keyof typeof TABLES;

function pages(name: string, ofModel = name, offset = 0): { image: number; model: number } {
  return {
    image: physical(executed.symbol(name)) + offset,
    model: physical(model.program.link(ofModel)) + offset,
  };
}

function entriesOf(machine: Machine, table: number): bigint[] {
  const { buffer } = readUnder(machine, pa(table), PAGE_SIZE, KEY_HOST);
  return [...new BigUint64Array(buffer)];
}
const entries = (table: Table): { image: bigint[]; model: bigint[] } => ({
  image: entriesOf(executed.machine, TABLES[table].image),
  model: entriesOf(model.machine, TABLES[table].model),
});

/** Present entries of a table, with the address of another table as its name. */
function pointers(table: Table, side: 'image' | 'model'): Record<number, string> {
  const found: Record<number, string> = {};
  for (const [index, entry] of entries(table)[side].entries()) {
    if ((entry & PRESENT) === 0n) continue;
    const at = Number(entry & 0x7fff_ffff_f000n);
    const name = Object.entries(TABLES).find(([, page]) => page[side] === at)?.[0];
    const flags = entry & (0xfffn | C_BIT);
    found[index] = `${name ?? at.toString(16)} ${flags.toString(16)}`;
  }
  return found;
}

/** Indices of the 2 MiB entries that map the kernel, from _text to the last byte before _end. */
const FIRST = kernelAt / PMD_SIZE;
const LAST = Math.floor((physical(executed.symbol('_end')) - 1) / PMD_SIZE);
const inKernel = (list: readonly bigint[]): bigint[] => list.slice(FIRST, LAST + 1);

test('the kernel has encrypted itself and is at x86_64_start_kernel, as the model is', () => {
  expect(end).toMatchObject({ kind: 'breakpoint' });
  expect(model.ahead[0]).toBe(LABEL);
  const { image: top, model: topOfModel } = TABLES.early_top_pgt;
  expect(executed.machine.cpus[0].cr3).toBe(BigInt(top) | C_BIT);
  expect(model.machine.cpus[0].cr3).toBe(BigInt(topOfModel) | C_BIT);
});

describe('the entries of the early page tables are equal: flags, C-bit, and the table or page', () => {
  test.each(['early_top_pgt', 'identity_pud', 'identity_pmd', 'level3_kernel_pgt'] as const)(
    'all of %s',
    (table) => {
      const found = pointers(table, 'image');
      expect(found).toEqual(pointers(table, 'model'));
      expect(Object.keys(found).length).toBeGreaterThan(1);
    },
  );

  test('those of early_top_pgt lead to the identity map and the kernel mapping, with C=1', () => {
    expect(pointers('early_top_pgt', 'image')).toEqual({
      0: 'identity_pud 800000000063',
      1: 'identity_pud 800000000063',
      511: 'level3_kernel_pgt 800000000067',
    });
  });

  test('those of level2_kernel_pgt that map the kernel, but for the shared part of .bss', () => {
    const { image: found, model: expected } = entries('level2_kernel_pgt');
    // sme_postprocess_startup() (arch/x86/kernel/head64.c) takes the mask from .bss..decrypted.
    const shared = (at: number): boolean =>
      at >= physical(executed.symbol('__start_bss_decrypted')) &&
      at < physical(executed.symbol('__end_bss_decrypted'));
    const kept = expected.map((entry, index) =>
      shared(index * PMD_SIZE) ? entry & ~C_BIT : entry,
    );
    expect(inKernel(found)).toEqual(inKernel(kept));
    expect(kept.filter((entry, index) => entry !== expected[index])).toHaveLength(1);
  });

  test('that of level2_fixmap_pgt which the model has, and level1_fixmap_pgt, which is empty', () => {
    const { image: found, model: expected } = entries('level2_fixmap_pgt');
    expect(found[506]).toBe(expected[506]);
    expect(expected.filter((entry) => entry !== 0n)).toHaveLength(1);
    const { image: fixmap, model: fixmapOfModel } = entries('level1_fixmap_pgt');
    expect(fixmap).toEqual(fixmapOfModel);
  });
});

describe('6.1 differs from the base of 2016 where later kernels were changed', () => {
  test('level2_kernel_pgt: entries outside of the kernel are not present', () => {
    const { image: found, model: expected } = entries('level2_kernel_pgt');
    const outside = (list: readonly bigint[]): bigint[] => [
      ...list.slice(0, FIRST),
      ...list.slice(LAST + 1, 256),
    ];
    expect(outside(found).filter((entry) => (entry & PRESENT) !== 0n)).toEqual([]);
    expect(outside(expected).filter((entry) => (entry & PRESENT) === 0n)).toEqual([]);
  });

  test('level2_fixmap_pgt: a second table of fixmap entries', () => {
    const { image: found, model: expected } = entries('level2_fixmap_pgt');
    expect([found[507] !== 0n, expected[507]]).toEqual([true, 0n]);
  });
});
