/** kernel/memremap.c: RAM through the direct map, other memory through ioremap_cache(). */
import { alignUp, hex, PAGE_SIZE, type Va } from '../../machine/address.js';
import { VMALLOC_END, VMALLOC_START } from '../arch/x86/mm/ioremap/late.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** MEMREMAP_WB: the direct-map address if all of the range is RAM, a new mapping if none is, 0 if it is mixed. */
    memremap(k: Kernel, phys: number, size: number): Va | 0;
    memunmap(k: Kernel, address: Va): void;
  }
}

export const memremapFile = bodies({
  memremap: inline((k: Kernel, phys: number, size: number): Va | 0 => {
    const pages = Array.from(
      { length: alignUp((phys % PAGE_SIZE) + size, PAGE_SIZE) / PAGE_SIZE },
      (_, i) => k.fn.page_is_ram(Math.floor(phys / PAGE_SIZE) + i),
    );
    if (pages.every((ram) => ram)) return k.__va(phys);
    if (pages.some((ram) => ram)) {
      k.fn.printk(`memremap attempted on mixed range ${hex(phys)} size: ${hex(size)}`);
      return 0;
    }
    return k.fn.ioremap_cache(phys, size);
  }),

  memunmap: inline((k: Kernel, address: Va) => {
    if (address >= VMALLOC_START && address <= VMALLOC_END) k.fn.iounmap(address);
  }),
});
