/** include/asm-generic/fixmap.h: addresses and flags of the fixed mappings. */
import { va, type Va } from '../../../machine/address.js';
import { FIXADDR_TOP } from '../../../kernel/constants.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    FIXMAP_PAGE_NORMAL(k: Kernel): bigint;
    FIXMAP_PAGE_IO(k: Kernel): bigint;
    FIXMAP_PAGE_NOCACHE(k: Kernel): bigint;
    fix_to_virt(k: Kernel, index: number): Va;
    set_fixmap_nocache(k: Kernel, index: number, phys: number): void;
  }
}

export const fixmap = bodies({
  FIXMAP_PAGE_NORMAL: inline((k: Kernel) => k.fn.PAGE_KERNEL()),

  FIXMAP_PAGE_IO: inline((k: Kernel) => k.fn.PAGE_KERNEL_IO()),

  FIXMAP_PAGE_NOCACHE: inline((k: Kernel) => k.fn.PAGE_KERNEL_NOCACHE()),

  fix_to_virt: inline((_k: Kernel, index: number) => va(FIXADDR_TOP - index * 4096)),

  set_fixmap_nocache: inline((k: Kernel, index: number, phys: number) => {
    k.fn.native_set_fixmap(index, phys, k.fn.FIXMAP_PAGE_NOCACHE());
  }),
});
