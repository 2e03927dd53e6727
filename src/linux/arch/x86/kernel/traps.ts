/** arch/x86/kernel/traps.c: exception gates, and the end of an exception that the final handlers get. */
import { VECTOR, type Fault } from '../../../../machine/types.js';
import { BootEnd } from '../../../../kernel/ends.js';
import { describe } from '../../../../kernel/fault-text.js';
import { stateSlice } from '../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    early_trap_pf_init(k: Kernel): void;
    /** Prints an exception of kernel code and ends the boot. */
    die(k: Kernel, fault: Fault): never;
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

/** The final handlers of the vectors that the machine raises, and what they print: DO_ERROR(), traps.c. */
const HANDLERS: Readonly<Record<number, readonly [handler: string, text: string]>> = {
  [VECTOR.UD]: ['do_invalid_op', 'invalid opcode'],
  [VECTOR.DF]: ['do_double_fault', 'double fault'],
  [VECTOR.GP]: ['do_general_protection', 'general protection fault'],
};

export const traps = bodies({
  // page_fault() replaces the early handler in the gate.
  early_trap_pf_init: fn((k: Kernel) => {
    k.fn.set_intr_gate(X86_TRAP_PF, k.sym('page_fault'));
  }),

  die: inline((k: Kernel, fault: Fault): never => {
    const [handler, name] = HANDLERS[fault.vector] ?? ['die', describe(fault)];
    // __die(), dumpstack.c: the error code, the number of the oops, and the configuration.
    const text = `${name}: ${fault.error.toString(16).padStart(4, '0')} [#1] SMP`;
    k.trace.console(text);
    const message = `Fatal exception: ${describe(fault)}`;
    k.trace.emit('panic', { message });
    throw new BootEnd('panic', handler, `${text}; ${message}`);
  }),
});
