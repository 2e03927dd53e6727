import { describe, expect, test } from '@jest/globals';
import { va } from '../../src/machine/address.js';
import type { Kernel } from '../../src/kernel/kernel.js';
import { PROTECTION_MAP } from '../../src/linux/mm/mmap.js';
import { boot, patched } from '../helpers.js';

const C47 = 1n << 47n;

/** The kernel directly after a label. */
function at(label: string, stage: number): Kernel {
  const it = boot({ stage });
  it.runTo(label);
  return it.kernel;
}
/** The entries of protection_map, and one on either side. */
const entries = (k: Kernel): bigint[] =>
  Array.from({ length: 18 }, (_, i) => k.readU64(va(k.sym('protection_map') + (i - 1) * 8)));

describe('sme_early_init', () => {
  const k = at('copy_bootdata', 18);
  const plain = at('copy_bootdata', 17);

  test('puts the mask into each of the 16 protections, and into nothing around them', () => {
    const [before, ...map] = entries(k);
    const after = map.pop();
    expect(map).toEqual(PROTECTION_MAP.map((each) => each | C47));
    const without = entries(plain);
    expect([before, after]).toEqual([without[0], without[17]]);
    expect(without.slice(1, 17)).toEqual([...PROTECTION_MAP]);
  });

  // __supported_pte_mask has all bits from the start (arch/x86/mm/init_64.c): cleared here, so that the bit shows.
  test.each([
    [18, C47],
    [17, 0n],
  ])('at stage %i puts the mask %p into the supported bits', (stage, mask) => {
    const kernel = patched(stage === 18 ? k : plain);
    const supported = kernel.sym('__supported_pte_mask');
    kernel.writeU64(supported, 1n);
    kernel.fn.sme_early_init();
    expect(kernel.readU64(supported)).toBe(mask | 1n);
  });
});
