/**
 * arch/x86/mm/pageattr.c: changing the attributes of existing mappings.
 *
 * Not modelled: requests by arrays of addresses or pages (CPA_ARRAY, CPA_PAGES_ARRAY), the other functions that change the
 * memory type (set_memory_wc, _wt, _wb), and DEBUG_PAGEALLOC.
 */
import {
  alignDown,
  alignUp,
  hex,
  PAGE_SIZE,
  PMD_SIZE,
  va,
  type Va,
} from '../../../../../machine/address.js';
import {
  __START_KERNEL_map,
  _PAGE_CACHE_MASK,
  _PAGE_NX,
  _PAGE_RW,
  PAGE_CACHE_MODE,
  PAGE_OFFSET,
} from '../../../../../kernel/constants.js';
import { BootEnd } from '../../../../../kernel/ends.js';
import { EFAULT } from '../../../../include/uapi/asm-generic/errno-base.js';
import { protectedAreas } from './split.js';
import {
  CPA_FLUSHTLB,
  entryOf,
  PG_LEVEL_4K,
  pfnOf,
  pgprotOf,
  presentBits,
  type CpaData,
} from './types.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Each returns 0 or a negative errno. */
    set_memory_nx(k: Kernel, address: Va, numpages: number): number;
    set_memory_x(k: Kernel, address: Va, numpages: number): number;
    set_memory_ro(k: Kernel, address: Va, numpages: number): number;
    set_memory_rw(k: Kernel, address: Va, numpages: number): number;
    set_memory_uc(k: Kernel, address: Va, numpages: number): number;
    set_memory_4k(k: Kernel, address: Va, numpages: number): number;
    change_page_attr_set_clr(
      k: Kernel,
      address: Va,
      numpages: number,
      maskSet: bigint,
      maskClr: bigint,
      forceSplit: boolean,
    ): number;
    /** Applies a request entry by entry; with `checkalias`, to the other mappings of each page as well. */
    __change_page_attr_set_clr(k: Kernel, cpa: CpaData, checkalias: boolean): number;
    /** Applies a request to one entry; sets cpa.numpages to the number of pages that it maps. */
    __change_page_attr(k: Kernel, cpa: CpaData, primary: boolean): number;
    __cpa_process_fault(k: Kernel, cpa: CpaData, vaddr: number, primary: boolean): number;
    cpa_process_alias(k: Kernel, cpa: CpaData): number;
  }
}

/** Splits at one address before the CPU counts as hung (our choice); 2 suffice unless another CPU's flush undoes one. */
const MAX_SPLITS = 8;

/** A new struct cpa_data; fields that are not given are 0. */
export function cpaData(request: {
  address: number;
  numpages: number;
  maskSet: bigint;
  maskClr: bigint;
  pgd?: Va;
  pfn?: number;
  forceSplit?: boolean;
}): CpaData {
  const { address, pgd = 0, pfn = 0, forceSplit = false, ...rest } = request;
  return { vaddr: { address }, pgd, pfn, flags: 0, forceSplit, ...rest };
}

/** Rounds an address down to a page boundary; prints a warning if it was not aligned (WARN_ON_ONCE). */
export function pageAligned(k: Kernel, address: Va): Va {
  const start = alignDown(address, PAGE_SIZE);
  if (start !== address) k.fn.printk(`WARNING: CPA: ${hex(address)} is not page-aligned`);
  return start;
}

const inDirectMap = (k: Kernel, address: number): boolean =>
  address >= PAGE_OFFSET && address < PAGE_OFFSET + k.state.maxPfnMapped * PAGE_SIZE;

/** _brk_end; __brk_base before the first extend_brk(). */
const brkEnd = (k: Kernel): number =>
  k.state.brkEnd === 0 ? k.program.link('__brk_base') : k.state.brkEnd;

/** Whether a page frame is in the kernel's high mapping: highmap_start_pfn() to highmap_end_pfn(). */
function inHighmap(k: Kernel, pfn: number): boolean {
  const start = k.__pa(k.sym('_text')) / PAGE_SIZE;
  const end = k.__pa(va(alignUp(brkEnd(k), PMD_SIZE))) / PAGE_SIZE;
  return pfn >= Math.floor(start) && pfn < end;
}

const supportsNx = (k: Kernel): boolean =>
  (k.readU64(k.sym('__supported_pte_mask')) & _PAGE_NX) !== 0n;

export const pageattr = bodies({
  __cpa_process_fault: inline((k: Kernel, cpa: CpaData, vaddr: number, primary: boolean) => {
    if (cpa.pgd !== 0) return k.fn.populate_pgd(cpa, vaddr);
    if (!primary) {
      cpa.numpages = 1;
      return 0;
    }
    // The direct map may have holes.
    if (inDirectMap(k, vaddr)) {
      cpa.numpages = 1;
      cpa.pfn = Math.floor((vaddr - PAGE_OFFSET) / PAGE_SIZE);
      return 0;
    }
    k.fn.printk(`WARNING: CPA: called for zero pte. vaddr = ${hex(vaddr)}`);
    return -EFAULT;
  }),

  __change_page_attr: inline((k: Kernel, cpa: CpaData, primary: boolean) => {
    const { address } = cpa.vaddr;
    for (let splits = 0; ; splits++) {
      // Our choice: after more splits than there are page sizes, the tables do not hold what is written to them (there
      // is no memory at their address). The kernel would continue until it has allocated all memory.
      if (splits > MAX_SPLITS) {
        throw new BootEnd('hung', '__change_page_attr', `${hex(address)} is split forever`);
      }
      const at = k.fn._lookup_address_cpa(cpa, address);
      const old = at === undefined ? 0n : entryOf(k, at);
      if (at === undefined || old === 0n) return k.fn.__cpa_process_fault(cpa, address, primary);
      if (at.level === PG_LEVEL_4K) {
        const pfn = pfnOf(old, PG_LEVEL_4K);
        let prot = (pgprotOf(old, PG_LEVEL_4K) & ~cpa.maskClr) | cpa.maskSet;
        prot = k.fn.static_protections(prot, address, pfn, protectedAreas(k));
        const value = k.fn.pfn_pte(pfn, k.fn.massage_pgprot(presentBits(prot)));
        cpa.pfn = pfn;
        if (value !== old) {
          k.fn.set_pte_atomic(at, address, value);
          cpa.flags |= CPA_FLUSHTLB;
        }
        cpa.numpages = 1;
        return 0;
      }
      const split = k.fn.try_preserve_large_page(at, address, cpa);
      if (split <= 0) return split;
      const error = k.fn.split_large_page(cpa, at, address);
      if (error !== 0) return error;
      k.fn.flush_tlb_all();
    }
  }),

  cpa_process_alias: inline((k: Kernel, cpa: CpaData) => {
    if (!k.fn.pfn_range_is_mapped(cpa.pfn, cpa.pfn + 1)) return 0;
    const { address } = cpa.vaddr;
    if (!inDirectMap(k, address)) {
      const alias = { ...cpa, vaddr: { address: k.__va(cpa.pfn * PAGE_SIZE) } };
      const error = k.fn.__change_page_attr_set_clr(alias, false);
      if (error !== 0) return error;
    }
    const inHigh = address >= k.sym('_text') && address < brkEnd(k);
    if (!inHigh && inHighmap(k, cpa.pfn)) {
      const high = cpa.pfn * PAGE_SIZE + __START_KERNEL_map - k.phys_base();
      // The high mapping is imprecise: the return value is ignored.
      k.fn.__change_page_attr_set_clr({ ...cpa, vaddr: { address: high } }, false);
    }
    return 0;
  }),

  __change_page_attr_set_clr: inline((k: Kernel, cpa: CpaData, checkalias: boolean) => {
    let remaining = cpa.numpages;
    while (remaining > 0) {
      cpa.numpages = remaining;
      let error = k.fn.__change_page_attr(cpa, checkalias);
      if (error === 0 && checkalias) error = k.fn.cpa_process_alias(cpa);
      if (error !== 0) return error;
      if (cpa.numpages > remaining || cpa.numpages === 0) k.fn.BUG('CPA: numpages');
      remaining -= cpa.numpages;
      cpa.vaddr.address += cpa.numpages * PAGE_SIZE;
    }
    return 0;
  }),

  change_page_attr_set_clr: inline(
    (
      k: Kernel,
      address: Va,
      numpages: number,
      set: bigint,
      clr: bigint,
      forceSplit: boolean,
    ): number => {
      const maskSet = k.fn.massage_pgprot(set);
      const maskClr = k.fn.massage_pgprot(clr);
      if (maskSet === 0n && maskClr === 0n && !forceSplit) return 0;
      const start = pageAligned(k, address);
      const cpa = cpaData({ address: start, numpages, maskSet, maskClr, forceSplit });
      // NX alone may differ between the mappings of a page.
      const checkalias = (maskSet | maskClr) !== _PAGE_NX;
      const error = k.fn.__change_page_attr_set_clr(cpa, checkalias);
      if ((cpa.flags & CPA_FLUSHTLB) === 0) return error;
      // Caches are flushed if the request sets a cache mode other than write-back, whose bits are 0 (pgprot2cachemode).
      const cache = (maskSet & _PAGE_CACHE_MASK) !== 0n;
      if (error === 0 && k.fn.cpu_has('X86_FEATURE_CLFLUSH')) {
        k.fn.cpa_flush_range(start, numpages, cache);
      } else {
        k.fn.cpa_flush_all(cache);
      }
      return error;
    },
  ),

  set_memory_x: fn((k: Kernel, address: Va, numpages: number) =>
    supportsNx(k) ? k.fn.change_page_attr_set_clr(address, numpages, 0n, _PAGE_NX, false) : 0,
  ),
  set_memory_nx: fn((k: Kernel, address: Va, numpages: number) =>
    supportsNx(k) ? k.fn.change_page_attr_set_clr(address, numpages, _PAGE_NX, 0n, false) : 0,
  ),
  set_memory_ro: fn((k: Kernel, address: Va, numpages: number) =>
    k.fn.change_page_attr_set_clr(address, numpages, 0n, _PAGE_RW, false),
  ),
  set_memory_rw: fn((k: Kernel, address: Va, numpages: number) =>
    k.fn.change_page_attr_set_clr(address, numpages, _PAGE_RW, 0n, false),
  ),
  // reserve_memtype() refuses a range that has another type; no such range is recorded here (our choice).
  set_memory_uc: inline((k: Kernel, address: Va, numpages: number) =>
    k.fn.change_page_attr_set_clr(
      address,
      numpages,
      k.fn.cachemode2protval(PAGE_CACHE_MODE.UC_MINUS),
      0n,
      false,
    ),
  ),
  set_memory_4k: fn((k: Kernel, address: Va, numpages: number) =>
    k.fn.change_page_attr_set_clr(address, numpages, 0n, 0n, true),
  ),
});
