/** arch/x86/kernel/mpparse.c: the MP floating pointer. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    find_smp_config(k: Kernel): void;
  }
}

export const mpparse = kernelFile('arch/x86/kernel/mpparse.c', {
  find_smp_config: label(() => undefined),
});
