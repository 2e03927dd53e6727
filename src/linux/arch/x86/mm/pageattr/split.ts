/** arch/x86/mm/pageattr.c: changing large pages whole, or splitting them. */
import { alignDown, PAGE_SIZE, va, type Va } from '../../../../../machine/address.js';
import {
  _PAGE_GLOBAL,
  _PAGE_NX,
  _PAGE_PRESENT,
  _PAGE_PSE,
  _PAGE_RW,
  PTRS_PER_TABLE,
} from '../../../../../kernel/constants.js';
import { __flush_tlb_all, set_entry } from '../../../../../kernel/cpu-ops.js';
import { EINVAL, ENOMEM } from '../../../../include/uapi/asm-generic/errno-base.js';
import { GFP } from '../../../../mm/page_alloc/page_alloc.js';
import {
  CPA_FLUSHTLB,
  entryOf,
  LEVELS,
  PG_LEVEL_1G,
  PG_LEVEL_2M,
  PG_LEVEL_4K,
  pfnOf,
  pgprot_4k_2_large,
  pgprot_large_2_4k,
  pgprotOf,
  presentBits,
  type CpaData,
  type FoundEntry,
} from './types.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** `prot` without the flags that are forbidden for kernel text (NX) and read-only data (RW). */
    static_protections(
      k: Kernel,
      prot: bigint,
      address: number,
      pfn: number,
      area: ProtectedAreas,
    ): bigint;
    /** 0: done, the large page is preserved; 1: it must be split; else a negative errno. */
    try_preserve_large_page(k: Kernel, at: FoundEntry, address: number, cpa: CpaData): number;
    /** 0 or a negative errno. */
    split_large_page(k: Kernel, cpa: CpaData, at: FoundEntry, address: number): number;
  }
}

/** The kernel's text (virtual addresses) and read-only data (page frame numbers), half-open. */
export interface ProtectedAreas {
  readonly text: readonly [number, number];
  readonly rodataPfn: readonly [number, number];
}

const within = (at: number, [start, end]: readonly [number, number]): boolean =>
  at >= start && at < end;

/** The areas from the linker's symbols and phys_base. */
export function protectedAreas(k: Kernel): ProtectedAreas {
  const pfn = (name: string): number => Math.floor(k.__pa(k.sym(name)) / PAGE_SIZE);
  return {
    text: [k.sym('_text'), k.sym('_etext')],
    rodataPfn: [pfn('__start_rodata'), pfn('__end_rodata')],
  };
}

/** Indexes of the pages, of `pages` pages from `base` and `pfn` on, at which an area begins or has ended. */
function edgesIn(area: ProtectedAreas, base: number, pfn: number, pages: number): number[] {
  const text = area.text.map((edge) => Math.ceil((edge - base) / PAGE_SIZE));
  const rodata = area.rodataPfn.map((edge) => edge - pfn);
  return [...text, ...rodata].filter((page) => page > 0 && page < pages);
}

export const pageattrSplit = bodies({
  // kernel_set_to_readonly is not set: mark_rodata_ro() is not modelled. The BIOS area's rule is for 32 bits only.
  static_protections: inline(
    (_k: Kernel, prot: bigint, address: number, pfn: number, area: ProtectedAreas) => {
      let forbidden = 0n;
      if (within(address, area.text)) forbidden |= _PAGE_NX;
      if (within(pfn, area.rodataPfn)) forbidden |= _PAGE_RW;
      return prot & ~forbidden;
    },
  ),

  try_preserve_large_page: inline((k: Kernel, at: FoundEntry, address: number, cpa: CpaData) => {
    if (cpa.forceSplit) return 1;
    const { level } = at;
    if (level === PG_LEVEL_4K) return -EINVAL;
    const old = entryOf(k, at);
    const oldProt = pgprotOf(old, level);
    const oldPfn = pfnOf(old, level);
    const { size } = LEVELS[level];
    const base = alignDown(address, size);
    const pages = size / PAGE_SIZE;
    cpa.numpages = Math.min(cpa.numpages, (base + size - address) / PAGE_SIZE);

    let reqProt = (pgprot_large_2_4k(oldProt) & ~cpa.maskClr) | cpa.maskSet;
    reqProt = presentBits(pgprot_4k_2_large(reqProt), _PAGE_PSE | _PAGE_GLOBAL);
    reqProt = k.fn.massage_pgprot(reqProt);
    const offset = (address - base) / PAGE_SIZE;
    cpa.pfn = oldPfn + offset;

    const area = protectedAreas(k);
    const newProt = k.fn.static_protections(reqProt, address, cpa.pfn, area);
    // All its 4 KiB pages must be allowed the same flags; what is allowed changes only where an area begins or ends.
    for (const page of [0, ...edgesIn(area, base, oldPfn, pages)]) {
      const at4k = base + page * PAGE_SIZE;
      if (k.fn.static_protections(reqProt, at4k, oldPfn + page, area) !== newProt) return 1;
    }
    if (newProt === oldProt) return 0;
    if (offset !== 0 || cpa.numpages !== pages) return 1;
    k.fn.set_pte_atomic(at, address, k.fn.pfn_pte(oldPfn, newProt));
    cpa.flags |= CPA_FLUSHTLB;
    return 0;
  }),

  split_large_page: fn((k: Kernel, _cpa: CpaData, at: FoundEntry, address: number) => {
    const page = k.fn.alloc_pages(GFP.KERNEL, 0);
    if (page === 0) return -ENOMEM;
    fillSplitTable(k, k.__va(page), at, address);
    const pointer = k.fn.pfn_pte(page / PAGE_SIZE, k.fn._KERNPG_TABLE());
    k.fn.set_pte_atomic(at, address, pointer);
    __flush_tlb_all(k);
    return 0;
  }),
});

/** __split_large_page(): fills a table with entries of the next smaller size that have the large page's flags. */
function fillSplitTable(k: Kernel, table: Va, at: FoundEntry, address: number): void {
  const { level } = at;
  const old = entryOf(k, at);
  const small = level === PG_LEVEL_1G ? PG_LEVEL_2M : PG_LEVEL_4K;
  let prot = pgprotOf(old, level);
  if (level === PG_LEVEL_2M) prot = pgprot_large_2_4k(prot);
  else if ((prot & _PAGE_PRESENT) === 0n) prot &= ~_PAGE_PSE;
  prot = k.fn.massage_pgprot(presentBits(prot));
  const { name, size } = LEVELS[small];
  const base = alignDown(address, LEVELS[level].size);
  const first = pfnOf(old, level);
  for (let i = 0; i < PTRS_PER_TABLE; i++) {
    const value = k.fn.pfn_pte(first + (i * size) / PAGE_SIZE, prot);
    set_entry(k, name, table, i, value, va(base + i * size));
  }
}
