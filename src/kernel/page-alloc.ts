/**
 * mm/page_alloc.c and mm/nobootmem.c: page frames once memblock has handed its memory over. Kept as plain kernel state.
 * Zones, alignment and the reuse of what was freed last are the kernel's; the order among never used pages is our
 * choice (from the top of memory down).
 */
import { alignDown, alignUp, PAGE_SIZE, va, type Va } from '../machine/address.js';
import { addRange, removeRange } from './memblock.js';
import { fn, inline, kernelFile } from './table.js';
import type { Kernel } from './kernel.js';
import type { Range } from './state.js';

/** Where pages may come from (include/linux/gfp.h); the zone's limit is what counts here. */
export const GFP = { KERNEL: 0, DMA: 1, DMA32: 4 } as const;
/** Ends of ZONE_DMA and ZONE_DMA32 (asm/dma.h), in bytes. */
const MAX_DMA = 16 * 2 ** 20;
const MAX_DMA32 = 2 ** 32;

declare module './table.js' {
  interface Entries {
    /** Memory that nobody reserved becomes free pages. */
    free_all_bootmem(k: Kernel): void;
    /** Physical address of 2^order pages, aligned to their size; 0 where there are none. */
    alloc_pages(k: Kernel, gfp: number, order: number): number;
    /** The same as a direct-map address. */
    __get_free_pages(k: Kernel, gfp: number, order: number): Va | 0;
    get_zeroed_page(k: Kernel, gfp: number): Va | 0;
    /** Pages for a number of bytes, page-aligned, in one piece; a physical address, 0 where there are none. */
    alloc_pages_exact(k: Kernel, gfp: number, size: number): number;
    free_pages(k: Kernel, address: Va, order: number): void;
    /** Gives a range of physical memory to the allocator (free_reserved_area, free_bootmem_late). */
    free_bootmem_late(k: Kernel, base: number, size: number): void;
  }
}

function limitOf(gfp: number): number {
  if ((gfp & GFP.DMA) !== 0) return MAX_DMA;
  return (gfp & GFP.DMA32) !== 0 ? MAX_DMA32 : Infinity;
}

/** The highest piece of a free range that fits below a limit; undefined where there is none. */
function fit(range: Range, size: number, align: number, limit: number): number | undefined {
  const top = Math.min(range.base + range.size, limit);
  const at = alignDown(top - size, align);
  return at >= range.base && at + size <= top ? at : undefined;
}

function take(k: Kernel, gfp: number, size: number, align: number): number {
  const { pages } = k.state;
  if (!pages.ready) k.fn.BUG('the page allocator is used before mem_init');
  const limit = limitOf(gfp);
  for (const [index, range] of pages.free.entries()) {
    const at = fit(range, size, align, limit);
    if (at === undefined) continue;
    pages.free.splice(index, 1, ...removeRange([range], at, size));
    return at;
  }
  return 0;
}

/** Gives a range back: it is the first to be used again. */
function give(k: Kernel, base: number, size: number): void {
  const { pages } = k.state;
  // A page that is freed twice is a bug of whoever freed it (mm/page_alloc.c: bad_page).
  if (pages.free.some((r) => base < r.base + r.size && r.base < base + size)) {
    k.fn.BUG('bad page state: freed twice');
  }
  pages.free.unshift({ base, size });
}

export const pageAlloc = kernelFile('mm/page_alloc.c', {
  free_all_bootmem: fn((k: Kernel) => {
    let free: Range[] = [];
    for (const { base, size } of k.state.memblock.memory) free = addRange(free, base, size);
    for (const { base, size } of k.state.memblock.reserved) free = removeRange(free, base, size);
    k.state.pages = {
      ready: true,
      free: free
        .map(({ base, size }) => {
          // Only whole pages are free; page 0 is never given out.
          const start = Math.max(alignUp(base, PAGE_SIZE), PAGE_SIZE);
          return { base: start, size: alignDown(base + size, PAGE_SIZE) - start };
        })
        .filter(({ size }) => size > 0)
        .reverse(),
    };
    const kib = k.state.pages.free.reduce((sum, { size }) => sum + size, 0) / 1024;
    k.say.console(`Memory: ${String(kib)}K available`);
  }),

  alloc_pages: inline((k: Kernel, gfp: number, order: number) => {
    const size = PAGE_SIZE * 2 ** order;
    return take(k, gfp, size, size);
  }),
  __get_free_pages: inline((k: Kernel, gfp: number, order: number) => {
    const at = k.fn.alloc_pages(gfp, order);
    return at === 0 ? 0 : k.__va(at);
  }),
  get_zeroed_page: inline((k: Kernel, gfp: number) => {
    const page = k.fn.__get_free_pages(gfp, 0);
    if (page !== 0) k.memset(va(page), 0, PAGE_SIZE);
    return page;
  }),
  alloc_pages_exact: inline((k: Kernel, gfp: number, size: number) =>
    take(k, gfp, alignUp(size, PAGE_SIZE), PAGE_SIZE),
  ),
  free_pages: inline((k: Kernel, address: Va, order: number) => {
    give(k, k.__pa(address), PAGE_SIZE * 2 ** order);
  }),
  free_bootmem_late: inline((k: Kernel, base: number, size: number) => {
    const start = alignUp(base, PAGE_SIZE);
    const end = alignDown(base + size, PAGE_SIZE);
    if (start < end) give(k, start, end - start);
  }),
});
