import { describe, expect, test } from '@jest/globals';
import { INTEL_BROADWELL, ZEN1, ZEN3 } from '../../../src/machine/cpu/cpu-models.js';
import { isFault } from '../../../src/machine/cpu/cpu.js';
import { cpuid } from '../../../src/machine/cpu/cpuid.js';
import { MSR, MsrFile } from '../../../src/machine/cpu/msr.js';
import { VECTOR } from '../../../src/machine/types.js';
import { UnmodelledError } from '../../../src/machine/unmodelled.js';
import {
  INTERCEPT,
  VMCB_CONTROL,
  VMCB_SAVE,
  VMCB_SIZE,
  VMEXIT,
} from '../../../src/machine/svm/vmcb.js';
import { AT, C, CODE, COPY_CODE, DATA, GuestMachine, KEY_HOST, TO } from './svm-guest.js';

const INVALID = 0xffff_ffff_ffff_ffffn;

describe('VMRUN', () => {
  test('runs a real-mode guest to its HLT and leaves its state in the VMCB', () => {
    const m = new GuestMachine();
    expect(m.run()).toEqual({ code: VMEXIT.HLT, info1: 0n, info2: 0n });
    expect(m.guest(TO, 16)).toEqual(DATA);
    expect(m.vmcb(VMCB_CONTROL.EXITCODE)).toBe(0x78n);
    // RIP stays at the intercepted instruction.
    expect(m.vmcb(VMCB_SAVE.RIP)).toBe(BigInt(CODE + COPY_CODE.length - 1));
    expect([m.cpu.rsi, m.cpu.rdi, m.cpu.rcx]).toEqual([0x2010, 0x3010, 0]);
  });

  test.each([false, true])('reports its accesses of the VMCB under the key of rAX (C=%p)', (c) => {
    const m = new GuestMachine({ encryption: true, c: { vmcb: c } });
    const seen = new Set<string>();
    m.machine.probes.accessed.listen((kind, _cpu, _va, at, key) => {
      if (at >= AT.vmcb && at < AT.vmcb + VMCB_SIZE) seen.add(`${kind} ${String(key)}`);
    });
    m.run();
    expect([...seen]).toEqual([`read ${c ? '1' : '0'}`, `write ${c ? '1' : '0'}`]);
  });

  test('restores the host’s registers, those of the save area too', () => {
    const m = new GuestMachine();
    const { cr0, cr3, cr4, rip, rsp, rflags } = m.cpu;
    const efer = m.cpu.msrs.get('EFER');
    m.run();
    expect(m.cpu).toMatchObject({ cr0, cr3, cr4, rip, rsp, rflags, cpl: 0 });
    expect(m.cpu.msrs.get('EFER')).toBe(efer);
    expect(m.get(AT.hsave + 0x5d8, 8)[1]).toBe(0x80);
  });

  test('preserves the bits of a register above bit 15 for a 16-bit operand', () => {
    const m = new GuestMachine();
    m.edit((view) => {
      view.set(VMCB_SAVE.RAX, 0x1234_5678n);
    });
    m.put(AT.guest + CODE, Uint8Array.of(0xb8, 0xcd, 0xab, 0xf4));
    m.run();
    expect(m.vmcb(VMCB_SAVE.RAX)).toBe(0x1234_abcdn);
  });

  test.each([
    [
      'EFER.SVME is clear',
      VECTOR.UD,
      (m: GuestMachine) => {
        m.wrmsr(MSR.EFER, 0x500n);
        return m.vmcbAddress;
      },
    ],
    [
      'CPL is 3',
      VECTOR.GP,
      (m: GuestMachine) => {
        m.cpu.cpl = 3;
        return m.vmcbAddress;
      },
    ],
    ['rAX is not page-aligned', VECTOR.GP, (m: GuestMachine) => m.vmcbAddress + 0x800n],
    ['rAX is the first address beyond memory’s size', VECTOR.GP, () => 1n << 48n],
  ] as const)('faults if %s', (_why, vector, prepare) => {
    const m = new GuestMachine();
    const rax = prepare(m);
    for (const instruction of ['vmrun', 'vmload', 'vmsave'] as const) {
      const result = m.cpu[instruction](rax);
      expect(isFault(result) && result.vector).toBe(vector);
    }
  });

  test('accepts the C-bit in rAX only if C-bits are in force; the reduction makes bits reserved', () => {
    const on = new GuestMachine({ encryption: true });
    expect(isFault(on.cpu.vmrun(BigInt(AT.vmcb) | (1n << 43n)))).toBe(true);
    expect(isFault(on.cpu.vmrun(BigInt(AT.vmcb) | C))).toBe(false);
  });

  test.each([
    ['EFER.SVME is zero', VMCB_SAVE.EFER, 0n],
    ['CR0.NW without CD', VMCB_SAVE.CR0, 0x2000_0010n],
    ['CR0[32]', VMCB_SAVE.CR0, 1n << 32n],
    ['a reserved bit of CR3', VMCB_SAVE.CR3, 1n << 48n],
    ['a reserved bit of CR4', VMCB_SAVE.CR4, 1n << 22n],
    ['DR6[32]', VMCB_SAVE.DR6, 1n << 32n],
    ['DR7[63]', VMCB_SAVE.DR7, 1n << 63n],
    ['a reserved bit of EFER', VMCB_SAVE.EFER, 0x1002n],
    ['the VMRUN intercept is clear', VMCB_CONTROL.INTERCEPT_MISC, INTERCEPT.HLT],
    ['the I/O map beyond memory', VMCB_CONTROL.IOPM_BASE_PA, 1n << 48n],
    ['the MSR map beyond memory', VMCB_CONTROL.MSRPM_BASE_PA, 1n << 51n],
    ['an event of a reserved type', VMCB_CONTROL.EVENTINJ, 0x8000_0106n],
    ['an exception with vector 2', VMCB_CONTROL.EVENTINJ, 0x8000_0302n],
    ['an exception with vector 32', VMCB_CONTROL.EVENTINJ, 0x8000_0320n],
    ['ASID 0', VMCB_CONTROL.GUEST_ASID, 0n],
    ['the first ASID above the maximum', VMCB_CONTROL.GUEST_ASID, 0x8000n],
    ['a reserved bit of nCR3', VMCB_CONTROL.N_CR3, BigInt(AT.npgd) | (1n << 48n)],
    ['a reserved type in G_PAT', VMCB_SAVE.G_PAT, 2n],
  ] as const)('exits with VMEXIT_INVALID for %s', (_why, field, value) => {
    const m = new GuestMachine().edit((view) => {
      view.set(field, value);
    });
    expect(m.run().code).toBe(VMEXIT.INVALID);
    expect(m.vmcb(VMCB_CONTROL.EXITCODE)).toBe(INVALID);
    expect(m.vmcb(VMCB_SAVE.RIP)).toBe(BigInt(CODE));
  });

  test.each([
    ['LME and PG without PAE', 0x8000_0011n, 0n],
    ['LME and PG without PE', 0x8000_0010n, 0x20n],
  ] as const)('leaves with VMEXIT_INVALID for EFER.%s', (_why, cr0, cr4) => {
    const m = new GuestMachine().edit((view) => {
      view.set(VMCB_SAVE.EFER, 0x1100n);
      view.set(VMCB_SAVE.CR0, cr0);
      view.set(VMCB_SAVE.CR4, cr4);
    });
    expect(m.run().code).toBe(VMEXIT.INVALID);
  });

  test('accepts the last ASID', () => {
    const m = new GuestMachine().edit((view) => {
      view.set(VMCB_CONTROL.GUEST_ASID, 0x7fffn);
    });
    expect(m.run().code).toBe(VMEXIT.HLT);
  });

  test('without nested paging throws E_UNMODELLED', () => {
    const m = new GuestMachine().edit((view) => {
      view.set(VMCB_CONTROL.NP_ENABLE, 0n);
    });
    expect(() => m.run()).toThrow(UnmodelledError);
  });
});

describe('the C-bit of the VMCB’s address', () => {
  test('selects the key that the VMCB is read and written under', () => {
    const m = new GuestMachine({
      encryption: true,
      c: { vmcb: true },
      key: { vmcb: KEY_HOST },
    });
    expect(m.run().code).toBe(VMEXIT.HLT);
    expect(m.vmcb(VMCB_CONTROL.EXITCODE)).toBe(0x78n);
  });

  test.each([
    ['an encrypted VMCB at a plain address', false, KEY_HOST],
    ['a plain VMCB at an encrypted address', true, 0],
  ] as const)(
    '%s is not a VMCB: VMEXIT_INVALID, stored under the key of the address',
    (_what, vmcb, key) => {
      const m = new GuestMachine({
        encryption: true,
        c: { vmcb },
        key: { vmcb: key as typeof KEY_HOST },
      });
      expect(m.run().code).toBe(VMEXIT.INVALID);
      m.cpu.wbinvd();
      expect(m.vmcb(VMCB_CONTROL.EXITCODE, (vmcb ? KEY_HOST : 0) as typeof KEY_HOST)).toBe(INVALID);
      expect(m.vmcb(VMCB_CONTROL.EXITCODE)).not.toBe(INVALID);
    },
  );
});

describe('VM_HSAVE_PA', () => {
  test.each([
    ['plain', false, 0],
    ['encrypted', true, KEY_HOST],
  ] as const)('with a %s address stores the host’s state under that key', (_what, hsave, key) => {
    const m = new GuestMachine({ encryption: true, c: { hsave } });
    expect(m.run().code).toBe(VMEXIT.HLT);
    m.cpu.wbinvd();
    const saved = m.get(AT.hsave + 0x550, 8, key as typeof KEY_HOST);
    expect(new DataView(saved.buffer).getBigUint64(0, true)).toBe(m.cpu.cr3);
  });

  test('outside memory shuts the CPU down, since all ones are not a host state', () => {
    const m = new GuestMachine({ cache: 0 });
    m.wrmsr(MSR.VM_HSAVE_PA, 1n << 40n);
    expect(m.cpu.vmrun(m.vmcbAddress)).toHaveProperty('shutdown');
  });

  test('refuses an unaligned address, one beyond memory, and the C-bit while it is not in force', () => {
    const off = new GuestMachine().cpu;
    expect(isFault(off.wrmsr(MSR.VM_HSAVE_PA, 0x800n))).toBe(true);
    expect(isFault(off.wrmsr(MSR.VM_HSAVE_PA, 1n << 48n))).toBe(true);
    const on = new GuestMachine({ encryption: true }).cpu;
    expect(isFault(on.wrmsr(MSR.VM_HSAVE_PA, 1n << 43n))).toBe(true);
    expect(isFault(on.wrmsr(MSR.VM_HSAVE_PA, C))).toBe(false);
  });
});

describe('VMLOAD and VMSAVE', () => {
  test('transfer the MSRs that VMRUN does not, with canonical addresses', () => {
    const m = new GuestMachine().edit((view) => {
      view.set([0x458, 8], 1n << 47n);
      view.set(VMCB_SAVE.STAR, 0x1234n);
    });
    expect(m.cpu.vmload(m.vmcbAddress)).toBeNull();
    expect(m.cpu.msrs.get('GS_BASE')).toBe(0xffff_8000_0000_0000n);
    expect(m.cpu.msrs.get('STAR')).toBe(0x1234n);
    m.cpu.msrs.set('LSTAR', 0x77n);
    expect(m.cpu.vmsave(m.vmcbAddress)).toBeNull();
    expect(m.vmcb(VMCB_SAVE.LSTAR)).toBe(0x77n);
    expect(m.vmcb(VMCB_SAVE.RIP)).toBe(BigInt(CODE));
  });
});

test.each([
  ['Zen 1', ZEN1, 4, { eax: 1, ebx: 0x8000, ecx: 0, edx: 1 }],
  ['Zen 3', ZEN3, 4, { eax: 1, ebx: 0x8000, ecx: 0, edx: 1 }],
] as const)('CPUID of %s has SVM with nested paging', (_name, model, svm, leaf) => {
  const { cpu } = new GuestMachine({ model });
  expect(cpu.cpuid(0x8000_0001).ecx & 4).toBe(svm);
  expect(cpu.cpuid(0x8000_000a)).toEqual(leaf);
});

test('a part without SVM has no leaf, no MSRs, and EFER.SVME is a #GP', () => {
  const { svm: _svm, ...without } = ZEN1;
  for (const model of [INTEL_BROADWELL, without]) {
    const msrs = new MsrFile({ model, cpu: 0, paging: false });
    expect(msrs.write(MSR.EFER, 0x1000n)).toBe(false);
    expect(msrs.read(MSR.VM_CR)).toBeNull();
    expect(msrs.read(MSR.VM_HSAVE_PA)).toBeNull();
    expect(cpuid(model, 0, 0x8000_0001).ecx).toBe(0);
    expect(cpuid(model, 0, 0x8000_000a)).toEqual({ eax: 0, ebx: 0, ecx: 0, edx: 0 });
  }
});
