import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, pa } from '../../src/machine/address.js';
import { exposedBy, rangeText } from '../../src/inspect/exposed.js';
import { boot, scenario } from '../helpers.js';

const small = () => boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB') });

describe('the plaintext in DRAM', () => {
  test('has lines whose last write had no key, and none that a key has encrypted since', () => {
    const b = small();
    const at = pa(0x300_0000);
    const byLoader = () =>
      exposedBy(b).find(({ writer }) => writer === 'firmware, loader or hardware');
    const before = byLoader()?.bytes ?? 0;
    b.machine.dmaWrite(at, new Uint8Array(200));
    expect(byLoader()?.bytes).toBe(before + 256);
    expect(byLoader()?.ranges.map(rangeText)).toContain('0x3000000..0x30000ff');
    b.machine.dmaWrite(pa(at + 64), new Uint8Array(64), KEY_HOST);
    const ranges = byLoader()?.ranges.map(rangeText);
    expect(ranges).toEqual(
      expect.arrayContaining(['0x3000000..0x300003f', '0x3000080..0x30000ff']),
    );
  });

  test('after a boot names the functions that wrote it, most bytes first', () => {
    const b = small();
    b.run();
    const all = exposedBy(b);
    expect(all.map(({ writer }) => writer)).toContain('sme_early_mem_dec');
    const sizes = all.map(({ bytes }) => bytes);
    expect(sizes).toEqual([...sizes].sort((a, c) => c - a));
  });
});
