/** arch/x86/kernel/cpu/mtrr/generic.c: sets the memory types of one CPU. */
import { MTRR_DEF_TYPE } from '../../../../../../machine/cpu/mtrr.js';
import { MSR_MTRRdefType, X86_CR0_CD, X86_CR4_PGE } from '../../../../../../kernel/constants.js';
import {
  __flush_tlb,
  rdmsr,
  wbinvd,
  write_cr0,
  write_cr4,
  wrmsr,
} from '../../../../../../kernel/cpu-ops.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** On the current CPU: disables the caches, writes MTRRs and PAT, enables the caches. */
    generic_set_all(k: Kernel): void;
  }
}

/** Mask without MTRRdefType.E, FE and TYPE, which prepare_set() clears. */
const DEFTYPE_OFF = ~(MTRR_DEF_TYPE.TYPE | MTRR_DEF_TYPE.FE | MTRR_DEF_TYPE.E);

/** The first pass, on the boot CPU, is traced in full. Later passes repeat it, and only their PAT is traced. */
const TRACED = { __flush_tlb, rdmsr, wbinvd, write_cr0, write_cr4, wrmsr };
const UNTRACED: typeof TRACED = {
  rdmsr: (k, msr) => {
    const value = k.cpu.rdmsr(msr);
    return typeof value === 'bigint' ? value : rdmsr(k, msr);
  },
  wrmsr: (k, msr, value) => {
    k.retryUntilDelivered(() => k.cpu.wrmsr(msr, value));
  },
  write_cr0: (k, value) => {
    k.retryUntilDelivered(() => k.cpu.writeCr0(value));
  },
  write_cr4: (k, value) => {
    k.retryUntilDelivered(() => k.cpu.writeCr4(value));
  },
  wbinvd: (k) => {
    k.cpu.wbinvd();
  },
  __flush_tlb: (k) => {
    k.retryUntilDelivered(() => k.cpu.writeCr3(k.cpu.cr3));
  },
};

export const mtrr = bodies({
  generic_set_all: inline((k: Kernel) => {
    const { cr0, cr4 } = k.cpu;
    const ops = k.state.patBootCpuDone ? UNTRACED : TRACED;
    const deftype = ops.rdmsr(k, MSR_MTRRdefType);
    ops.write_cr0(
      k,
      cr0 + (cr0 >= X86_CR0_CD && cr0 % (2 * X86_CR0_CD) >= X86_CR0_CD ? 0 : X86_CR0_CD),
    );
    ops.wbinvd(k);
    ops.write_cr4(k, cr4 & ~X86_CR4_PGE);
    ops.__flush_tlb(k);
    ops.wrmsr(k, MSR_MTRRdefType, deftype & DEFTYPE_OFF);
    ops.wbinvd(k);
    k.fn.pat_init();
    ops.__flush_tlb(k);
    ops.wrmsr(k, MSR_MTRRdefType, deftype);
    ops.write_cr0(k, cr0);
    ops.write_cr4(k, cr4);
  }),
});
