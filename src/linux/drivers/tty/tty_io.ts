/** drivers/tty/tty_io.c: the console initcalls. */
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Calls the console initcalls, of which con_init is one. */
    console_init(k: Kernel): void;
  }
}

export const ttyIo = bodies({
  console_init: inline((k: Kernel) => {
    k.fn.con_init();
  }),
});
