/** arch/x86/realmode/init.c: the trampoline of other CPUs. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    reserve_real_mode(k: Kernel): void;
    setup_real_mode(k: Kernel): void;
    set_real_mode_permissions(k: Kernel): void;
  }
}

export const realmodeInit = kernelFile('arch/x86/realmode/init.c', {
  reserve_real_mode: label(() => undefined),
  setup_real_mode: label(() => undefined),
  set_real_mode_permissions: label(() => undefined),
});
