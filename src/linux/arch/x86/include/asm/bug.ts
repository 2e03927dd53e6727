/** arch/x86/include/asm/bug.h: BUG() and BUG_ON(). */
import { BootEnd } from '../../../../../kernel/ends.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    BUG(k: Kernel, what: string): never;
  }
}

export const asmBug = bodies({
  // ud2: the #UD has no fixup.
  BUG: inline((k: Kernel, what: string): never => {
    k.trace.emit('panic', { message: `kernel BUG: ${what}` });
    k.fn.printk(`kernel BUG: ${what}`);
    throw new BootEnd('panic', k.current?.name ?? '?', `kernel BUG: ${what}`);
  }),
});
