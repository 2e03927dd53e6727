/** include/linux/of.h: whether a device tree is present. */
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    of_have_populated_dt(k: Kernel): boolean;
  }
}

export const ofHeader = bodies({
  of_have_populated_dt: inline((k: Kernel) => k.readU64(k.sym('of_root')) !== 0n),
});
