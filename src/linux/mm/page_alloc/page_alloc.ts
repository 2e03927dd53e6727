/**
 * mm/page_alloc.c: the allocator of page frames after free_all_bootmem(), as in the kernel:
 * zones, a buddy system, and per-CPU lists of single pages. Plain kernel state. Migrate types, watermarks and
 * nodes are not modelled (our choice): they have no effect on a boot with enough memory.
 */
import { alignUp, PAGE_SIZE, va, type Va } from '../../../machine/address.js';
import {
  addPcp,
  freeBlock,
  MAX_ORDER,
  MAX_ORDER_SIZE,
  orderOf,
  sizeOf,
  takeBlock,
  type Zone,
} from './buddy.js';
import { addRange, type Range } from '../memblock.js';
import { stateSlice } from '../../../kernel/state.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

/** Zone modifiers of an allocation (include/linux/gfp.h). */
export const GFP = { KERNEL: 0, DMA: 1, DMA32: 4 } as const;
/** Ends of ZONE_DMA and ZONE_DMA32 (asm/dma.h), in bytes. */
export const MAX_DMA = 16 * 2 ** 20;
export const MAX_DMA32 = 2 ** 32;

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Sets the batch and the limit of each zone's per-CPU lists. */
    setup_per_cpu_pageset(k: Kernel): void;
    /** alloc_pages(), as a direct-map address. */
    __get_free_pages(k: Kernel, gfp: number, order: number): Va | 0;
    get_zeroed_page(k: Kernel, gfp: number): Va | 0;
    /** Physical address of contiguous pages for `size` bytes; 0 if there are none. */
    alloc_pages_exact(k: Kernel, gfp: number, size: number): number;
    free_pages(k: Kernel, address: Va, order: number): void;
  }
}

/** The page allocator's state: its zones, in ascending order. */
export interface PageState {
  ready: boolean;
  zones: Zone[];
}

declare module '../../../kernel/state.js' {
  interface KernelState {
    pages: PageState;
  }
}
export const pageState = stateSlice(() => ({ pages: { ready: false, zones: [] } }));

/** All free memory, ordered by address. */
export function freeRanges({ zones }: PageState): Range[] {
  let ranges: Range[] = [];
  for (const { blocks, runs, pcp } of zones) {
    for (const { base, size } of runs) ranges = addRange(ranges, base, size);
    for (const [order, list] of blocks.entries()) {
      for (const base of list) ranges = addRange(ranges, base, sizeOf(order));
    }
    for (const base of Object.values(pcp).flat()) ranges = addRange(ranges, base, PAGE_SIZE);
  }
  return ranges;
}

export function zoneOf({ zones }: PageState, address: number): Zone {
  const zone = zones.find(({ end }) => address < end);
  if (zone === undefined) throw new RangeError(`no zone at ${address.toString(16)}`);
  return zone;
}

function free(k: Kernel, base: number, order: number): void {
  if (order === 0) return freePages(k, base, base + PAGE_SIZE);
  noteFreed(k, [{ base, size: sizeOf(order) }]);
  checked(k, freeBlock(zoneOf(k.state.pages, base), base, order));
}

/** States that ranges of physical memory, which the direct map maps, are free from now on. */
export function noteFreed(k: Kernel, ranges: readonly Range[]): void {
  k.notes?.freed(ranges.map(({ base, size }) => ({ at: k.__va(base), size })));
}

/** Frees the pages of [start, end) one by one. */
export function freePages(k: Kernel, start: number, end: number): void {
  noteFreed(k, [{ base: start, size: end - start }]);
  for (let at = start; at < end;) {
    const zone = zoneOf(k.state.pages, at);
    const stop = Math.min(end, zone.end);
    checked(k, addPcp(zone, k.cpu.id, at, (stop - at) / PAGE_SIZE));
    at = stop;
  }
}

/** A page that is freed twice is a bug of the caller (mm/page_alloc.c: bad_page). */
function checked(k: Kernel, freed: boolean): void {
  if (!freed) k.fn.BUG('bad page state: freed twice');
}

/** The zones that may serve a request, the preferred one first (build_zonelists_node). */
function zonelist({ zones }: PageState, gfp: number): Zone[] {
  const limit = (gfp & GFP.DMA) !== 0 ? MAX_DMA : (gfp & GFP.DMA32) !== 0 ? MAX_DMA32 : Infinity;
  return zones.filter(({ end }) => end <= limit || limit === Infinity).reverse();
}

/** Takes a page from a CPU's list; an empty list is refilled with a batch (buffered_rmqueue, rmqueue_bulk). */
function takePage(zone: Zone, cpu: number): number {
  const list = (zone.pcp[cpu] ??= []);
  for (let i = list.length === 0 ? zone.batch : 0; i > 0; i--) {
    const page = takeBlock(zone, 0);
    if (page === 0) break;
    list.push(page);
  }
  return list.shift() ?? 0;
}

/** __alloc_pages_nodemask(): physical address of 2^order pages, aligned to their size; 0 if there are none. */
export function __alloc_pages(k: Kernel, gfp: number, order: number): number {
  if (!k.state.pages.ready) k.fn.BUG('the page allocator is used before mem_init');
  if (order > MAX_ORDER) return 0;
  for (const zone of zonelist(k.state.pages, gfp)) {
    const at = order === 0 ? takePage(zone, k.cpu.id) : takeBlock(zone, order);
    if (at !== 0) return at;
  }
  return 0;
}

export const pageAlloc = bodies({
  setup_per_cpu_pageset: inline((k: Kernel) => {
    for (const zone of k.state.pages.zones) {
      // zone_batchsize(): 1/1024 of the zone or 512 KiB if that is less, divided by 4, rounded to 2^n − 1.
      const part = Math.min(Math.floor(zone.managed / 1024), (512 * 1024) / PAGE_SIZE);
      const batch = Math.max(1, Math.floor(part / 4));
      zone.batch = Math.max(1, 2 ** Math.floor(Math.log2(batch + Math.floor(batch / 2))) - 1);
      zone.high = 6 * zone.batch;
    }
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
  alloc_pages_exact: inline((k: Kernel, gfp: number, size: number) => {
    const used = alignUp(size, PAGE_SIZE);
    if (used > MAX_ORDER_SIZE) return 0;
    const order = orderOf(used);
    const at = k.fn.alloc_pages(gfp, order);
    // make_alloc_exact(): the pages after `used` bytes are freed one by one.
    if (at !== 0) freePages(k, at + used, at + sizeOf(order));
    return at;
  }),
  free_pages: inline((k: Kernel, address: Va, order: number) => {
    free(k, k.__pa(address), order);
  }),
});
