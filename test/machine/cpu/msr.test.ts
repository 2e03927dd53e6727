import { describe, expect, test } from '@jest/globals';
import { INTEL_BROADWELL, ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import type { CpuModel } from '../../../src/machine/cpu/cpuid.js';
import { MSR, MsrFile, msrName, UNMODELLED_MSRS } from '../../../src/machine/cpu/msr.js';
import { UnmodelledError } from '../../../src/machine/unmodelled.js';

const file = (model: CpuModel = ZEN1, cpu = 0, paging = false): MsrFile =>
  new MsrFile({ model, cpu, paging });

test.each([
  ['APIC_BASE', 0xfee0_0900n],
  ['PAT', 0x0007_0406_0007_0406n],
  ['MTRRcap', 0x508n],
  ['EFER', 0n],
  ['SYSCFG', 0x14_0000n],
] as const)('after a reset %s is %i', (name, value) => {
  expect(file().read(MSR[name])).toBe(value);
});

test('only the boot CPU has APIC_BASE.BSC', () => {
  expect(file(ZEN1, 1).read(MSR.APIC_BASE)).toBe(0xfee0_0800n);
});

describe('SYSCFG', () => {
  test('accepts bit 23 if the part has SME and ignores undefined bits', () => {
    const msrs = file();
    expect(msrs.write(MSR.SYSCFG, (1n << 63n) | (1n << 23n) | (1n << 18n) | 1n)).toBe(true);
    expect(msrs.read(MSR.SYSCFG)).toBe((1n << 23n) | (1n << 18n));
    const { sme: _sme, ...plain } = ZEN1;
    const without = file(plain);
    without.write(MSR.SYSCFG, 1n << 23n);
    expect(without.read(MSR.SYSCFG)).toBe(0n);
  });

  test('is a #GP on Intel', () => {
    expect(file(INTEL_BROADWELL).read(MSR.SYSCFG)).toBeNull();
    expect(file(INTEL_BROADWELL).write(MSR.SYSCFG, 0n)).toBe(false);
  });
});

describe('WRMSR is a #GP and changes nothing for', () => {
  test.each([
    ['a reserved PAT type', 'PAT', 0x0002n],
    ['writing MTRRcap', 'MTRRcap', 0n],
    ['a reserved MTRR type', 'MTRRdefType', 2n],
    ['a reserved MTRRdefType bit', 'MTRRdefType', 1n << 9n],
    ['a reserved EFER bit', 'EFER', 1n << 9n],
    ['EFER.LMSLE', 'EFER', 1n << 13n],
    ['a reserved VM_CR bit', 'VM_CR', 1n << 5n],
    ['a VM_HSAVE_PA that is no page', 'VM_HSAVE_PA', 0x800n],
    ['a non-canonical LSTAR', 'LSTAR', 1n << 47n],
  ] as const)('%s', (_what, name, value) => {
    const msrs = file();
    const before = msrs.read(MSR[name]);
    expect(msrs.write(MSR[name], value)).toBe(false);
    expect(msrs.read(MSR[name])).toBe(before);
  });

  test('EFER.LME with paging on, EFER.NXE on a part without NX', () => {
    expect(file(ZEN1, 0, true).write(MSR.EFER, 1n << 8n)).toBe(false);
    expect(file(ZEN1, 0, false).write(MSR.EFER, 1n << 8n)).toBe(true);
    expect(file({ ...ZEN1, nx: false }).write(MSR.EFER, 1n << 11n)).toBe(false);
  });

  test('an unknown MSR number', () => {
    expect(file().read(0x4000_0000)).toBeNull();
    expect(msrName(0x4000_0000)).toBeUndefined();
  });
});

describe('VM_CR', () => {
  test('SVMDIS makes EFER.SVME reserved', () => {
    const msrs = file();
    expect(msrs.write(MSR.VM_CR, 1n << 4n)).toBe(true);
    expect(msrs.write(MSR.EFER, 1n << 12n)).toBe(false);
    expect(msrs.write(MSR.VM_CR, 0n)).toBe(true);
    expect(msrs.write(MSR.EFER, 1n << 12n)).toBe(true);
  });

  test('SVMDIS cannot be set while EFER.SVME is', () => {
    const msrs = file();
    msrs.write(MSR.EFER, 1n << 12n);
    expect(msrs.write(MSR.VM_CR, 1n << 4n)).toBe(false);
    expect(msrs.write(MSR.VM_CR, 1n << 3n)).toBe(true);
  });

  test('LOCK makes LOCK and SVMDIS read-only', () => {
    const msrs = file();
    msrs.write(MSR.VM_CR, (1n << 3n) | (1n << 4n));
    expect(msrs.write(MSR.VM_CR, 1n)).toBe(true);
    expect(msrs.read(MSR.VM_CR)).toBe((1n << 3n) | (1n << 4n) | 1n);
  });
});

test('EFER.LMA is read-only', () => {
  const msrs = file();
  expect(msrs.write(MSR.EFER, 1n << 10n)).toBe(true);
  expect(msrs.read(MSR.EFER)).toBe(0n);
});

test.each(Object.entries(UNMODELLED_MSRS))('access to %s throws E_UNMODELLED', (name, number) => {
  expect(msrName(number)).toBe(name);
  expect(() => file().read(number)).toThrow(UnmodelledError);
  expect(() => file().write(number, 0n)).toThrow(name);
});

test('a negative MSR number is the same register: ECX has 32 bits', () => {
  expect(file().read(MSR.SYSCFG - 2 ** 32)).toBe(0x14_0000n);
});

describe('MISC_ENABLE (Intel SDM vol. 4, table 2-2)', () => {
  test('is a register of Intel parts only', () => {
    expect(file(INTEL_BROADWELL).read(MSR.MISC_ENABLE)).toBe(0x5_0089n);
    expect(file(ZEN1).read(MSR.MISC_ENABLE)).toBeNull();
    expect(file(ZEN1).write(MSR.MISC_ENABLE, 0n)).toBe(false);
  });

  test('takes each of its bits and no other', () => {
    const bits = [0, 3, 7, 16, 18, 22, 23, 34];
    for (let n = 0; n < 64; n++) {
      const msrs = file(INTEL_BROADWELL);
      expect([n, msrs.write(MSR.MISC_ENABLE, 1n << BigInt(n))]).toEqual([n, bits.includes(n)]);
      expect(msrs.read(MSR.MISC_ENABLE)).toBe(bits.includes(n) ? 1n << BigInt(n) : 0x5_0089n);
    }
  });
});

describe('VM_HSAVE_PA (APM 15.30.4)', () => {
  const taken = (value: bigint, encryption = false): boolean => {
    const msrs = file();
    if (encryption) msrs.write(MSR.SYSCFG, 1n << 23n);
    const written = msrs.write(MSR.VM_HSAVE_PA, value);
    expect(msrs.read(MSR.VM_HSAVE_PA)).toBe(written ? value : 0n);
    return written;
  };
  const C = 1n << 47n;

  test('takes a page below the physical size, 48 bits without encryption', () => {
    expect([0x1000n, 0x1800n, 0x0n].map((value) => taken(value))).toEqual([true, false, true]);
    expect([2n ** 48n - 0x1000n, 2n ** 48n].map((value) => taken(value))).toEqual([true, false]);
    expect(taken(C | 0x1000n)).toBe(true);
  });

  test('takes a page below 43 bits with encryption, with the C-bit or without', () => {
    const last = 2n ** 43n - 0x1000n;
    for (const c of [0n, C]) {
      expect([last, 2n ** 43n, 0x800n].map((value) => taken(value | c, true))).toEqual([
        ...[true, false, false],
      ]);
    }
  });

  test('is a #GP on a part without SVM, as VM_CR is', () => {
    const { svm: _svm, ...plain } = ZEN1;
    for (const name of ['VM_HSAVE_PA', 'VM_CR'] as const) {
      expect(file(plain).read(MSR[name])).toBeNull();
      expect(file(plain).write(MSR[name], 0n)).toBe(false);
      expect(file().read(MSR[name])).toBe(0n);
    }
  });
});

describe('EFER (APM 3.1.7)', () => {
  const [SCE, LME, NXE, SVME, FFXSR] = [0, 8, 11, 12, 14];

  test('takes its bits and no other', () => {
    for (let n = 0; n < 64; n++) {
      const ok = [SCE, LME, 10, NXE, SVME, FFXSR].includes(n);
      expect([n, file().write(MSR.EFER, 1n << BigInt(n))]).toEqual([n, ok]);
    }
  });

  test('SVME is reserved on a part without SVM', () => {
    const { svm: _svm, ...plain } = ZEN1;
    expect(file(plain).write(MSR.EFER, 1n << 12n)).toBe(false);
    expect(file(plain).write(MSR.EFER, 1n << 11n)).toBe(true);
  });

  test('LME may be written with paging on if it stays as it is', () => {
    const msrs = file(ZEN1, 0, true);
    msrs.set('EFER', 0x500n);
    expect(msrs.write(MSR.EFER, 0x900n)).toBe(true);
    expect(msrs.read(MSR.EFER)).toBe(0xd00n);
    expect(msrs.write(MSR.EFER, 0x800n)).toBe(false);
  });
});

test('entries are all registers with their values, in the table’s order', () => {
  const entries = file().entries();
  expect(entries.map(([name]) => name)).toEqual(Object.keys(MSR));
  expect(Object.fromEntries(entries)).toMatchObject({ PAT: 0x0007_0406_0007_0406n, STAR: 0n });
});

test.each(['STAR', 'SF_MASK', 'TSC_AUX', 'SYSENTER_CS'] as const)('%s takes any value', (name) => {
  const msrs = file();
  expect(msrs.write(MSR[name], 2n ** 64n - 1n)).toBe(true);
  expect(msrs.read(MSR[name])).toBe(2n ** 64n - 1n);
});

test('APIC_BASE keeps BSC; x2APIC and reserved bits are a #GP, a move is not modelled (APM 16.3.1)', () => {
  const msrs = file();
  expect(msrs.write(MSR.APIC_BASE, 0xfee0_0800n)).toBe(true);
  expect(msrs.read(MSR.APIC_BASE)).toBe(0xfee0_0900n);
  for (const value of [0xfee0_0d00n, 0xfee0_0901n, (2n ** 52n) | 0xfee0_0900n]) {
    expect(msrs.write(MSR.APIC_BASE, value)).toBe(false);
  }
  for (const value of [0xfee0_0100n, 0xfed0_0900n]) {
    expect(() => msrs.write(MSR.APIC_BASE, value)).toThrow('APIC_BASE');
  }
});

test.each([
  ...(['SYSENTER_ESP', 'SYSENTER_EIP', 'LSTAR', 'CSTAR', 'FS_BASE'] as const),
  ...(['GS_BASE', 'KERNEL_GS_BASE'] as const),
])('%s takes canonical addresses only (APM 1.1.3)', (name) => {
  for (const [value, canonical] of [
    [2n ** 47n - 1n, true],
    [2n ** 47n, false],
    [2n ** 64n - 2n ** 47n, true],
    [2n ** 64n - 2n ** 47n - 1n, false],
  ] as const) {
    expect(file().write(MSR[name], value)).toBe(canonical);
  }
});

describe('registers that later kernels read', () => {
  test('SEV_STATUS is 0 and read-only, and a #GP on a part without SME', () => {
    expect(file().read(MSR.SEV_STATUS)).toBe(0n);
    expect(file().write(MSR.SEV_STATUS, 0n)).toBe(false);
    expect(file(INTEL_BROADWELL).read(MSR.SEV_STATUS)).toBeNull();
  });

  test('NB_CFG holds what is written, on AMD parts', () => {
    const msrs = file();
    expect(msrs.write(MSR.NB_CFG, 1n << 46n)).toBe(true);
    expect(msrs.read(MSR.NB_CFG)).toBe(1n << 46n);
    expect(file(INTEL_BROADWELL).read(MSR.NB_CFG)).toBeNull();
  });

  test('HWCR holds what is written, on AMD parts', () => {
    const msrs = file();
    expect(msrs.write(MSR.HWCR, 0x8000n)).toBe(true);
    expect(msrs.read(MSR.HWCR)).toBe(0x8000n);
    expect(file(INTEL_BROADWELL).read(MSR.HWCR)).toBeNull();
  });

  test('MTRR ranges are as firmware leaves them: write-back below 640 KiB, none variable', () => {
    const msrs = file();
    expect(msrs.read(MSR.MTRRfix64K_00000)).toBe(0x0606_0606_0606_0606n);
    expect(msrs.read(MSR.MTRRfix4K_F8000)).toBe(0n);
    expect(msrs.read(MSR.MTRRphysMask7)).toBe(0n);
    // The eighth pair is the last that MTRRcap promises.
    expect(msrs.read(0x210)).toBeNull();
  });

  test('writing an MTRR range its own value is allowed, a change of it is not modelled', () => {
    const msrs = file();
    expect(msrs.write(MSR.MTRRfix16K_A0000, 0n)).toBe(true);
    expect(() => msrs.write(MSR.MTRRfix16K_A0000, 6n)).toThrow('a change of MTRRfix16K_A0000');
    expect(msrs.read(MSR.MTRRfix16K_A0000)).toBe(0n);
  });
});
