/**
 * arch/x86/mm/mm_internal.h: allocates a page for a table of the direct map. The inline function calls alloc_low_pages()
 * of init.c; here they are one function (our choice).
 */
import type { Va } from '../../../../machine/address.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Allocates a zeroed page. Panics without memory. */
    alloc_low_page(k: Kernel): Va;
  }
}

export const mmInternal = bodies({
  alloc_low_page: fn((k: Kernel) => {
    // after_bootmem
    if (k.state.pages.ready) {
      const late = k.fn.get_zeroed_page(GFP.KERNEL);
      return late === 0 ? k.fn.panic('alloc_low_pages: can not alloc memory') : late;
    }
    const { pgtBuf } = k.state;
    let pfn = pgtBuf.end;
    if (pfn + 1 > pgtBuf.top || !k.state.canUseBrkPgt) {
      if (k.state.minPfnMapped >= k.state.maxPfnMapped)
        k.fn.panic('alloc_low_pages: ran out of memory');
      const found = k.fn.memblock_find_in_range(
        k.state.minPfnMapped * 4096,
        k.state.maxPfnMapped * 4096,
        4096,
        4096,
      );
      if (found === 0) k.fn.panic('alloc_low_pages: can not alloc memory');
      k.fn.memblock_reserve(found, 4096);
      pfn = found / 4096;
    } else {
      pgtBuf.end++;
    }
    const page = k.__va(pfn * 4096);
    k.memset(page, 0, 4096);
    return page;
  }, true),
});
