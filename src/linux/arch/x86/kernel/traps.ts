/** arch/x86/kernel/traps.c: exception gates. */
import { stateSlice } from '../../../../kernel/state.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    early_trap_pf_init(k: Kernel): void;
  }
}

declare module '../../../../kernel/state.js' {
  interface KernelState {
    traps: {
      /** trap_init() has run. */
      final: boolean;
    };
  }
}
export const trapsState = stateSlice(() => ({ traps: { final: false } }));

const X86_TRAP_PF = 14;

export const traps = bodies({
  // page_fault() replaces the early handler in the gate.
  early_trap_pf_init: fn((k: Kernel) => {
    k.fn.set_intr_gate(X86_TRAP_PF, k.sym('page_fault'));
  }),
});
