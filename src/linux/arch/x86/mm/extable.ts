/** arch/x86/mm/extable.c: an exception taken before the final handlers are installed. */
import type { Fault } from '../../../../machine/types.js';
import { BootEnd } from '../../../../kernel/ends.js';
import { describe } from '../../../../kernel/fault-text.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    early_fixup_exception(k: Kernel, fault: Fault): void;
  }
}

export const extable = bodies({
  early_fixup_exception: fn((k: Kernel, fault: Fault) => {
    // No exception-table entry covers the boot code that the model runs: the kernel prints the exception and stops.
    const text = `PANIC: early exception ${fault.vector.toString(16)} ${describe(fault)}`;
    k.fn.printk(text);
    k.trace.emit('panic', { message: text });
    throw new BootEnd('panic', 'early_fixup_exception', text);
  }),
});
