/** kernel/panic.c: prints a message and stops the kernel. */
import { BootEnd } from '../../kernel/ends.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    panic(k: Kernel, message: string): never;
  }
}

export const panic = bodies({
  panic: inline((k: Kernel, message: string): never => {
    k.trace.emit('panic', { message });
    k.fn.printk(`Kernel panic - not syncing: ${message}`);
    throw new BootEnd('panic', k.current?.name ?? '?', message);
  }),
});
