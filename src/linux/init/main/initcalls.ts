/** init/main.c, do_initcalls(): drivers bind to their devices. */
import { label, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Probes each device's driver, in the order of the bus. */
    'do_initcalls:drivers'(k: Kernel): void;
  }
}

export const initcalls = bodies({
  'do_initcalls:drivers': label((k: Kernel) => {
    for (const dev of k.state.devices) k.fn.really_probe(dev);
  }),
});
