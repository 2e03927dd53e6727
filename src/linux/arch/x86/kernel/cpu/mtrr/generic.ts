/** arch/x86/kernel/cpu/mtrr/generic.c: memory types set on one CPU, the same on each. */
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
    /** On the CPU that runs: caches off, MTRRs and PAT written, caches on. */
    generic_set_all(k: Kernel): void;
  }
}

/** MTRRdefType.E and FE and the type (prepare_set clears them). */
const DEFTYPE_OFF = ~(MTRR_DEF_TYPE.TYPE | MTRR_DEF_TYPE.FE | MTRR_DEF_TYPE.E);

/** The boot CPU's first pass is traced whole; each later pass is the same on another CPU, and only its PAT is traced. */
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
    const does = k.state.patBootCpuDone ? UNTRACED : TRACED;
    const deftype = does.rdmsr(k, MSR_MTRRdefType);
    does.write_cr0(
      k,
      cr0 + (cr0 >= X86_CR0_CD && cr0 % (2 * X86_CR0_CD) >= X86_CR0_CD ? 0 : X86_CR0_CD),
    );
    does.wbinvd(k);
    does.write_cr4(k, cr4 & ~X86_CR4_PGE);
    does.__flush_tlb(k);
    does.wrmsr(k, MSR_MTRRdefType, deftype & DEFTYPE_OFF);
    does.wbinvd(k);
    k.fn.pat_init();
    does.__flush_tlb(k);
    does.wrmsr(k, MSR_MTRRdefType, deftype);
    does.write_cr0(k, cr0);
    does.write_cr4(k, cr4);
  }),
});
