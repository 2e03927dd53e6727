/** A machine of 16 MiB whose CPUs map virtual addresses from 0 on, for tests of reports. */
import { pa, PMD_SIZE, va } from '../../src/machine/address.js';
import { ZEN1 } from '../../src/machine/cpu/cpu-models.js';
import type { CpuModel } from '../../src/machine/cpu/cpuid.js';
import { Machine } from '../../src/machine/machine.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { nodeCipher } from '../../src/node/node-cipher.js';

export const RAM = 16 * 2 ** 20;
/** Physical addresses of the tables: PGD, PUD, PMD, and the PTEs of the second 2 MiB. */
export const [PGD, PUD, PMD, PTE] = [0x1_0000, 0x1_1000, 0x1_2000, 0x1_3000] as const;
export const C_BIT = 1n << 47n;
/** P, RW, A: a table. P, RW, A, D and PS: a large page. P, RW, A, D, G: a small page. */
export const [TABLE, LARGE, SMALL] = [0x23n, 0xe3n, 0x163n] as const;

/** Writes an entry of a table in memory, whatever the TLBs hold. */
export function setEntry(machine: Machine, table: number, index: number, value: bigint): void {
  const bytes = new Uint8Array(BigUint64Array.of(value).buffer);
  machine.dmaWrite(pa(table + index * 8), bytes);
}

/**
 * The first CPU maps [0, 2 MiB) as one page without and [4 MiB, 6 MiB) as one page with the C-bit, the first two pages from
 * 2 MiB on as small pages, with and without it; each to the same physical address. The others are in reset.
 */
export function smallMachine(model: CpuModel = ZEN1, cpus = 1): Machine {
  const m = new Machine({
    model,
    cpus,
    ram: [{ base: 0, size: RAM }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 32 * 1024, ways: 8 },
    engine: { mode: 'XEX', seed: 'small', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: true,
  });
  m.dmaWrite(pa(PGD), new Uint8Array(4 * 4096));
  const c = model.sme === undefined ? 0n : 1n << BigInt(model.sme.cBit);
  setEntry(m, PGD, 0, BigInt(PUD) | TABLE);
  setEntry(m, PUD, 0, BigInt(PMD) | TABLE);
  setEntry(m, PMD, 0, LARGE);
  setEntry(m, PMD, 1, BigInt(PTE) | TABLE);
  setEntry(m, PMD, 2, BigInt(2 * PMD_SIZE) | LARGE | c);
  setEntry(m, PTE, 0, BigInt(PMD_SIZE) | SMALL | c);
  setEntry(m, PTE, 1, BigInt(PMD_SIZE + 0x1000) | SMALL);
  m.cpus[0].enterLongMode(BigInt(PGD));
  return m;
}

/** Reads a byte, so that the TLB and the cache hold what it needs. */
export const touch = (machine: Machine, at: number): void => {
  machine.cpus[0].read(va(at), new Uint8Array(1));
};
