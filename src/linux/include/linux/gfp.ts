/** include/linux/gfp.h: pages from the zones of the node. */
import { __alloc_pages } from '../../mm/page_alloc/page_alloc.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Physical address of 2^order pages, aligned to their size; 0 if there are none. */
    alloc_pages(k: Kernel, gfp: number, order: number): number;
  }
}

export const gfpHeader = bodies({
  alloc_pages: inline((k: Kernel, gfp: number, order: number) => __alloc_pages(k, gfp, order)),
});
