import { expect, test } from '@jest/globals';
import * as constants from '../../src/kernel/constants.js';

test.each([
  ['MSR_EFER', 0xc000_0080],
  ['MSR_STAR', 0xc000_0081],
  ['MSR_LSTAR', 0xc000_0082],
  ['MSR_CSTAR', 0xc000_0083],
  ['MSR_SYSCALL_MASK', 0xc000_0084],
  ['MSR_FS_BASE', 0xc000_0100],
  ['MSR_GS_BASE', 0xc000_0101],
  ['MSR_KERNEL_GS_BASE', 0xc000_0102],
  ['MSR_TSC_AUX', 0xc000_0103],
  ['MSR_IA32_SYSENTER_CS', 0x174],
  ['MSR_IA32_SYSENTER_ESP', 0x175],
  ['MSR_IA32_SYSENTER_EIP', 0x176],
  ['MSR_IA32_MISC_ENABLE', 0x1a0],
  ['MSR_IA32_CR_PAT', 0x277],
  ['MSR_MTRRdefType', 0x2ff],
  ['MSR_K8_SYSCFG', 0xc001_0010],
  ['MSR_VM_CR', 0xc001_0114],
  ['MSR_VM_HSAVE_PA', 0xc001_0117],
  ['X86_CR0_PE', 0x1],
  ['X86_CR0_ET', 0x10],
  ['X86_CR0_WP', 0x1_0000],
  ['X86_CR0_CD', 0x4000_0000],
  ['X86_CR0_PG', 0x8000_0000],
  ['X86_CR4_PSE', 0x10],
  ['X86_CR4_PAE', 0x20],
  ['X86_CR4_PGE', 0x80],
  ['CR0_STATE', 0x8005_0033],
  ['EFER_SCE', 0x1n],
  ['EFER_NX', 0x800n],
  ['EFER_SVME', 0x1000n],
] as const)('%s is %p (asm/msr-index.h, asm/processor-flags.h, head_64.S)', (name, value) => {
  expect(constants[name]).toBe(value);
});
