import { describe, expect, test } from '@jest/globals';
import { identityGib, identityMapSize } from '../../src/firmware/identity-map.js';
import { va } from '../../src/machine/address.js';
import { boot, scenario } from '../helpers.js';

const GIB = 2 ** 30;

describe("the loader's identity map", () => {
  test('has the first 4 GiB, and each GiB of a kernel above them', () => {
    expect(identityGib(GIB, 2 * GIB)).toEqual([0, 1, 2, 3]);
    expect(identityGib(5 * GIB, 5 * GIB + 1)).toEqual([0, 1, 2, 3, 5]);
    expect(identityGib(5 * GIB, 6 * GIB + 1)).toEqual([0, 1, 2, 3, 5, 6]);
    expect(identityMapSize([0, 1, 2, 3, 5])).toBe(7 * 4096);
  });

  test('ends at 512 GiB', () => {
    expect(identityGib(511 * GIB, 512 * GIB)).toContain(511);
    expect(() => identityGib(511 * GIB, 512 * GIB + 1)).toThrow(/E_LAYOUT_ABOVE_512G/);
  });

  test('maps each address to itself', () => {
    const { machine } = boot({ scenario: scenario('kernel-above-4gib') });
    const reach = (address: number) => machine.cpus[0].translate(va(address));
    for (const at of [0, GIB, 4 * GIB - 1, 5 * GIB, 6 * GIB - 1]) {
      expect(reach(at)).toMatchObject({ pa: at, key: 0 });
    }
    expect(reach(4 * GIB)).toMatchObject({ error: 0, why: 'not-present' });
    expect(reach(6 * GIB)).toMatchObject({ error: 0, why: 'not-present' });
  });
});
