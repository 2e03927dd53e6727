/** mm/memblock.c: lists of memory ranges and of reserved ranges. Plain kernel state. */
import { alignDown, alignUp } from '../../machine/address.js';
import { stateSlice } from '../../kernel/state.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

/** A half-open range of physical addresses in bytes. */
export interface Range {
  base: number;
  size: number;
}

/** A reserved range, and the function that reserved it. */
export interface OwnedRange extends Range {
  readonly owner: string;
}

declare module '../../kernel/table.js' {
  interface Entries {
    memblock_add(k: Kernel, base: number, size: number): void;
    /** Reserves a range; `owner` is its name in the list, by default the calling function. */
    memblock_reserve(k: Kernel, base: number, size: number, owner?: string): void;
    memblock_free(k: Kernel, base: number, size: number): void;
    memblock_set_current_limit(k: Kernel, limit: number): void;
    memblock_trim_memory(k: Kernel, align: number): void;
    /** Address of the highest free range in [start, end), or below the current limit if `end` is 0; 0 if none fits. */
    memblock_find_in_range(
      k: Kernel,
      start: number,
      end: number,
      size: number,
      align: number,
    ): number;
    /** Bytes of memory below a page frame number. */
    memblock_mem_size(k: Kernel, limitPfn: number): number;
  }
}

declare module '../../kernel/state.js' {
  interface KernelState {
    memblock: { memory: Range[]; reserved: OwnedRange[]; currentLimit: number };
  }
}
export const memblockState = stateSlice(() => ({
  memblock: { memory: [], reserved: [], currentLimit: Number.MAX_SAFE_INTEGER },
}));

/** The model's physical addresses are below 2^52; ranges are truncated there. */
export const LIMIT = 2 ** 52;
const MEMBLOCK_ALLOC_ACCESSIBLE = 0;

/** Adds a range to a sorted list of disjoint ranges and merges adjacent ones. */
export function addRange(list: Range[], base: number, size: number): Range[] {
  if (size <= 0 || base >= LIMIT) return list;
  let start = base;
  let end = Math.min(base + size, LIMIT);
  const merged: Range[] = [];
  for (const range of list) {
    if (range.base > end || range.base + range.size < start) merged.push(range);
    else {
      start = Math.min(start, range.base);
      end = Math.max(end, range.base + range.size);
    }
  }
  merged.push({ base: start, size: end - start });
  return merged.sort((a, b) => a.base - b.base);
}

/** Removes a range from a sorted list of disjoint ranges. */
export function removeRange(list: readonly Range[], base: number, size: number): Range[] {
  const end = base + size;
  return list.flatMap((range) => {
    const top = range.base + range.size;
    if (top <= base || range.base >= end) return [range];
    const parts: Range[] = [];
    if (range.base < base) parts.push({ base: range.base, size: base - range.base });
    if (top > end) parts.push({ base: end, size: top - end });
    return parts;
  });
}

/** Adds the unreserved parts of a range, with their owner; the list stays sorted and disjoint. */
export function addOwned(
  list: readonly OwnedRange[],
  base: number,
  size: number,
  owner: string,
): OwnedRange[] {
  let unreserved: Range[] = addRange([], base, size);
  for (const range of list) unreserved = removeRange(unreserved, range.base, range.size);
  return [...list, ...unreserved.map((part) => ({ ...part, owner }))].sort(
    (a, b) => a.base - b.base,
  );
}

export const memblock = bodies({
  memblock_add: inline((k: Kernel, base: number, size: number) => {
    k.state.memblock.memory = addRange(k.state.memblock.memory, base, size);
  }),
  memblock_reserve: inline((k: Kernel, base: number, size: number, owner?: string) => {
    const by = owner ?? k.current?.name ?? '?';
    k.state.memblock.reserved = addOwned(k.state.memblock.reserved, base, size, by);
  }),
  memblock_free: inline((k: Kernel, base: number, size: number) => {
    k.state.memblock.reserved = k.state.memblock.reserved.flatMap((range) =>
      removeRange([range], base, size).map((part) => ({ ...part, owner: range.owner })),
    );
  }),
  memblock_set_current_limit: inline((k: Kernel, limit: number) => {
    k.state.memblock.currentLimit = limit;
  }),
  memblock_trim_memory: inline((k: Kernel, align: number) => {
    k.state.memblock.memory = k.state.memblock.memory.flatMap(({ base, size }) => {
      const start = alignUp(base, align);
      const end = alignDown(base + size, align);
      return start < end ? [{ base: start, size: end - start }] : [];
    });
  }),

  // Top down, as __memblock_find_range_top_down; page 0 is never allocated.
  memblock_find_in_range: inline(
    (k: Kernel, start: number, end: number, size: number, align: number): number => {
      // After mem_init() free memory belongs to the page allocator (mm/bootmem.c and slab_is_available()).
      if (k.state.pages.ready) k.fn.BUG('memblock used after mem_init');
      const low = Math.max(start, 4096);
      // memblock_find_in_range_node: the current limit applies only if no end is given.
      const high = end === MEMBLOCK_ALLOC_ACCESSIBLE ? k.state.memblock.currentLimit : end;
      const { memory, reserved } = k.state.memblock;
      let free: Range[] = [...memory];
      for (const range of reserved) free = removeRange(free, range.base, range.size);
      for (const range of free.sort((a, b) => b.base - a.base)) {
        const from = Math.max(range.base, low);
        const to = Math.min(range.base + range.size, high);
        if (to < size) continue;
        const candidate = alignDown(to - size, align);
        if (candidate >= from && candidate + size <= to) return candidate;
      }
      return 0;
    },
  ),

  memblock_mem_size: inline((k: Kernel, limitPfn: number) => {
    const limit = limitPfn * 4096;
    return k.state.memblock.memory.reduce(
      (sum, { base, size }) => sum + Math.max(0, Math.min(base + size, limit) - base),
      0,
    );
  }),
});
