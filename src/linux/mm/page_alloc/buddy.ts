/**
 * The buddy system of mm/page_alloc.c: free blocks of 2^order pages per zone, split and merged; the block freed last is
 * allocated first. Addresses are physical, in bytes; element 0 of a list is its head.
 */
import { PAGE_SIZE } from '../../../machine/address.js';
import type { Range } from '../memblock.js';

/** The largest order: MAX_ORDER − 1 in the kernel (include/linux/mmzone.h). */
export const MAX_ORDER = 10;
export const MAX_ORDER_SIZE = PAGE_SIZE * 2 ** MAX_ORDER;

/** A zone: free blocks by order, and the per-CPU lists of single free pages. */
export interface Zone {
  /** Physical address after the zone's last byte. */
  end: number;
  /** Number of pages that the allocator manages (managed_pages). */
  managed: number;
  /** pcp->batch: pages moved to or from a per-CPU list at once; pcp->high: the list's limit. */
  batch: number;
  high: number;
  /** Per-CPU lists of single free pages, by CPU number. */
  pcp: Record<number, number[]>;
  /** Free blocks of the orders below MAX_ORDER, by order. */
  blocks: number[][];
  /** Free blocks of MAX_ORDER as contiguous runs: the highest block of the last run is the head of the list. */
  runs: Range[];
}

const SIZES = Array.from({ length: MAX_ORDER + 2 }, (_, order) => PAGE_SIZE * 2 ** order);

/** Size in bytes of a block of `order`. */
export const sizeOf = (order: number): number => SIZES[order] ?? PAGE_SIZE * 2 ** order;

/** The smallest order whose block holds `size` bytes (get_order). */
export function orderOf(size: number): number {
  let order = 0;
  while (sizeOf(order) < size) order++;
  return order;
}

const listOf = (zone: Zone, order: number): number[] => zone.blocks[order] ?? [];

function takeLargest(zone: Zone): number {
  const run = zone.runs.at(-1);
  if (run === undefined) return 0;
  run.size -= MAX_ORDER_SIZE;
  if (run.size === 0) zone.runs.pop();
  return run.base + run.size;
}

function putLargest(zone: Zone, base: number): void {
  const run = zone.runs.at(-1);
  if (run !== undefined && run.base + run.size === base) run.size += MAX_ORDER_SIZE;
  else zone.runs.push({ base, size: MAX_ORDER_SIZE });
}

/** Takes a block, split off the smallest one that is large enough (__rmqueue_smallest, expand); 0 if none is free. */
export function takeBlock(zone: Zone, order: number): number {
  for (let from = order; from <= MAX_ORDER; from++) {
    const base = from === MAX_ORDER ? takeLargest(zone) : (listOf(zone, from).shift() ?? 0);
    if (base === 0) continue;
    // The lower half is split further; the upper halves become free blocks.
    for (let half = from - 1; half >= order; half--) {
      listOf(zone, half).unshift(base + sizeOf(half));
    }
    return base;
  }
  return 0;
}

const buddyOf = (base: number, order: number): number => {
  const size = sizeOf(order);
  return Math.floor(base / size) % 2 === 0 ? base + size : base - size;
};

/** Frees a block and merges it with its free buddies (__free_one_page); false if it is free already. */
export function freeBlock(zone: Zone, base: number, order: number): boolean {
  if (order < MAX_ORDER && listOf(zone, order).includes(base)) return false;
  let at = base;
  let merged = order;
  while (merged < MAX_ORDER) {
    const list = listOf(zone, merged);
    const index = list.indexOf(buddyOf(at, merged));
    if (index < 0) break;
    at = Math.min(at, list[index] ?? at);
    list.copyWithin(index, index + 1);
    list.pop();
    merged++;
  }
  if (merged === MAX_ORDER) {
    putLargest(zone, at);
    return true;
  }
  const list = listOf(zone, merged);
  // A block whose next larger buddy is free may soon merge with it: it is appended at the end.
  const larger = Math.floor(at / sizeOf(merged + 1)) * sizeOf(merged + 1);
  const mayMerge =
    merged < MAX_ORDER - 1 && listOf(zone, merged + 1).includes(buddyOf(larger, merged + 1));
  if (mayMerge) list.push(at);
  else list.unshift(at);
  return true;
}

/**
 * Frees `pages` single pages from `base` on to a CPU's list, in ascending order; at its limit the list is drained by a
 * batch, the oldest pages first. Returns false and frees nothing if one of the pages is free already.
 */
export function addPcp(zone: Zone, cpu: number, base: number, pages = 1): boolean {
  const list = (zone.pcp[cpu] ??= []);
  const end = base + pages * PAGE_SIZE;
  const isGiven = (page: number): boolean => page >= base && page < end;
  if (list.some(isGiven) || listOf(zone, 0).some(isGiven)) return false;
  // Pages by age, the oldest first: those on the list, then the given ones.
  const before = list.length;
  const at = (i: number): number =>
    i < before ? (list[before - 1 - i] ?? 0) : base + (i - before) * PAGE_SIZE;
  let oldest = 0;
  for (let count = before + 1; count <= before + pages; count++) {
    if (count - oldest < zone.high) continue;
    const stop = Math.min(oldest + zone.batch, count);
    while (oldest < stop) freeBlock(zone, at(oldest++), 0);
  }
  const remaining = before + pages - oldest;
  zone.pcp[cpu] = Array.from({ length: remaining }, (_, i) => at(before + pages - 1 - i));
  return true;
}

/** Frees [start, end) in the largest aligned blocks, in ascending order (__free_pages_memory). */
export function freeRun(zone: Zone, start: number, end: number): void {
  let at = start;
  while (at < end) {
    const whole = Math.floor((end - at) / MAX_ORDER_SIZE) * MAX_ORDER_SIZE;
    if (at % MAX_ORDER_SIZE === 0 && whole > 0) {
      zone.runs.push({ base: at, size: whole });
      at += whole;
      continue;
    }
    let order = 0;
    while (at % sizeOf(order + 1) === 0 && at + sizeOf(order + 1) <= end) order++;
    freeBlock(zone, at, order);
    at += sizeOf(order);
  }
}
