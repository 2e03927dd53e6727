/** What CPL 3 may do with flags, interrupts and I/O ports (APM vol. 2, 12.2.5; vol. 3). */
import { describe, expect, test } from '@jest/globals';
import { pa } from '../../src/machine/address.js';
import { CODE, STACK } from './program.js';
import { IF, KERNEL_STACK, Rings, TSS, USER_SS, words } from './rings.js';

const GP = 13;

/** At CPL 3, with these flags. The last instruction is a HLT, which is a #GP there. */
function atCpl3(code: string, flags = 2): Rings {
  const rings = new Rings(code);
  const cpu = rings.machine.cpus[0];
  cpu.cpl = 3;
  cpu.ss = USER_SS;
  rings.executor.core.flags.value = flags;
  return rings;
}
/** The instruction that raised the #GP in which the run ended, as its offset. */
function refusedAt(rings: Rings): number {
  expect(rings.run().kind).toBe('halt');
  expect(rings.exception).toBe(GP);
  return Number(rings.memory(KERNEL_STACK - 40, 1)[0]) - CODE;
}

test.each([
  ['CLI', 'fa', 1],
  ['STI', 'fb', 1],
  ['IN', 'e4 60', 2],
  ['OUT', 'e6 60', 2],
  ['OUTSB', '6e', 1],
])('%s is a #GP where CPL is above IOPL, and none with IOPL 3', (_name, code, length) => {
  expect(refusedAt(atCpl3(code))).toBe(0);
  const allowed = atCpl3(code, 0x3002);
  allowed.executor.core.setNumber(6, STACK - 0x1000);
  expect(refusedAt(allowed)).toBe(length);
});

describe('the I/O permission map of the TSS', () => {
  const MAP = 0x68;

  /** @param set ports whose bits are set. */
  function withMap(code: string, set: readonly number[], limit = MAP + 32): Rings {
    const rings = atCpl3(code);
    const map = new Uint8Array(64);
    for (const port of set) map[port >> 3] = (map[port >> 3] ?? 0) | (1 << (port & 7));
    rings.machine.dmaWrite(pa(TSS + 0x66), Uint8Array.of(MAP, 0));
    rings.machine.dmaWrite(pa(TSS + MAP), map);
    const cpu = rings.machine.cpus[0];
    cpu.tr = { ...cpu.tr, limit };
    return rings;
  }

  test.each([
    ['a port whose bit is clear', 'e4 60', [0x5f, 0x61], 2],
    ['a port whose bit is set', 'e4 60', [0x60], 0],
    ['two ports across a byte, both clear', '66 e5 67', [0x66, 0x69], 3],
    ['two ports across a byte, the second set', '66 e5 67', [0x68], 0],
  ])('decides on %s', (_name, code, set, at) => {
    expect(refusedAt(withMap(code, set))).toBe(at);
  });

  test('refuses ports whose bits are beyond the limit', () => {
    expect(refusedAt(withMap('e4 60', [], MAP + 0x0d))).toBe(2);
    expect(refusedAt(withMap('e4 60', [], MAP + 0x0c))).toBe(0);
  });
});

describe('POPFQ', () => {
  test.each([
    ['IOPL 0 changes neither IF nor IOPL', 2, 0x3000 | IF | 1, 1],
    ['IOPL 3 changes IF', 0x3002, IF, 0x3000 | IF],
  ])('at CPL 3 with %s', (_name, before, popped, after) => {
    const rings = atCpl3('9d', before);
    rings.machine.dmaWrite(pa(STACK), words(BigInt(popped)));
    refusedAt(rings);
    expect((rings.memory(KERNEL_STACK - 24, 1)[0] ?? 0n) & 0x3e01n).toBe(BigInt(after));
  });

  test.each([
    ['TF', 0x100],
    ['AC with CR0.AM', 0x4_0000],
  ])('that sets %s at CPL 3 is not modelled, the state as before it', (_name, popped) => {
    const rings = atCpl3('9d');
    const cpu = rings.machine.cpus[0];
    cpu.writeCr0((cpu.cr0 | 0x4_0000) >>> 0);
    rings.machine.dmaWrite(pa(STACK), words(BigInt(popped)));
    expect(rings.run()).toMatchObject({ kind: 'not-modelled', at: CODE });
    expect(rings.reg(4)).toBe(BigInt(STACK));
  });
});

test('RDTSC with CR4.TSD is a #GP at CPL 3', () => {
  const rings = atCpl3('0f 31');
  expect(refusedAt(atCpl3('0f 31'))).toBe(2);
  const cpu = rings.machine.cpus[0];
  cpu.writeCr4(cpu.cr4 | 4);
  expect(refusedAt(rings)).toBe(0);
});
