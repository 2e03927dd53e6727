/** arch/x86/kernel/setup.c: the setup_data chain: what the loader passes besides the zero page. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    parse_setup_data(k: Kernel): void;
    memblock_x86_reserve_range_setup_data(k: Kernel): void;
    e820_reserve_setup_data(k: Kernel): void;
  }
}

export const setupData = kernelFile('arch/x86/kernel/setup.c', {
  parse_setup_data: label(() => undefined),
  memblock_x86_reserve_range_setup_data: label(() => undefined),
  e820_reserve_setup_data: label(() => undefined),
});
