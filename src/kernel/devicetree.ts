/** arch/x86/kernel/devicetree.c: the flattened device tree. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    x86_dtb_init(k: Kernel): void;
  }
}

export const devicetree = kernelFile('arch/x86/kernel/devicetree.c', {
  x86_dtb_init: label(() => undefined),
});
