import { describe, expect, test } from '@jest/globals';
import type { Cpu } from '../../../../../src/machine/cpu/cpu.js';
import { MISC_ENABLE, MSR } from '../../../../../src/machine/cpu/msr.js';
import { boot, scenario } from '../../../../helpers.js';

/** CPUID leaves and MSR accesses of a CPU during `run`, in order. */
function accessesDuring(cpu: Cpu, run: () => unknown): string[] {
  const accesses: string[] = [];
  const [cpuid, rdmsr, wrmsr] = [cpu.cpuid.bind(cpu), cpu.rdmsr.bind(cpu), cpu.wrmsr.bind(cpu)];
  const hex = (number: number): string => number.toString(16);
  cpu.cpuid = (leaf, sub) => {
    accesses.push(hex(leaf));
    return cpuid(leaf, sub);
  };
  cpu.rdmsr = (msr) => {
    accesses.push(`rdmsr ${hex(msr)}`);
    return rdmsr(msr);
  };
  cpu.wrmsr = (msr, value) => {
    accesses.push(`wrmsr ${hex(msr)}`);
    return wrmsr(msr, value);
  };
  run();
  return accesses;
}

/** CPUID leaves and MSR accesses of verify_cpu on the boot CPU: the first step at stage 0 has no others. */
function bootCpuAccesses(name: string, prepare?: (misc: bigint) => bigint): string[] {
  const subject = boot({ scenario: scenario(name), stage: 0 });
  const cpu = subject.machine.cpus[0];
  if (prepare !== undefined) cpu.msrs.set('MISC_ENABLE', prepare(cpu.msrs.get('MISC_ENABLE')));
  return accessesDuring(cpu, () => {
    subject.runTo('startup_64');
  });
}

describe('verify_cpu', () => {
  const common = ['1', '80000000', '80000001', '1'];

  test('reads CPUID 0, 1, 80000000, 80000001 and 1 on an AMD processor', () => {
    expect(bootCpuAccesses('bios-minimal')).toEqual(['0', ...common]);
  });

  test("reads an Intel processor's IA32_MISC_ENABLE before the feature leaves", () => {
    expect(bootCpuAccesses('intel')).toEqual(['0', '1', 'rdmsr 1a0', ...common]);
  });

  test('writes IA32_MISC_ENABLE where firmware has turned no-execute off', () => {
    const off = (misc: bigint): bigint => misc | MISC_ENABLE.XD_DISABLE;
    expect(bootCpuAccesses('intel', off)).toEqual(['0', '1', 'rdmsr 1a0', 'wrmsr 1a0', ...common]);
  });

  test('reads the same leaves on each AP in 16-bit code, and again in 64-bit code', () => {
    const subject = boot({ scenario: scenario('bios-minimal', 'machine.cpus=2'), stage: 0 });
    const cpu = subject.machine.cpus[1];
    if (cpu === undefined) throw new Error('there is one CPU only');
    const leaves = accessesDuring(cpu, () => subject.run());
    expect(leaves.slice(0, 5)).toEqual(['0', ...common]);
    const later = leaves.slice(5).filter((leaf) => !leaf.startsWith('wrmsr'));
    expect(later.slice(0, 5)).toEqual(['0', ...common]);
  });
});

describe('IA32_MISC_ENABLE', () => {
  test('is a #GP on an AMD processor, and on Intel where a reserved bit is written', () => {
    const amd = boot().machine.cpus[0];
    expect(amd.rdmsr(MSR.MISC_ENABLE)).toMatchObject({ vector: 13 });
    const intel = boot({ scenario: scenario('intel') }).machine.cpus[0];
    expect(intel.wrmsr(MSR.MISC_ENABLE, 1n << 63n)).toMatchObject({ vector: 13 });
    expect(intel.wrmsr(MSR.MISC_ENABLE, MISC_ENABLE.XD_DISABLE)).toBeNull();
  });
});
