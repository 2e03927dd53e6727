/** drivers/base/dd.c: drivers that do DMA. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    /** Each device's driver: a read and a write of known data. */
    'do_initcalls:drivers'(k: Kernel): void;
  }
}

export const drivers = kernelFile('drivers/base/dd.c', {
  'do_initcalls:drivers': label(() => undefined),
});
