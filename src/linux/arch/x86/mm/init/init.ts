/** arch/x86/mm/init.c: which ranges of RAM the direct map covers, and with which page sizes. */
import { alignDown, alignUp, hex, PMD_SIZE, PUD_SIZE } from '../../../../../machine/address.js';
import {
  _PAGE_GLOBAL,
  ISA_END_ADDRESS,
  X86_CR4_PGE,
  X86_CR4_PSE,
} from '../../../../../kernel/constants.js';
import { __flush_tlb_all, write_cr4 } from '../../../../../kernel/cpu-ops.js';
import type { Range } from '../../../../mm/memblock.js';
import { stateSlice } from '../../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

/** Physical addresses [start, end) to map, with the large page sizes allowed (1 << PG_LEVEL_2M | 1 << PG_LEVEL_1G). */
export interface MapRange {
  start: number;
  end: number;
  mask: number;
}

declare module '../../../../../kernel/table.js' {
  interface Entries {
    probe_page_size_mask(k: Kernel): void;
    split_mem_range(k: Kernel, start: number, end: number): MapRange[];
    init_memory_mapping(k: Kernel, start: number, end: number): void;
    init_range_memory_mapping(k: Kernel, start: number, end: number): number;
    memory_map_top_down(k: Kernel, start: number, end: number): void;
    init_mem_mapping(k: Kernel): void;
    pfn_range_is_mapped(k: Kernel, start: number, end: number): boolean;
  }
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    /** _brk_end as a link address; 0 before the first extend_brk(). */
    brkEnd: number;
    brkLocked: boolean;
    pgtBuf: { end: number; top: number };
    canUseBrkPgt: boolean;
    minPfnMapped: number;
    maxPfnMapped: number;
    pfnMapped: { start: number; end: number }[];
    pageSizeMask: number;
  }
}
export const initMmState = stateSlice(() => ({
  brkEnd: 0,
  brkLocked: false,
  pgtBuf: { end: 0, top: 0 },
  canUseBrkPgt: true,
  minPfnMapped: 0,
  maxPfnMapped: 0,
  pfnMapped: [],
  pageSizeMask: 0,
}));

export const PG_LEVEL_2M = 2;
export const PG_LEVEL_1G = 3;
const ALLOW_2M = 1 << PG_LEVEL_2M;
const ALLOW_1G = 1 << PG_LEVEL_1G;

export const init = bodies({
  probe_page_size_mask: inline((k: Kernel) => {
    if (k.fn.cpu_has('X86_FEATURE_PSE')) {
      k.state.pageSizeMask |= ALLOW_2M;
      write_cr4(k, k.cpu.cr4 | X86_CR4_PSE);
    }
    const mask = k.sym('__supported_pte_mask');
    if (k.fn.cpu_has('X86_FEATURE_PGE')) {
      write_cr4(k, k.cpu.cr4 | X86_CR4_PGE);
      k.writeU64(mask, k.readU64(mask) | _PAGE_GLOBAL);
    } else {
      k.writeU64(mask, k.readU64(mask) & ~_PAGE_GLOBAL);
    }
    const { params } = k.state;
    params.directGbpages &&= k.fn.cpu_has('X86_FEATURE_GBPAGES');
    if (params.directGbpages) {
      k.fn.printk('Using GB pages for direct mapping');
      k.state.pageSizeMask |= ALLOW_1G;
    }
  }),

  split_mem_range: inline((k: Kernel, start: number, end: number) => {
    const allowed = k.state.pageSizeMask;
    const limit = alignDown(end, 4096);
    const ranges: MapRange[] = [];
    let at = alignDown(start, 4096);
    const save_mr = (to: number, mask: number): void => {
      if (at >= to) return;
      ranges.push({ start: at, end: to, mask });
      at = to;
    };
    const lastPmd = alignDown(limit, PMD_SIZE);
    save_mr(Math.min(alignUp(at, PMD_SIZE), limit), 0);
    if (at % PMD_SIZE === 0) {
      save_mr(Math.min(alignUp(at, PUD_SIZE), lastPmd), allowed & ALLOW_2M);
      if (at % PUD_SIZE === 0) save_mr(alignDown(limit, PUD_SIZE), allowed & (ALLOW_2M | ALLOW_1G));
      save_mr(lastPmd, allowed & ALLOW_2M);
    }
    save_mr(limit, 0);
    adjust(ranges, allowed, k.state.memblock.memory);
    return merge(ranges);
  }),

  init_memory_mapping: inline((k: Kernel, start: number, end: number) => {
    let last = 0;
    for (const range of k.fn.split_mem_range(start, end)) {
      last = k.fn.kernel_physical_mapping_init(range.start, range.end, range.mask);
    }
    const mapped = { start: start / 4096, end: Math.floor(last / 4096) };
    k.state.pfnMapped = mergePfn([...k.state.pfnMapped, mapped]);
    k.state.maxPfnMapped = Math.max(k.state.maxPfnMapped, mapped.end);
  }),

  init_range_memory_mapping: inline((k: Kernel, rStart: number, rEnd: number) => {
    let size = 0;
    for (const range of k.state.memblock.memory) {
      const start = Math.min(Math.max(range.base, rStart), rEnd);
      const end = Math.min(Math.max(range.base + range.size, rStart), rEnd);
      if (start >= end) continue;
      const { pgtBuf } = k.state;
      // For a range that contains the brk buffer itself, tables are allocated from memblock.
      k.state.canUseBrkPgt = Math.max(start, pgtBuf.end * 4096) >= Math.min(end, pgtBuf.top * 4096);
      k.fn.init_memory_mapping(start, end);
      k.state.canUseBrkPgt = true;
      size += end - start;
    }
    return size;
  }),

  memory_map_top_down: fn((k: Kernel, mapStart: number, mapEnd: number) => {
    const top = k.fn.memblock_find_in_range(mapStart, mapEnd, PMD_SIZE, PMD_SIZE);
    const realEnd = top + PMD_SIZE;
    let step = PMD_SIZE;
    let lastStart = realEnd;
    let mapped = 0;
    k.state.maxPfnMapped = 0;
    k.state.minPfnMapped = realEnd / 4096;
    while (lastStart > mapStart) {
      const start =
        lastStart > step ? Math.max(alignDown(lastStart - 1, step), mapStart) : mapStart;
      mapped += k.fn.init_range_memory_mapping(start, lastStart);
      lastStart = start;
      k.state.minPfnMapped = lastStart / 4096;
      // get_new_step_size(): a shift by PMD_SHIFT − PAGE_SHIFT − 1 (21 − 12 − 1).
      if (mapped >= step) step *= 2 ** 8;
    }
    if (realEnd < mapEnd) k.fn.init_range_memory_mapping(realEnd, mapEnd);
  }),

  init_mem_mapping: fn((k: Kernel) => {
    k.fn.probe_page_size_mask();
    const end = k.state.maxPfn * 4096;
    // The ISA range is mapped whole, holes included.
    k.fn.init_memory_mapping(0, ISA_END_ADDRESS);
    k.fn.memory_map_top_down(ISA_END_ADDRESS, end);
    k.fn.printk(`direct map: [mem ${hex(0)}-${hex(end - 1)}]`);
    k.fn.load_cr3('init_level4_pgt');
    __flush_tlb_all(k);
  }),

  pfn_range_is_mapped: inline((k: Kernel, start: number, end: number) =>
    k.state.pfnMapped.some((range) => start >= range.start && end <= range.end),
  ),
});

/** memblock_is_region_memory(): whether one range of `memory` covers [start, end). */
function allMemory(memory: readonly Range[], start: number, end: number): boolean {
  return memory.some(({ base, size }) => base <= start && base + size >= end);
}

/** adjust_range_page_size_mask(): allows large pages for a smaller range if all that they would map is RAM. */
function adjust(ranges: MapRange[], allowed: number, memory: readonly Range[]): void {
  for (const range of ranges) {
    for (const [bit, size] of [
      [ALLOW_2M, PMD_SIZE],
      [ALLOW_1G, PUD_SIZE],
    ] as const) {
      if ((allowed & bit) === 0 || (range.mask & bit) !== 0) continue;
      if (allMemory(memory, alignDown(range.start, size), alignUp(range.end, size))) {
        range.mask |= bit;
      }
    }
  }
}

function merge(ranges: MapRange[]): MapRange[] {
  const merged: MapRange[] = [];
  for (const range of ranges) {
    const last = merged[merged.length - 1];
    if (last?.end === range.start && last.mask === range.mask) last.end = range.end;
    else merged.push({ ...range });
  }
  return merged;
}

function mergePfn(ranges: { start: number; end: number }[]): { start: number; end: number }[] {
  const merged: { start: number; end: number }[] = [];
  for (const range of ranges.sort((a, b) => a.start - b.start)) {
    const last = merged[merged.length - 1];
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged;
}
