/** mm/nobootmem.c: memory that memblock has not reserved is freed to the page allocator. */
import { alignDown, alignUp, PAGE_SIZE } from '../../machine/address.js';
import { freeRun, MAX_ORDER } from './page_alloc/buddy.js';
import { addRange, removeRange, type Range } from './memblock.js';
import { fn, inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';
import { MAX_DMA, MAX_DMA32, noteFreed, zoneOf, freePages } from './page_alloc/page_alloc.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Frees all memory that is not reserved to the page allocator. */
    free_all_bootmem(k: Kernel): void;
    /** Frees a range of physical memory to the allocator, page by page. */
    free_bootmem_late(k: Kernel, base: number, size: number): void;
  }
}

export const nobootmem = bodies({
  free_all_bootmem: fn((k: Kernel) => {
    let ranges: Range[] = [];
    for (const { base, size } of k.state.memblock.memory) ranges = addRange(ranges, base, size);
    for (const { base, size } of k.state.memblock.reserved)
      ranges = removeRange(ranges, base, size);
    const ends = [MAX_DMA, MAX_DMA32, Infinity];
    k.state.pages = {
      ready: true,
      // Until setup_per_cpu_pageset() a CPU's list is empty (setup_pageset: batch 1, high 0).
      zones: ends.map((end) => ({
        end: Math.min(end, Number.MAX_SAFE_INTEGER),
        managed: 0,
        batch: 1,
        high: 0,
        pcp: {},
        blocks: Array.from({ length: MAX_ORDER }, () => []),
        runs: [],
      })),
    };
    const freed: Range[] = [];
    let pages = 0;
    for (const { base, size } of ranges) {
      // Only whole pages are freed; page 0 is never allocated.
      let at = Math.max(alignUp(base, PAGE_SIZE), PAGE_SIZE);
      const top = alignDown(base + size, PAGE_SIZE);
      if (at < top) freed.push({ base: at, size: top - at });
      while (at < top) {
        const zone = zoneOf(k.state.pages, at);
        const stop = Math.min(top, zone.end);
        zone.managed += (stop - at) / PAGE_SIZE;
        pages += (stop - at) / PAGE_SIZE;
        freeRun(zone, at, stop);
        at = stop;
      }
    }
    noteFreed(k, freed);
    k.fn.printk(`Memory: ${String(pages * (PAGE_SIZE / 1024))}K available`);
  }),

  free_bootmem_late: inline((k: Kernel, base: number, size: number) => {
    freePages(k, alignUp(base, PAGE_SIZE), alignDown(base + size, PAGE_SIZE));
  }),
});
