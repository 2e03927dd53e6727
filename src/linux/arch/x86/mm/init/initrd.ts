/** arch/x86/mm/init.c: freeing the initrd's pages. */
import { alignUp, PAGE_SIZE, type Va } from '../../../../../machine/address.js';
import { fn, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Poisons the initrd's pages and frees them. */
    free_initrd_mem(k: Kernel, start: Va, end: Va): void;
  }
}

/** include/linux/poison.h */
const POISON_FREE_INITMEM = 0xcc;

export const initrdMem = bodies({
  free_initrd_mem: fn((k: Kernel, start: Va, end: Va) => {
    const length = alignUp(end, PAGE_SIZE) - start;
    k.notes?.released([{ at: start, size: length }]);
    k.memset(start, POISON_FREE_INITMEM, length);
    k.fn.free_bootmem_late(k.__pa(start), length);
  }),
});
