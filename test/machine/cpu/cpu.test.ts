/** Fills and flushes of long ranges compared with the same operations in parts. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, pa, va } from '../../../src/machine/address.js';
import { ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import { Machine } from '../../../src/machine/machine.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { firstOf } from '../../cases.js';
import { sha256 } from '../../sha256.js';

const MIB = 2 ** 20;
const PGD = 0x1_0000;
const TABLE = 0x63n;
const LARGE = 0xe3n;
const C_BIT = 1n << 47n;
const RAM = 16 * MIB;

/** VA 0…8 MiB by pages of 2 MiB, the third of them not present, the second with the C-bit. */
function machine(watched: boolean): Machine {
  const m = new Machine({
    model: ZEN1,
    cpus: 1,
    ram: [{ base: 0, size: RAM }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 32 * 1024, ways: 8 },
    engine: { mode: 'XEX', seed: 'cpu', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: true,
  });
  const words = new BigUint64Array(3 * 512);
  words[0] = BigInt(PGD + 0x1000) | TABLE;
  words[512] = BigInt(PGD + 0x2000) | TABLE;
  words[1024] = LARGE;
  words[1025] = BigInt(2 * MIB) | LARGE | C_BIT;
  words[1027] = BigInt(6 * MIB) | LARGE;
  m.dmaWrite(pa(PGD), new Uint8Array(words.buffer));
  m.cpus[0].enterLongMode(BigInt(PGD));
  if (watched) m.probes.filled.listen(() => undefined);
  return m;
}

/** Contents of memory before and after the cache is written back. */
const memoryOf = (m: Machine): string[] => {
  const before = sha256(m.dram.peek(pa(0), RAM));
  const keyed = sha256(m.dmaRead(pa(2 * MIB), 2 * MIB, KEY_HOST));
  m.cpus[0].wbinvd();
  return [before, keyed, sha256(m.dram.peek(pa(0), RAM))];
};

describe('REP STOSB', () => {
  test.each(
    firstOf(3, [
      ['within a large page', 3 * MIB, MIB],
      ['from one key to another', MIB, 2 * MIB],
      ['with ends in the middle of lines', 3 * MIB + 13, 100_001],
      ['just below what drives all else out of the cache', 3 * MIB, 64 * 1024 - 64],
      ['of just what does', 3 * MIB, 64 * 1024],
    ]),
  )('%s has the effect of single writes', (_name, at, length) => {
    const [fast, slow] = [false, true].map((watched) => {
      const m = machine(watched);
      m.cpus[0].write(va(2 * MIB + 5), Uint8Array.of(1, 2, 3));
      m.cpus[0].write(va(7 * MIB), new Uint8Array(5000).fill(9));
      expect(m.cpus[0].fill(va(at), 0xa5, length)).toBeNull();
      expect(m.cpus[0].progress).toBe(length);
      return memoryOf(m);
    });
    expect(fast).toEqual(slow);
  });

  test('faults at a page that is not present, with its progress', () => {
    const [fast, slow] = [false, true].map((watched) => {
      const m = machine(watched);
      const fault = m.cpus[0].fill(va(3 * MIB), 7, 2 * MIB);
      expect(fault).toMatchObject({ address: 4 * MIB, error: 2 });
      expect(m.cpus[0].progress).toBe(MIB);
      return memoryOf(m);
    });
    expect(fast).toEqual(slow);
  });
});

describe('CLFLUSH of a range', () => {
  test.each([
    [0x100, 64, 0x1ff],
    [0x13f, 2, 0x100],
    [2 * MIB - 64, 128, 64],
  ])('at %p of %p bytes flushes each line that it touches, and no other', (at, length, more) => {
    const made = [false, true].map((whole) => {
      const m = machine(false);
      m.cpus[0].fill(va(at - 128), 5, length + more);
      if (whole) expect(m.cpus[0].clflushRange(va(at), length)).toBeNull();
      else
        for (let line = at - (at % 64); line < at + length; line += 64) m.cpus[0].clflush(va(line));
      return [m.cache.lines, sha256(m.dram.peek(pa(0), RAM))];
    });
    expect(made[0]).toEqual(made[1]);
  });

  test('faults at an unmapped page', () => {
    const fault = machine(false).cpus[0].clflushRange(va(4 * MIB - 64), 128);
    expect(fault).toMatchObject({ address: 4 * MIB });
  });
});
