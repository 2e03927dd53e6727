import { describe, expect, test } from '@jest/globals';
import { pa, va } from '../../../src/machine/address.js';
import { deserialize, serialize } from '../../../src/machine/codec.js';
import { ACTIVITY } from '../../../src/machine/cpu/cpu-core.js';
import { CODE_SEGMENT, codeAddress, modeOf } from '../../../src/machine/cpu/cpu-modes.js';
import { ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import type { Cpu } from '../../../src/machine/cpu/cpu.js';
import { Machine, type MachineSnapshot } from '../../../src/machine/machine.js';
import { MSR } from '../../../src/machine/cpu/msr.js';
import { CR0, CR4, EFER } from '../../../src/machine/cpu/registers.js';
import { MEMTYPE, VECTOR } from '../../../src/machine/types.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';

const PGD = 0x1_0000;

function machine(): { m: Machine; bsp: Cpu; ap: Cpu } {
  const m = new Machine({
    model: ZEN1,
    cpus: 2,
    ram: [{ base: 0, size: 0x400_0000 }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 32 * 1024, ways: 8 },
    engine: { mode: 'XEX', seed: 'modes', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: true,
  });
  const ap = m.cpus[1];
  if (ap === undefined) throw new Error('no second CPU');
  return { m, bsp: m.cpus[0], ap };
}

/** A CPU in protected mode with a PGD that maps the first GiB one to one. */
function protectedMode(m: Machine, ap: Cpu): void {
  const tables = new BigUint64Array(2 * 512);
  tables[0] = BigInt(PGD + 4096) | 0x63n;
  tables[512] = 0x1e3n;
  m.dmaWrite(pa(PGD), new Uint8Array(tables.buffer));
  ap.init();
  ap.startup(1);
  ap.writeCr0(CR0.PE);
}

describe('the operating mode', () => {
  test.each([
    [false, false, false, 'real'],
    [true, false, false, 'protected'],
    [true, false, true, 'protected'],
    [true, true, false, 'compatibility'],
    [true, true, true, '64-bit'],
  ] as const)('follows CR0.PE %p, EFER.LMA %p and CS.L %p: %s', (pe, lma, long, mode) => {
    expect(modeOf(pe, lma, long)).toBe(mode);
  });

  test.each([
    ['real', 0x9a000, 0xffff, 0xa9fff],
    ['real', 0x9a000, 0x1_0000, 0x9a000],
    ['protected', 0x9a000, 0x10, 0x9a010],
    ['protected', 0xffff_0000, 0xfff0, 0xffff_fff0],
    ['compatibility', 0xffff_0000, 0x1_0000, 0],
    ['64-bit', 0x9a000, 0x10, 0x10],
  ] as const)('in %s mode gives base %p and RIP %p the linear address %p', (mode, base, ip, at) => {
    expect(codeAddress(mode, base, va(ip))).toBe(at);
  });
});

describe('INIT', () => {
  test('sets the registers of APM table 14-1', () => {
    const { ap } = machine();
    ap.enterLongMode(0x1000n);
    ap.rsp = va(0x8000);
    ap.setGeneral('r9', va(9));
    ap.lidt(va(0x5000), 4095);
    ap.init();
    expect([ap.cr0, ap.cr2, ap.cr3, ap.cr4]).toEqual([0x10, 0n, 0n, 0]);
    expect([ap.rip, ap.cs, ap.csBase, ap.rflags]).toEqual([0xfff0, 0xf000, 0xffff_0000, 2]);
    expect([ap.rsp, ap.r9, ap.rax, ap.ss]).toEqual([0, 0, 0, 0]);
    expect(ap.rdx).toBe(ap.cpuid(1).eax);
    expect([ap.knows('rdx'), ap.knows('r9')]).toEqual([true, false]);
    expect(ap.idtr).toEqual({ base: 0, limit: 0xffff });
    expect(ap.gdtr).toEqual({ base: 0, limit: 0xffff });
    expect(ap.rdmsr(MSR.EFER)).toBe(0n);
    expect(ap.mode).toBe('real');
    expect(ap.codeAddress).toBe(0xffff_fff0);
  });

  test.each([
    [0, 0x10],
    [CR0.CD, CR0.CD + 0x10],
    [CR0.CD + CR0.NW, CR0.CD + CR0.NW + 0x10],
  ])('preserves CR0.CD and NW: %p becomes %p', (before, after) => {
    const { ap } = machine();
    ap.writeCr0(before);
    ap.init();
    expect(ap.cr0).toBe(after);
  });

  test('changes no MSR but EFER', () => {
    const { ap } = machine();
    ap.wrmsr(MSR.EFER, BigInt(EFER.LME | EFER.SCE));
    ap.wrmsr(MSR.PAT, 0x0007_0406_0007_0106n);
    ap.wrmsr(MSR.GS_BASE, 0x1234n);
    const before = ap.msrs.entries().filter(([name]) => name !== 'EFER');
    ap.init();
    expect(ap.msrs.entries().filter(([name]) => name !== 'EFER')).toEqual(before);
    expect(ap.encryption).toBe(true);
  });

  test('flushes the TLB and not the cache', () => {
    const { m, ap } = machine();
    ap.storeU8(va(0x2000), 7);
    const { dirty } = m.cache.lines;
    expect(dirty).toBeGreaterThan(0);
    m.cpus[0].enterLongMode(BigInt(PGD));
    ap.init();
    expect(ap.tlb.entries()).toEqual([]);
    expect(m.cache.lines.dirty).toBe(dirty);
  });

  test('starts the boot processor at the reset vector; others wait for a STARTUP IPI', () => {
    const { bsp, ap } = machine();
    bsp.init();
    ap.init();
    expect([bsp.activity, ap.activity]).toEqual([ACTIVITY.running, ACTIVITY.waitForSipi]);
  });
});

describe('a STARTUP IPI', () => {
  test.each([0, 1, 0x9a, 0xff])('with vector %p starts at vector · 4096 in real mode', (vector) => {
    const { ap } = machine();
    ap.init();
    ap.startup(vector);
    expect(ap.activity).toBe(ACTIVITY.running);
    expect([ap.cs, ap.rip, ap.codeAddress]).toEqual([vector * 256, 0, vector * 4096]);
    expect(ap.mode).toBe('real');
  });

  test('is ignored by a processor that is already running', () => {
    const { ap } = machine();
    ap.startup(0x10);
    ap.startup(0x20);
    expect(ap.codeAddress).toBe(0x10 * 4096);
  });

  test('does not end a shutdown; INIT does', () => {
    const { ap } = machine();
    ap.startup(0x10);
    ap.shutdown();
    ap.startup(0x20);
    expect(ap.activity).toBe(ACTIVITY.shutdown);
    ap.init();
    ap.startup(0x20);
    expect(ap.activity).toBe(ACTIVITY.running);
  });

  test('is part of a snapshot', () => {
    const { m, ap } = machine();
    ap.init();
    ap.startup(0x9a);
    const snapshot = deserialize(serialize(m.snapshot())) as MachineSnapshot;
    const other = machine();
    other.m.restore(snapshot);
    expect(other.ap.codeAddress).toBe(0x9a000);
    expect(other.ap.activity).toBe(ACTIVITY.running);
    expect(other.ap.mode).toBe('real');
  });
});

describe('real mode', () => {
  test('reads memory without encryption, whatever SYSCFG[23]', () => {
    const { m, ap } = machine();
    m.dmaWrite(pa(0x9a000), Uint8Array.of(1, 2, 3, 4));
    ap.startup(0x9a);
    expect(ap.encryption).toBe(true);
    expect(ap.loadU32(ap.codeAddress)).toBe(0x0403_0201);
  });

  test('delivers a fault through the interrupt-vector table', () => {
    const { m, ap } = machine();
    m.dmaWrite(pa(VECTOR.UD * 4), Uint8Array.of(0x34, 0x12, 0x00, 0x80));
    ap.init();
    ap.startup(0x9a);
    ap.rsp = va(0x1000);
    const delivery = ap.deliver({ vector: VECTOR.UD, error: 0, why: 'test' });
    expect(delivery).toMatchObject({ handler: 0x8_1234 });
    expect([ap.cs, ap.rip, ap.rsp]).toEqual([0x8000, 0x1234, 0x1000 - 6]);
    // IP, CS, FLAGS from the top of the stack on.
    expect([ap.loadU16(va(0xffa)), ap.loadU16(va(0xffc))]).toEqual([0, 0x9a00]);
  });

  test.each([
    [VECTOR.UD * 4 + 2, ACTIVITY.shutdown],
    [VECTOR.UD * 4 + 3, ACTIVITY.running],
  ])('with an IDTR limit of %p, #UD leaves activity %p', (limit, activity) => {
    const { ap } = machine();
    ap.startup(0x9a);
    ap.lidt(va(0), limit);
    ap.deliver({ vector: VECTOR.UD, error: 0, why: 'test' });
    expect(ap.activity).toBe(activity);
  });
});

describe('the switch to long mode', () => {
  test('a CR3 move outside 64-bit mode carries 32 bits: the C-bit is lost', () => {
    const { m, ap } = machine();
    protectedMode(m, ap);
    ap.writeCr3(BigInt(PGD) | (1n << 47n));
    expect(ap.cr3).toBe(BigInt(PGD));
  });

  test('CR0.PG with EFER.LME and without CR4.PAE is a #GP, and nothing changes', () => {
    const { m, ap } = machine();
    protectedMode(m, ap);
    ap.wrmsr(MSR.EFER, BigInt(EFER.LME));
    expect(ap.writeCr0(CR0.PE + CR0.PG)).toMatchObject({ vector: VECTOR.GP });
    expect([ap.cr0, ap.mode]).toEqual([CR0.PE + CR0.ET, 'protected']);
  });

  test('CR0.PG enters compatibility mode, a far jump 64-bit mode; 64-bit mode may not leave paging', () => {
    const { m, ap } = machine();
    const gdt = new BigUint64Array([0n, 0x00cf_9b00_0000_ffffn, 0x00af_9b00_0000_ffffn]);
    m.dmaWrite(pa(0x3000), new Uint8Array(gdt.buffer));
    protectedMode(m, ap);
    ap.lgdt(va(0x3000), 23);
    expect(ap.farJump(8, 0x1_2345)).toBeNull();
    expect([ap.codeAddress, ap.csLong]).toEqual([0x1_2345, 0]);
    ap.writeCr4(CR4.PAE);
    ap.writeCr3(BigInt(PGD));
    ap.wrmsr(MSR.EFER, BigInt(EFER.LME));
    expect(ap.writeCr0(CR0.PE + CR0.PG)).toBeNull();
    expect(ap.mode).toBe('compatibility');
    expect(ap.farJump(0x10, 0x2000)).toBeNull();
    expect([ap.mode, ap.codeAddress]).toEqual(['64-bit', 0x2000]);
    expect(ap.writeCr0(CR0.PE)).toMatchObject({ vector: VECTOR.GP });
  });

  test('legacy paging throws E_UNMODELLED', () => {
    const { m, ap } = machine();
    protectedMode(m, ap);
    ap.writeCr0(CR0.PE + CR0.PG);
    expect(() => ap.loadU8(va(0))).toThrow(/E_UNMODELLED|legacy paging/);
  });
});

describe('a write to a control register in 64-bit mode', () => {
  function inLongMode(): Cpu {
    const { bsp } = machine();
    bsp.enterLongMode(BigInt(PGD));
    return bsp;
  }
  const bits = (from: number): number[] => Array.from({ length: 32 - from }, (_, i) => from + i);

  // APM 3.1.3: the bits above OSXMMEXCPT that are not modelled are reserved, as CPUID says.
  test.each(bits(11))('of CR4 with bit %i is a #GP, and nothing changes', (bit) => {
    const cpu = inLongMode();
    const value = (CR4.PAE + 2 ** bit) | 0;
    expect(cpu.writeCr4(value)).toMatchObject({ vector: VECTOR.GP, why: 'reserved bit of CR4' });
    expect(cpu.cr4).toBe(CR4.PAE);
  });

  test('of CR4 may set each bit below, and not clear PAE', () => {
    const cpu = inLongMode();
    expect(cpu.writeCr4(0x7ff)).toBeNull();
    expect(cpu.cr4).toBe(0x7ff);
    expect(cpu.writeCr4(0x7ff - CR4.PAE)).toMatchObject({ vector: VECTOR.GP });
    expect(cpu.cr4).toBe(0x7ff);
  });

  // APM 3.1.1.
  test.each([
    ['PG without PE', CR0.PG],
    ['NW without CD', CR0.PG + CR0.PE + CR0.NW],
  ])('of CR0 with %s is a #GP, and nothing changes', (why, value) => {
    const cpu = inLongMode();
    const before = cpu.cr0;
    expect(cpu.writeCr0(value)).toMatchObject({ vector: VECTOR.GP, why: `CR0.${why}` });
    expect(cpu.cr0).toBe(before);
    expect(cpu.writeCr0(CR0.PG + CR0.PE + CR0.NW + CR0.CD)).toBeNull();
  });

  // The C-bit is bit 47; 43 to 46 are the address bits that SME takes away, 48 and up are not addresses.
  test.each([43, 46, 48, 51])('of CR3 with bit %i is a #GP, and nothing changes', (bit) => {
    const cpu = inLongMode();
    expect(cpu.writeCr3(BigInt(PGD) | (1n << BigInt(bit)))).toMatchObject({ vector: VECTOR.GP });
    expect(cpu.cr3).toBe(BigInt(PGD));
    expect(cpu.writeCr3(BigInt(PGD) | (1n << 47n) | (1n << 42n))).toBeNull();
  });
});

describe('a far jump', () => {
  const GDT = 0x3000;
  function withGdt(descriptor: bigint, limit = 15): Cpu {
    const { m, ap } = machine();
    m.dmaWrite(pa(GDT), new Uint8Array(new BigUint64Array([0n, descriptor]).buffer));
    protectedMode(m, ap);
    ap.lgdt(va(GDT), limit);
    return ap;
  }

  test.each([
    ['a null selector', 0x00cf_9b00_0000_ffffn, 15, 0, VECTOR.GP, 0],
    ['a selector of the LDT', 0x00cf_9b00_0000_ffffn, 15, 12, VECTOR.GP, 12],
    ['a descriptor one byte beyond the limit', 0x00cf_9b00_0000_ffffn, 14, 8, VECTOR.GP, 8],
    ['a data segment', 0x00cf_9300_0000_ffffn, 15, 8, VECTOR.GP, 8],
    ['a segment that is not present', 0x00cf_1b00_0000_ffffn, 15, 8, 11, 8],
  ] as const)('to %s faults', (_what, descriptor, limit, selector, vector, error) => {
    const ap = withGdt(descriptor, limit);
    expect(ap.farJump(selector, 0)).toMatchObject({ vector, error });
    expect(ap.cs).toBe(0x100);
  });

  test('assembles the base from both fields of the descriptor', () => {
    const ap = withGdt(0x12cf_9b34_5678_ffffn);
    expect(ap.farJump(8, 0x10)).toBeNull();
    expect(ap.codeAddress).toBe(0x1234_5678 + 0x10);
  });

  test('in real mode multiplies the selector by 16', () => {
    const { ap } = machine();
    ap.startup(1);
    expect(ap.farJump(0x9900, 0x1_1018)).toBeNull();
    expect([ap.csBase, ap.rip]).toEqual([0x9900 * CODE_SEGMENT.PARAGRAPH, 0x1018]);
  });
});
