/** arch/x86/kernel/setup.c: changes of the memory map before memblock is filled from it. */
import { E820 } from '../../include/asm/e820.js';
import { sanitize } from '../e820/e820.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    e820_add_kernel_range(k: Kernel): void;
    trim_bios_range(k: Kernel): void;
  }
}

const BIOS_BEGIN = 0xa_0000n;
const BIOS_END = 0x10_0000n;

export const setupE820 = bodies({
  // Makes the kernel's own range RAM where the map does not have it as RAM.
  e820_add_kernel_range: inline((k: Kernel) => {
    const start = BigInt(k.__pa(k.sym('_text')));
    const size = BigInt(k.__pa(k.sym('_end'))) - start;
    if (k.fn.e820_all_mapped(start, start + size, E820.RAM)) return;
    k.fn.printk('.text .data .bss are not marked as E820_RAM!');
    k.fn.e820_remove_range(start, size, null);
    k.fn.e820_add_region({ addr: start, size, type: E820.RAM });
  }),

  // Reserves page 0 and removes the BIOS area from RAM.
  trim_bios_range: inline((k: Kernel) => {
    k.fn.e820_update_range(0n, 4096n, E820.RAM, E820.RESERVED);
    k.fn.e820_remove_range(BIOS_BEGIN, BIOS_END - BIOS_BEGIN, E820.RAM);
    k.state.e820 = sanitize(k.state.e820) ?? k.state.e820;
  }),
});
