/** arch/x86/mm/tlb.c: TLB flushes. */
import type { Cpu } from '../../../../machine/cpu/cpu.js';
import { X86_CR4_PGE } from '../../../../kernel/constants.js';
import { __flush_tlb_all } from '../../../../kernel/cpu-ops.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Invalidates all translations on all CPUs, global ones included. */
    flush_tlb_all(k: Kernel): void;
  }
}

/** __flush_tlb_all() on one CPU. */
export function flushTlbOf(k: Kernel, cpu: Cpu): void {
  if (cpu.id === k.cpu.id) {
    __flush_tlb_all(k);
    return;
  }
  const { cr4 } = cpu;
  k.retryUntilDelivered(() => cpu.writeCr4(cr4 & ~X86_CR4_PGE));
  k.retryUntilDelivered(() => cpu.writeCr4(cr4));
  k.trace.emit('tlb-flush', { how: 'pge', cpu: cpu.id });
}

export const tlb = bodies({
  flush_tlb_all: inline((k: Kernel) => {
    k.fn.on_each_cpu((cpu) => {
      flushTlbOf(k, cpu);
    });
  }),
});
