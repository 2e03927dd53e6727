/** drivers/video/console/vgacon.c: the VGA text console. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    console_init(k: Kernel): void;
  }
}

export const vgacon = kernelFile('drivers/video/console/vgacon.c', {
  console_init: label(() => undefined),
});
