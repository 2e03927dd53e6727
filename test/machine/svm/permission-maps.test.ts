/** The MSR and I/O permission maps, read from memory when the guest executes RDMSR, WRMSR, IN or OUT. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa, va, type KeyId } from '../../../src/machine/address.js';
import { MSR } from '../../../src/machine/cpu/msr.js';
import { IOPM_SIZE, MSRPM_SIZE, type MapRead } from '../../../src/machine/svm/permission-maps.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import { UnmodelledError } from '../../../src/machine/unmodelled.js';
import { INTERCEPT, IOIO, VMCB_CONTROL, VMCB_SAVE, VMEXIT } from '../../../src/machine/svm/vmcb.js';
import { C, CODE, GuestMachine } from './svm-guest.js';

const IOPM = 0x4_0000;
const MSRPM = 0x4_4000;
const BASE = INTERCEPT.VMRUN | INTERCEPT.HLT | INTERCEPT.VMMCALL | INTERCEPT.SHUTDOWN;
const BOTH = BASE | INTERCEPT.IOIO_PROT | INTERCEPT.MSR_PROT;
const HLT = 0xf4;

interface Maps {
  /** Bits that are set, by number from the start of the map. */
  readonly io?: readonly number[];
  readonly msr?: readonly number[];
  /** The key under which the host wrote the maps, and the C-bit of their addresses in the VMCB. */
  readonly key?: KeyId;
  readonly c?: boolean;
  readonly encryption?: boolean;
  readonly intercepts?: bigint;
  readonly seed?: string;
}

const bitmap = (size: number, bits: readonly number[] = []): Uint8Array => {
  const map = new Uint8Array(size);
  for (const bit of bits) map[bit >> 3] = (map[bit >> 3] ?? 0) | (1 << (bit & 7));
  return map;
};

function made(code: readonly number[], maps: Maps = {}) {
  const { encryption = maps.key === KEY_HOST || maps.c === true, intercepts = BOTH } = maps;
  const m = new GuestMachine({ code: Uint8Array.from([...code, HLT]), encryption });
  m.put(IOPM, bitmap(IOPM_SIZE, maps.io), maps.key);
  m.put(MSRPM, bitmap(MSRPM_SIZE, maps.msr), maps.key);
  const bit = maps.c === true ? C : 0n;
  m.edit((view) => {
    view.set(VMCB_CONTROL.INTERCEPT_MISC, intercepts);
    view.set(VMCB_CONTROL.IOPM_BASE_PA, BigInt(IOPM) | bit);
    view.set(VMCB_CONTROL.MSRPM_BASE_PA, BigInt(MSRPM) | bit);
  });
  const reads: MapRead[] = [];
  m.machine.probes.permissionMapRead.listen((_cpu, read) => {
    reads.push({ ...read, bytes: read.bytes.slice() });
  });
  return { m, reads, run: () => m.run() };
}

/** With operands of 16 bits, ECX is loaded from the CPU's own register. */
function msrGuest(msr: number, write: boolean, maps: Maps) {
  const guest = made([0x0f, write ? 0x30 : 0x32], maps);
  // ECX of the guest is the CPU's RCX (APM 15.5.1); an MSR number has 32 bits.
  guest.m.cpu.setGeneral('rcx', va(msr));
  return guest;
}
/** The bit of a read of an MSR in the map (APM 15.11); that of a write is the next one. */
const msrBit = (msr: number): number =>
  msr < 0x2000
    ? msr * 2
    : msr < 0xc001_0000
      ? 0x800 * 8 + (msr - 0xc000_0000) * 2
      : 0x1000 * 8 + (msr - 0xc001_0000) * 2;

describe('RDMSR and WRMSR', () => {
  test.each([
    ['SYSENTER_CS', MSR.SYSENTER_CS],
    ['the last MSR of the first vector', 0x1fff],
    ['STAR', MSR.STAR],
    ['VM_CR', MSR.VM_CR],
  ])('of %s are intercepted by the bit of a read or of a write', (_what, msr) => {
    const at = msrBit(msr);
    for (const write of [false, true]) {
      const { m, reads, run } = msrGuest(msr, write, { msr: [write ? at + 1 : at] });
      expect(run()).toEqual({ code: VMEXIT.MSR, info1: write ? 1n : 0n, info2: 0n });
      expect(m.vmcb(VMCB_SAVE.RIP)).toBe(BigInt(CODE));
      expect(reads).toMatchObject([{ map: 'MSRPM', offset: at >> 3, pa: MSRPM + (at >> 3) }]);
    }
  });

  test('are executed if only the other of the two bits is set', () => {
    const at = msrBit(MSR.STAR);
    const reading = msrGuest(MSR.STAR, false, { msr: [at + 1, at - 1, at + 2] });
    reading.m.wrmsr(MSR.STAR, 0x1234_5678_9abc_def0n);
    expect(reading.run().code).toBe(VMEXIT.HLT);
    expect(reading.m.vmcb(VMCB_SAVE.RAX)).toBe(0x9abc_def0n);
    expect(reading.m.cpu.rdx).toBe(0x1234_5678);
    const writing = msrGuest(MSR.STAR, true, { msr: [at, at + 2] });
    writing.m.cpu.setGeneral('rdx', va(0x11));
    writing.m.cpu.setGeneral('rcx', va(MSR.STAR));
    expect(writing.run().code).toBe(VMEXIT.HLT);
    expect(writing.m.cpu.rdmsr(MSR.STAR)).toBe(0x11_0000_0000n);
  });

  test('without MSR_PROT do not read the map; an MSR outside its vectors is always intercepted', () => {
    const all = Array.from({ length: MSRPM_SIZE * 8 }, (_, i) => i);
    const open = msrGuest(MSR.STAR, false, { msr: all, intercepts: BASE });
    expect(open.run().code).toBe(VMEXIT.HLT);
    expect(open.reads).toEqual([]);
    for (const msr of [0x2000, 0xc000_2000, 0xc001_2000, 0xbfff_ffff]) {
      const outside = msrGuest(msr, false, {});
      expect(outside.run().code).toBe(VMEXIT.MSR);
      expect(outside.reads).toEqual([]);
    }
  });

  test('without an intercept read the own EFER and PAT of the guest, and an unknown MSR is #GP', () => {
    const efer = msrGuest(MSR.EFER, false, {});
    expect(efer.run().code).toBe(VMEXIT.HLT);
    expect(efer.m.vmcb(VMCB_SAVE.RAX)).toBe(0x1000n);
    expect(efer.m.cpu.rdmsr(MSR.EFER)).not.toBe(0x1000n);
    const pat = msrGuest(MSR.PAT, false, {});
    pat.run();
    expect(pat.m.vmcb(VMCB_SAVE.RAX)).toBe(0x0007_0406n);
    // No IDT: the guest shuts down.
    expect(msrGuest(0x1ff0, false, {}).run().code).toBe(VMEXIT.SHUTDOWN);
    expect(() => msrGuest(MSR.EFER, true, {}).run()).toThrow(UnmodelledError);
  });
});

describe('IN and OUT', () => {
  test.each([
    ['in al, 0x60', [0xe4, 0x60], 0x60, IOIO.IN | IOIO.SZ8],
    ['in ax, 0x60', [0xe5, 0x60], 0x60, IOIO.IN | IOIO.SZ16],
    ['out 0x60, al', [0xe6, 0x60], 0x60, IOIO.SZ8],
    ['out 0x60, ax', [0xe7, 0x60], 0x60, IOIO.SZ16],
    ['in al, dx', [0xec], 0x3f8, IOIO.IN | IOIO.SZ8],
    ['out dx, ax', [0xef], 0x3f8, IOIO.SZ16],
  ])('%s exits with its port, size and direction, and the next rIP', (_what, code, port, info) => {
    const { m, run, reads } = made(code, { io: [port] });
    m.cpu.setGeneral('rdx', va(0x3f8));
    expect(run()).toEqual({
      code: VMEXIT.IOIO,
      info1: info | IOIO.A16 | (BigInt(port) << 16n),
      info2: BigInt(CODE + code.length),
    });
    expect(reads[0]).toMatchObject({ map: 'IOPM', offset: port >> 3, key: KEY_PLAIN });
  });

  test('a wide access is intercepted by the bit of any of its ports, also in the next byte', () => {
    for (const [port, bit] of [
      [0x60, 0x61],
      [0x67, 0x68],
      [0xff, 0x100],
    ] as const) {
      const { run, reads } = made([0xe5, port], { io: [bit] });
      expect(run().code).toBe(VMEXIT.IOIO);
      expect(reads[0]?.bytes.length).toBe(port >> 3 === bit >> 3 ? 1 : 2);
    }
    // The last port: bits of the third page (APM 15.10.1).
    const last = made([0xed], { io: [0x1_0000] });
    last.m.cpu.setGeneral('rdx', va(0xffff));
    expect(last.run().code).toBe(VMEXIT.IOIO);
    expect(last.reads[0]).toMatchObject({ offset: 0x1fff, pa: IOPM + 0x1fff });
  });

  test('that no bit and no intercept stops need a port, which is not modelled', () => {
    expect(() => made([0xe4, 0x60], { io: [0x5f, 0x61] }).run()).toThrow(/port 0x60 of a guest/);
    expect(() => made([0xe5, 0x60], { io: [0x5f, 0x62] }).run()).toThrow(UnmodelledError);
    const open = made([0xe4, 0x60], { io: [0x60], intercepts: BASE });
    expect(() => open.run()).toThrow(UnmodelledError);
    expect(open.reads).toEqual([]);
  });
});

describe('with memory encryption', () => {
  const STAR = msrBit(MSR.STAR);
  const every = (size: number): number[] => Array.from({ length: size * 8 }, (_, i) => i);
  /** MSRs whose reads are intercepted, of 64 whose bits are all clear (or set) in the map. */
  const intercepted = (maps: Maps): number =>
    Array.from({ length: 64 }, (_, i) => msrGuest(0xc000_1000 + i * 4, false, maps)).filter(
      ({ run }) => run().code === VMEXIT.MSR,
    ).length;

  test("the C-bit of the map's address selects the key", () => {
    for (const [key, c] of [
      [KEY_PLAIN, false],
      [KEY_HOST, true],
    ] as const) {
      const { run, reads } = msrGuest(MSR.STAR, false, { msr: [STAR], key, c, encryption: true });
      expect(run().code).toBe(VMEXIT.MSR);
      expect(reads).toMatchObject([{ pa: MSRPM + (STAR >> 3), key }]);
    }
  });

  test('an encrypted map read through C=0 is noise: MSRs are intercepted that it lets through', () => {
    const written = { key: KEY_HOST, encryption: true } as const;
    expect(intercepted({ ...written, c: true })).toBe(0);
    const noise = intercepted(written);
    expect(noise).toBeGreaterThan(16);
    expect(noise).toBeLessThan(48);
  });

  test('an encrypted map read through C=0 lets MSRs through that it intercepts', () => {
    const written = { key: KEY_HOST, encryption: true, msr: every(MSRPM_SIZE) } as const;
    expect(intercepted({ ...written, c: true })).toBe(64);
    const noise = intercepted(written);
    expect(noise).toBeGreaterThan(16);
    expect(noise).toBeLessThan(48);
  });

  test('lines of the map in the cache are read under their own key', () => {
    const { m, run } = msrGuest(MSR.STAR, false, { msr: [STAR], encryption: true });
    // The host clears the map through a mapping with the C-bit; the line stays dirty in the cache.
    m.machine.cache.write(
      0,
      pa(MSRPM + (STAR >> 3)),
      KEY_HOST,
      MEMTYPE.WB,
      new Uint8Array(1),
      0,
      1,
      0,
    );
    expect(run().code).toBe(VMEXIT.MSR);
  });
});
