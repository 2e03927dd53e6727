/** arch/x86/mm/kasan_init_64.c: the early shadow of KASAN. */
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    kasan_early_init(k: Kernel): void;
  }
}

export const kasanInit64 = bodies({
  // CONFIG_KASAN is off in the base configuration; the empty function exists for the patch that edits its body.
  kasan_early_init: inline(() => undefined),
});
