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
