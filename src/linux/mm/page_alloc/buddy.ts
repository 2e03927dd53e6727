/**
 * The buddy system of mm/page_alloc.c: blocks of 2^order pages by zone, split and merged, the last freed first.
 * Addresses are physical, in bytes; lists have their head first.
 */
import { PAGE_SIZE } from '../../../machine/address.js';
import type { Range } from '../memblock.js';

/** The largest order: MAX_ORDER − 1 in the kernel (include/linux/mmzone.h). */
export const MAX_ORDER = 10;
export const MAX_ORDER_SIZE = PAGE_SIZE * 2 ** MAX_ORDER;

/** A zone: free blocks by order, and single pages that CPUs keep. */
export interface Zone {
  /** Address after the last. */
  end: number;
  /** Pages that it has in all. */
  managed: number;
  /** Pages that a CPU takes at once, and the most that its list holds. */
  batch: number;
  high: number;
  /** Single pages by CPU. */
  pcp: Record<number, number[]>;
  /** Blocks of orders below the largest. */
  blocks: number[][];
  /** Blocks of the largest order, in runs: the last run's highest block is the head of the list. */
  runs: Range[];
}

const SIZES = Array.from({ length: MAX_ORDER + 2 }, (_, order) => PAGE_SIZE * 2 ** order);

/** Bytes of a block. */
export const sizeOf = (order: number): number => SIZES[order] ?? PAGE_SIZE * 2 ** order;

/** The order of a block that holds a number of bytes (get_order). */
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

/** A block of an order, split off the smallest that is large enough (__rmqueue_smallest, expand); 0 where none is. */
export function takeBlock(zone: Zone, order: number): number {
  for (let from = order; from <= MAX_ORDER; from++) {
    const base = from === MAX_ORDER ? takeLargest(zone) : (listOf(zone, from).shift() ?? 0);
    if (base === 0) continue;
    // The lower half is split on; the upper ones are free.
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

/** Frees a block, merged with its buddies as far as they are free (__free_one_page); false if it is free already. */
export function freeBlock(zone: Zone, base: number, order: number): boolean {
  if (order < MAX_ORDER && listOf(zone, order).includes(base)) return false;
  let at = base;
  let size = order;
  while (size < MAX_ORDER) {
    const list = listOf(zone, size);
    const index = list.indexOf(buddyOf(at, size));
    if (index < 0) break;
    at = Math.min(at, list[index] ?? at);
    list.copyWithin(index, index + 1);
    list.pop();
    size++;
  }
  if (size === MAX_ORDER) {
    putLargest(zone, at);
    return true;
  }
  const list = listOf(zone, size);
  // A block whose next larger buddy is free may soon merge with it: it is appended at the end.
  const larger = Math.floor(at / sizeOf(size + 1)) * sizeOf(size + 1);
  const soon = size < MAX_ORDER - 1 && listOf(zone, size + 1).includes(buddyOf(larger, size + 1));
  if (soon) list.push(at);
  else list.unshift(at);
  return true;
}

/**
 * Frees single pages from an address on to a CPU's list, one after the other; above its limit it is drained by the batch,
 * the oldest first. False, and nothing done, if one of them is free already.
 */
export function addPcp(zone: Zone, cpu: number, base: number, pages = 1): boolean {
  const list = (zone.pcp[cpu] ??= []);
  const end = base + pages * PAGE_SIZE;
  const among = (page: number): boolean => page >= base && page < end;
  if (list.some(among) || listOf(zone, 0).some(among)) return false;
  // The oldest first: what the list has, then the pages.
  const before = list.length;
  const at = (i: number): number =>
    i < before ? (list[before - 1 - i] ?? 0) : base + (i - before) * PAGE_SIZE;
  let oldest = 0;
  for (let count = before + 1; count <= before + pages; count++) {
    if (count - oldest < zone.high) continue;
    const stop = Math.min(oldest + zone.batch, count);
    while (oldest < stop) freeBlock(zone, at(oldest++), 0);
  }
  const left = before + pages - oldest;
  zone.pcp[cpu] = Array.from({ length: left }, (_, i) => at(before + pages - 1 - i));
  return true;
}

/** Frees [start, end) in the largest aligned blocks, upwards (__free_pages_memory). */
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
