import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa, va, type Va } from '../../src/machine/address.js';
import { deserialize, serialize } from '../../src/machine/codec.js';
import { INTEL_BROADWELL, ZEN1, ZEN3 } from '../../src/machine/cpu/cpu-models.js';
import { isFault } from '../../src/machine/cpu/cpu.js';
import type { CpuModel } from '../../src/machine/cpu/cpuid.js';
import { makeGate } from '../../src/machine/cpu/idt.js';
import { Machine, type MachineConfig, type MachineSnapshot } from '../../src/machine/machine.js';
import { MSR } from '../../src/machine/cpu/msr.js';
import { pciRequester, REQUESTER_PLATFORM } from '../../src/machine/requester.js';
import { MEMTYPE, VECTOR, type Fault } from '../../src/machine/types.js';
import { nodeCipher } from '../../src/node/node-cipher.js';

const SYSCFG_ON = 1n << 23n;
const PGD = 0x1_0000;
const C47 = 1n << 47n;
const P = 1n;
const RW = 2n;
const US = 4n;
const A_D = 0x60n;
const G = 0x100n;
const NX = 1n << 63n;

function machine(model: CpuModel = ZEN1, more: Partial<MachineConfig> = {}): Machine {
  return new Machine({
    model,
    cpus: 1,
    ram: [{ base: 0, size: 0x400_0000 }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 32 * 1024, ways: 8 },
    engine: { mode: 'XEX', seed: 'machine', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: false,
    ...more,
  });
}

/** Tables for VA 0…2 MiB by 4 KiB pages: PGD, PUD, PMD, PTE in four pages from PGD on; entry i of the last maps page i. */
function tables(m: Machine, leaf: (page: number) => bigint, pointers = [0n, 0n, 0n]): void {
  const pages = new BigUint64Array(4 * 512);
  for (let level = 0; level < 3; level++) {
    pages[level * 512] =
      BigInt(PGD + (level + 1) * 4096) | P | RW | US | A_D | (pointers[level] ?? 0n);
  }
  for (let i = 0; i < 512; i++) pages[3 * 512 + i] = leaf(i);
  m.dmaWrite(pa(PGD), new Uint8Array(pages.buffer));
  m.cpus[0].enterLongMode(BigInt(PGD));
}
const page = (i: number, flags = 0n): bigint => BigInt(i * 4096) | P | RW | US | A_D | flags;
const faultOf = (result: unknown): Fault => {
  if (!isFault(result)) throw new Error('no fault');
  return result;
};
const u8 = (m: Machine, at: number): number => {
  const value = m.cpus[0].loadU8(va(at));
  if (isFault(value)) throw new Error(value.why);
  return value;
};

describe('the C-bit', () => {
  test('with SYSCFG[23] clear is an address bit below MAXPHYADDR: all ones are read there, writes are dropped', () => {
    const m = machine();
    tables(m, (i) => page(i, i === 1 ? C47 : 0n));
    expect(m.cpus[0].storeU8(va(0x1000), 5)).toBeNull();
    m.cpus[0].wbinvd();
    expect(u8(m, 0x1000)).toBe(0xff);
  });

  test('with SYSCFG[23] clear is reserved at or above MAXPHYADDR', () => {
    const m = machine(ZEN3);
    tables(m, (i) => page(i, 1n << 51n));
    expect(faultOf(m.cpus[0].loadU8(va(0)))).toMatchObject({ vector: VECTOR.PF, error: 9 });
  });

  test.each([
    ['Zen 1', ZEN1, 47n],
    ['Zen 3', ZEN3, 51n],
  ])('with SYSCFG[23] set selects the host key on %s', (_name, model, bit) => {
    const m = machine(model);
    tables(m, (i) => page(i % 2, i >= 2 ? 1n << bit : 0n));
    expect(m.cpus[0].wrmsr(MSR.SYSCFG, SYSCFG_ON)).toBeNull();
    expect(m.cpus[0].storeU8(va(0x2000), 0x77)).toBeNull();
    expect(m.cpus[0].translate(va(0x2000))).toMatchObject({ pa: 0, key: KEY_HOST });
    m.cpus[0].wbinvd();
    expect(u8(m, 0x2000)).toBe(0x77);
    expect(m.dmaRead(pa(0), 16)).toEqual(m.dram.peek(pa(0), 16));
    expect(m.dmaRead(pa(0), 1, KEY_HOST)[0]).toBe(0x77);
    expect(m.dram.stateOf(pa(0), 64)).toMatchObject({ encrypted: 64 });
  });

  test.each([43n, 44n, 46n])('with SYSCFG[23] set bit %i is reserved by the reduction', (bit) => {
    const m = machine();
    tables(m, (i) => page(i, 1n << bit));
    m.cpus[0].wrmsr(MSR.SYSCFG, SYSCFG_ON);
    expect(faultOf(m.cpus[0].loadU8(va(0)))).toMatchObject({ error: 9, why: 'reserved' });
  });

  test.each([0, 1, 2])('in the pointer of level %i selects the key of the next table', (level) => {
    const m = machine();
    const pointers = [0n, 0n, 0n].map((none, i) => (i === level ? C47 : none));
    tables(m, (i) => page(i), pointers);
    m.cpus[0].wrmsr(MSR.SYSCFG, SYSCFG_ON);
    // The lower tables were written in plain text: under the host key they are garbage.
    expect(isFault(m.cpus[0].loadU8(va(0)))).toBe(true);
    const steps = m.cpus[0].traceWalk(va(0));
    expect(steps.map((step) => step.key).slice(0, level + 2)).toEqual(
      Array.from({ length: level + 2 }, (_, i) => (i === level + 1 ? KEY_HOST : KEY_PLAIN)),
    );
    // Encrypted in place, that table reads as itself.
    const table = pa(PGD + (level + 1) * 4096);
    m.dram.write(table, KEY_HOST, m.dram.peek(table, 4096), 0, 4096);
    expect(isFault(m.cpus[0].loadU8(va(0)))).toBe(false);
  });

  test('one line may be cached under both keys; memory gets the last write-back', () => {
    const m = machine();
    tables(m, (i) => page(0, i === 1 ? C47 : 0n));
    m.cpus[0].wrmsr(MSR.SYSCFG, SYSCFG_ON);
    m.cpus[0].storeU8(va(0), 1);
    m.cpus[0].storeU8(va(0x1000), 2);
    expect([u8(m, 0), u8(m, 0x1000)]).toEqual([1, 2]);
    m.cpus[0].clflush(va(0x1000));
    m.cpus[0].clflush(va(0));
    expect(u8(m, 0)).toBe(1);
    expect(u8(m, 0x1000)).not.toBe(2);
  });

  test('memory is encrypted in place by the recipe of APM 7.10.8', () => {
    const m = machine();
    // Page 0 plain and write-protect (PA5), page 1 the same memory with C, page 2 a buffer.
    tables(m, (i) => page(i === 2 ? 2 : 0x200, i === 1 ? C47 : i === 0 ? 0x88n : 0n));
    const secret = Uint8Array.from({ length: 4096 }, (_, i) => i & 0xff);
    m.dmaWrite(pa(0x20_0000), secret);
    const cpu = m.cpus[0];
    cpu.wrmsr(MSR.SYSCFG, SYSCFG_ON);
    cpu.wrmsr(MSR.PAT, 0x0007_0506_0007_0406n);
    expect(cpu.translate(va(0))).toMatchObject({ type: MEMTYPE.WP });
    cpu.wbinvd();
    expect(cpu.copy(va(0x2000), va(0), 4096)).toBeNull();
    expect(cpu.copy(va(0x1000), va(0x2000), 4096)).toBeNull();
    cpu.wbinvd();
    expect(m.dmaRead(pa(0x20_0000), 4096, KEY_HOST)).toEqual(secret);
    expect(m.dram.peek(pa(0x20_0000), 4096)).not.toEqual(secret);
  });
});

describe('the TLB', () => {
  const PTE = PGD + 3 * 4096;
  const remap = (m: Machine, index: number, entry: bigint): void => {
    m.dmaWrite(pa(PTE + index * 8), new Uint8Array(BigUint64Array.of(entry).buffer));
  };

  test('holds a stale entry until INVLPG, MOV CR3 or a toggle of CR4.PGE; global ones survive MOV CR3', () => {
    const m = machine();
    const cpu = m.cpus[0];
    tables(m, (i) => page(i === 0 || i === 1 ? 0x100 : 0x101, i === 1 ? G : 0n));
    cpu.writeCr4(cpu.cr4 | 0x80);
    m.dmaWrite(pa(0x10_0000), Uint8Array.of(1));
    m.dmaWrite(pa(0x10_1000), Uint8Array.of(2));
    expect([u8(m, 0), u8(m, 0x1000)]).toEqual([1, 1]);
    remap(m, 0, page(0x101));
    remap(m, 1, page(0x101, G));
    expect([u8(m, 0), u8(m, 0x1000)]).toEqual([1, 1]);
    cpu.writeCr3(cpu.cr3);
    expect([u8(m, 0), u8(m, 0x1000)]).toEqual([2, 1]);
    cpu.writeCr4(cpu.cr4 & ~0x80);
    expect([u8(m, 0), u8(m, 0x1000)]).toEqual([2, 2]);
    remap(m, 0, page(0x100));
    cpu.invlpg(va(0));
    expect(u8(m, 0)).toBe(1);
  });
});

test('with CR4.PGE clear MOV CR3 invalidates translations whose leaf has G too (APM 5.5.1)', () => {
  const m = machine();
  tables(m, (i) => page(i === 1 ? 0x100 : i, G));
  m.dmaWrite(pa(0x10_0000), Uint8Array.of(1));
  m.dmaWrite(pa(0x10_1000), Uint8Array.of(2));
  expect(u8(m, 0x1000)).toBe(1);
  m.dmaWrite(pa(PGD + 3 * 4096 + 8), new Uint8Array(BigUint64Array.of(page(0x101, G)).buffer));
  expect(u8(m, 0x1000)).toBe(1);
  m.cpus[0].writeCr3(m.cpus[0].cr3);
  expect(u8(m, 0x1000)).toBe(2);
});

describe('page faults', () => {
  const at = (m: Machine, address: number): Va => va(address + m.cpus.length - 1);

  test.each([
    ['an absent page', 0n, 'read', 0, 0],
    ['a write to a read-only page', P | A_D | US, 'write', 0, 3],
    ['a user access to a supervisor page', P | RW | A_D, 'read', 3, 5],
    ['a user write to an absent page', 0n, 'write', 3, 6],
  ] as const)('%s', (_name, entry, kind, cpl, error) => {
    const m = machine();
    tables(m, (i) => (i === 5 ? entry : page(i)));
    m.cpus[0].cpl = cpl;
    const cpu = m.cpus[0];
    const address = at(m, 0x5123);
    const result = kind === 'read' ? cpu.loadU8(address) : cpu.storeU8(address, 1);
    expect(faultOf(result)).toMatchObject({ vector: VECTOR.PF, error, address: 0x5123 });
  });

  test('NX is reserved while EFER.NXE is clear and forbids fetching once it is set', () => {
    const m = machine();
    tables(m, (i) => page(i, NX));
    const cpu = m.cpus[0];
    expect(faultOf(cpu.loadU8(va(0)))).toMatchObject({ error: 9 });
    expect(cpu.wrmsr(MSR.EFER, (cpu.rdmsr(MSR.EFER) as bigint) | (1n << 11n))).toBeNull();
    expect(isFault(cpu.loadU8(va(0)))).toBe(false);
    expect(faultOf(cpu.fetch(va(0), new Uint8Array(4)))).toMatchObject({ error: 17 });
  });

  test('an access across a page end completes the first page and reports its progress', () => {
    const m = machine();
    tables(m, (i) => (i === 1 ? 0n : page(0x100 + i)));
    const cpu = m.cpus[0];
    expect(faultOf(cpu.write(va(0xffe), new Uint8Array(4)))).toMatchObject({ address: 0x1000 });
    expect(cpu.progress).toBe(2);
    expect(isFault(cpu.fill(va(0xff0), 9, 64))).toBe(true);
    expect(cpu.progress).toBe(16);
    expect(isFault(cpu.copy(va(0x2000), va(0xfe0), 64))).toBe(true);
    expect(cpu.progress).toBe(32);
    expect(u8(m, 0x2010)).toBe(9);
  });

  test('a page that was read first gets its dirty bit at the first write, through a cached translation', () => {
    const m = machine();
    tables(m, (i) => BigInt(i * 4096) | P | RW);
    m.cpus[0].loadU8(va(0x3000));
    m.cpus[0].storeU8(va(0x3000), 1);
    expect(m.dmaRead(pa(PGD + 3 * 4096 + 3 * 8), 1)[0]).toBe(0x63);
  });

  test('accessed and dirty bits are set in the table', () => {
    const m = machine();
    tables(m, (i) => BigInt(i * 4096) | P | RW);
    m.cpus[0].loadU8(va(0x3000));
    m.cpus[0].storeU8(va(0x4000), 1);
    const flags = (index: number): number => m.dmaRead(pa(PGD + 3 * 4096 + index * 8), 1)[0] ?? 0;
    expect([flags(2) & 0x60, flags(3) & 0x60, flags(4) & 0x60]).toEqual([0, 0x20, 0x60]);
  });
});

describe('control registers and MSRs', () => {
  test('a write that the manual forbids is a #GP and changes nothing', () => {
    const cpu = machine().cpus[0];
    expect(faultOf(cpu.writeCr0(2 ** 31)).vector).toBe(VECTOR.GP);
    expect(faultOf(cpu.writeCr0(2 ** 29)).vector).toBe(VECTOR.GP);
    expect(faultOf(cpu.writeCr4(2 ** 12)).vector).toBe(VECTOR.GP);
    expect(faultOf(cpu.wrmsr(MSR.PAT, 2n)).vector).toBe(VECTOR.GP);
    expect(faultOf(cpu.rdmsr(0x1234_5678)).vector).toBe(VECTOR.GP);
    expect([cpu.cr0, cpu.cr3, cpu.cr4]).toEqual([0x10, 0n, 0]);
    const m = machine();
    tables(m, (i) => page(i));
    expect(faultOf(m.cpus[0].writeCr4(0)).why).toMatch(/PAE/);
    expect(faultOf(m.cpus[0].writeCr3(1n << 51n)).vector).toBe(VECTOR.GP);
    expect(m.cpus[0].cr3).toBe(BigInt(PGD));
  });

  test('each write that can change the mapping in force is told to the driver and the probe point', () => {
    const m = machine();
    tables(m, (i) => page(i));
    const reported: string[] = [];
    const cpu = m.cpus[0];
    m.probes.controlWritten.listen((_cpu, what) => reported.push(what));
    m.driver = { controlWritten: () => reported.push('driver') };
    cpu.writeCr0(cpu.cr0);
    cpu.writeCr3(cpu.cr3);
    cpu.writeCr4(cpu.cr4);
    cpu.wrmsr(MSR.EFER, cpu.rdmsr(MSR.EFER) as bigint);
    cpu.wrmsr(MSR.SYSCFG, 0n);
    cpu.wrmsr(MSR.GS_BASE, 0n);
    expect(reported).toEqual(
      ['CR0', 'CR3', 'CR4', 'EFER', 'SYSCFG'].flatMap((what) => [what, 'driver']),
    );
  });

  test('an Intel processor has no SYSCFG and no encryption leaf', () => {
    const cpu = machine(INTEL_BROADWELL).cpus[0];
    expect(isFault(cpu.rdmsr(MSR.SYSCFG))).toBe(true);
    expect(cpu.cpuid(0x8000_001f)).toEqual(cpu.cpuid(0x8000_0008 + 0x100));
  });

  test('Zen 1 reports C-bit 47, five bits lost, 15 guests', () => {
    expect(machine().cpus[0].cpuid(0x8000_001f)).toEqual({ eax: 1, ebx: 0x16f, ecx: 15, edx: 5 });
  });

  test('without paging an address is physical and plain', () => {
    const m = machine();
    m.dmaWrite(pa(0x500), Uint8Array.of(3));
    expect(u8(m, 0x500)).toBe(3);
    expect(isFault(m.cpus[0].loadU8(va(-4096)))).toBe(true);
  });
});

describe('exceptions', () => {
  test('without an IDT a fault is a triple fault', () => {
    const m = machine();
    tables(m, (i) => page(i));
    expect(m.cpus[0].deliver({ vector: VECTOR.UD, error: 0, why: 'test' })).toMatchObject({
      tripleFault: true,
    });
  });

  test('delivery pushes the frame and enters the gate’s handler; IRET pops the frame', () => {
    const m = machine();
    tables(m, (i) => page(i));
    const cpu = m.cpus[0];
    const gate = makeGate(va(0x1234), 0x10);
    gate.forEach((half, i) => cpu.storeU64(va(0x6000 + VECTOR.UD * 16 + i * 8), half));
    cpu.lidt(va(0x6000), 0xfff);
    cpu.rsp = va(0x9000);
    cpu.rip = va(0x7777);
    expect(cpu.deliver({ vector: VECTOR.UD, error: 0, why: 'test' })).toMatchObject({
      handler: 0x1234,
    });
    expect(cpu.loadU64(cpu.rsp)).toBe(0x7777n);
    expect(cpu.iret()).toBeNull();
    expect([cpu.rip, cpu.rsp]).toEqual([0x7777, 0x9000]);
  });

  test('PUSH and POP change RSP only if they succeed', () => {
    const m = machine();
    tables(m, (i) => (i === 0 ? 0n : page(i)));
    const cpu = m.cpus[0];
    cpu.rsp = va(0x1008);
    expect(cpu.push(7n)).toBeNull();
    expect(isFault(cpu.push(8n))).toBe(true);
    expect(cpu.pop()).toBe(7n);
    expect(cpu.rsp).toBe(0x1008);
  });
});

describe('a machine', () => {
  test('calls listeners of its probe points until they end', () => {
    const m = machine();
    tables(m, (i) => page(i));
    const seen: string[] = [];
    const ends = [
      m.probes.accessed.listen((kind) => seen.push(kind)),
      m.probes.filled.listen(() => seen.push('fill')),
      m.probes.writtenBack.listen(() => seen.push('write-back')),
      m.probes.translated.listen(() => seen.push('translation')),
      m.probes.flushed.listen((_cpu, what) => seen.push(what)),
      m.probes.keyChanged.listen(() => seen.push('owner')),
    ];
    m.cpus[0].storeU8(va(0x1000), 1);
    m.cpus[0].storeU32(va(0x1004), 1);
    m.cpus[0].storeU16(va(0x1008), 1);
    m.cpus[0].wbinvd();
    m.cpus[0].invlpg(va(0));
    for (const what of ['translation', 'write', 'fill', 'write-back', 'wbinvd', 'invlpg']) {
      expect(seen).toContain(what);
    }
    for (const end of ends) end();
    const before = seen.length;
    m.cpus[0].loadU16(va(0x2000));
    m.cpus[0].loadU32(va(0x2000));
    expect(seen.length).toBe(before);
  });

  test('continues from a serialized and deserialized snapshot', () => {
    const first = machine();
    tables(first, (i) => page(i));
    first.cpus[0].setGeneral('rax', va(5));
    first.cpus[0].storeU64(va(0x1000), 0x1234n);
    const bytes = serialize(first.snapshot());
    const second = machine();
    second.restore(deserialize(bytes) as MachineSnapshot);
    expect(second.cpus[0].loadU64(va(0x1000))).toBe(0x1234n);
    expect(second.cpus[0].rax).toBe(5);
    expect(['rax', 'rbx', 'rsp'].map((name) => second.cpus[0].knows(name as 'rax'))).toEqual([
      ...[true, false, true],
    ]);
    for (const m of [first, second]) m.cpus[0].wbinvd();
    expect(second.dram.peek(pa(0), 0x1_4000)).toEqual(first.dram.peek(pa(0), 0x1_4000));
  });

  // What a boot continues from must be all of the state: a register that stays as it was is a boot from nowhere.
  test('restores every register, whatever the CPU had before', () => {
    const names = Object.keys(machine().cpus[0].snapshot().registers);
    /** A snapshot whose values are all different from each other and from those of a reset. */
    const { cpus, ...rest } = machine().snapshot();
    const cpu = cpus[0];
    if (cpu === undefined) throw new Error('no CPU');
    const set = {
      ...cpu,
      registers: Object.fromEntries(names.map((name, i) => [name, 0x100 + i])),
      cr2: 0xdead_b000n,
      cr3: 0x7000n,
      msrs: cpu.msrs.map(([name], i) => [name, BigInt(0x10_0000 + i)] as const),
    };
    const m = machine();
    tables(m, (i) => page(i));
    m.cpus[0].cr2 = 5n;
    m.restore({ ...rest, cpus: [set] });
    expect(m.cpus[0].snapshot()).toEqual(set);
    expect([m.cpus[0].gdtr.limit, m.cpus[0].idtr.limit]).toEqual(
      ['gdtLimit', 'idtLimit'].map((name) => 0x100 + names.indexOf(name)),
    );
    expect([m.cpus[0].cr0, m.cpus[0].cr3, m.cpus[0].cr4, m.cpus[0].cr2]).toEqual([
      ...[0x100 + names.indexOf('cr0'), 0x7000n, 0x100 + names.indexOf('cr4'), 0xdead_b000n],
    ]);
  });

  test('restores the paging in force: without paging, then with another root table', () => {
    const m = machine();
    m.dmaWrite(pa(0x3000), Uint8Array.of(0x33));
    m.dmaWrite(pa(0x4000), Uint8Array.of(0x44));
    const real = m.snapshot();
    tables(m, (i) => page(i === 3 ? 4 : i));
    const paged = m.snapshot();
    expect(u8(m, 0x3000)).toBe(0x44);
    m.restore(real);
    expect(u8(m, 0x3000)).toBe(0x33);
    // The access above made a translation and a paging context of its own.
    m.restore(paged);
    expect(u8(m, 0x3000)).toBe(0x44);
    m.cpus[0].wrmsr(MSR.SYSCFG, SYSCFG_ON);
    expect(m.cpus[0].translate(va(0x3000))).toMatchObject({ pa: 0x4000 });
    m.restore(real);
    expect(m.cpus[0].translate(va(0x3000))).toMatchObject({ pa: 0x3000 });
  });

  test('restores the write permissions in force', () => {
    const m = machine();
    tables(m, (i) => page(i) & ~RW);
    const protectedPages = m.snapshot();
    expect(isFault(m.cpus[0].storeU8(va(0x5000), 1))).toBe(true);
    expect(m.cpus[0].writeCr0(m.cpus[0].cr0 & ~0x1_0000)).toBeNull();
    expect(m.cpus[0].storeU8(va(0x5000), 1)).toBeNull();
    m.restore(protectedPages);
    expect(isFault(m.cpus[0].storeU8(va(0x5000), 1))).toBe(true);
  });

  test('refuses bytes that are not a snapshot', () => {
    expect(() => deserialize(new Uint8Array(4))).toThrow(/no snapshot/);
    const value = {
      a: [1n, -5n],
      m: new Map([['k', new Uint8Array([1, 2, 3])]]),
      f: Float64Array.of(1.5),
      n: null,
    };
    expect(deserialize(serialize(value))).toEqual(value);
  });
});

test('patSlotUsed has the slots that entries select, and all slots for RDMSR and WRMSR of the PAT', () => {
  const [PWT, PCD, PAT] = [0x8n, 0x10n, 0x80n];
  const m = machine();
  tables(m, (i) => page(i, i === 5 ? PWT : i === 6 ? PCD | PAT : 0n));
  const used = (act: () => void): number[] => {
    const slots = new Set<number>();
    const end = m.probes.patSlotUsed.listen((slot) => slots.add(slot));
    act();
    end();
    return [...slots].sort((a, b) => a - b);
  };
  expect(used(() => u8(m, 5 * 4096))).toEqual([1]);
  // For a TLB hit the entry is not read again.
  expect(used(() => u8(m, 5 * 4096))).toEqual([]);
  expect(used(() => u8(m, 6 * 4096 + 8))).toEqual([6]);
  expect(used(() => m.cpus[0].decodeEntry(page(1), 4096))).toEqual([0]);
  expect(used(() => m.cpus[0].rdmsr(MSR.PAT))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(used(() => m.cpus[0].wrmsr(MSR.PAT, 0x0007_0406_0007_0406n))).toHaveLength(8);
  expect(used(() => m.cpus[0].rdmsr(MSR.EFER))).toEqual([]);
});

test('a write without a CPU has the origin of its requester, whatever code runs', () => {
  const m = machine();
  const [device, other] = [pciRequester(0x100), pciRequester(0x200)];
  m.originOf.set(device, 7);
  m.origin = 3;
  const origins: number[] = [];
  m.probes.dma.listen((_kind, _requester, _pa, _key, _length, origin) => origins.push(origin));
  const written = [device, other, REQUESTER_PLATFORM].map((requester, i) => {
    m.dmaWrite(pa(i * 64), new Uint8Array(64), KEY_PLAIN, requester);
    m.dmaRead(pa(i * 64), 64, KEY_PLAIN, requester);
    return m.lastWrite(pa(i * 64))?.origin;
  });
  expect(written).toEqual([7, 0, 0]);
  expect(origins).toEqual([7, 7, 0, 0, 0, 0]);
});
