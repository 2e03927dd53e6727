/** fs/open.c: the existence check of a path. */
import { lookupPath } from './namei.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Whether a path exists (F_OK): 0 or a negative errno. */
    sys_access(k: Kernel, path: string): number;
  }
}

export const open = bodies({
  sys_access: inline((k: Kernel, path: string) => {
    const found = lookupPath(k.state.rootfs, path, true);
    return found < 0 ? found : 0;
  }),
});
