/** arch/x86/kernel/dumpstack.c: the end of an exception that the final handlers get. */
import { VECTOR, type Fault } from '../../../../machine/types.js';
import { BootEnd } from '../../../../kernel/ends.js';
import { describe } from '../../../../kernel/fault-text.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Prints an exception of kernel code and ends the boot. */
    die(k: Kernel, fault: Fault): never;
  }
}

/** The final handlers of the vectors that the machine raises, and what they print: DO_ERROR(), traps.c. */
const HANDLERS: Readonly<Record<number, readonly [handler: string, text: string]>> = {
  [VECTOR.UD]: ['do_invalid_op', 'invalid opcode'],
  [VECTOR.DF]: ['do_double_fault', 'double fault'],
  [VECTOR.GP]: ['do_general_protection', 'general protection fault'],
};

export const dumpstack = bodies({
  die: inline((k: Kernel, fault: Fault): never => {
    const [handler, name] = HANDLERS[fault.vector] ?? ['die', describe(fault)];
    // __die(): the error code, the number of the oops, and the configuration.
    const text = `${name}: ${fault.error.toString(16).padStart(4, '0')} [#1] SMP`;
    k.fn.printk(text);
    const message = `Fatal exception: ${describe(fault)}`;
    k.trace.emit('panic', { message });
    throw new BootEnd('panic', handler, `${text}; ${message}`);
  }),
});
