/** drivers/iommu/amd_iommu.c, dma_ops mapping/unmapping: bus addresses for devices behind an IOMMU. */
import { alignUp, PAGE_SIZE, va } from '../../../../machine/address.js';
import {
  APERTURE_MAX_RANGES,
  APERTURE_PAGE_INDEX,
  APERTURE_RANGE_PAGES,
  APERTURE_RANGE_SHIFT,
  APERTURE_RANGE_SIZE,
  IOMMU_PTE_FC,
  IOMMU_PTE_IR,
  IOMMU_PTE_IW,
  IOMMU_PTE_P,
  PM_LEVEL_INDEX,
  type ApertureRange,
  type ProtectionDomain,
} from '../amd_iommu_types.js';
import { bitmapSet } from './domain.js';
import { traceLeaf } from './pgtable.js';
import {
  DMA,
  DMA_BIT_MASK,
  DMA_ERROR_CODE,
  dmaMapOps,
  type DmaDirection,
  type DmaMapFn,
  type KernelDevice,
} from '../../../include/linux/dma-mapping/dma_map_ops.js';
import { EINVAL } from '../../../include/uapi/asm-generic/errno-base.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { get_order } from '../../../arch/x86/kernel/pci-dma/pci-dma.js';
import { onlineCpus } from '../../../include/linux/cpumask.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import type { Variable } from '../../../../kernel/variables.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Allocates bus addresses for `pages` pages; returns the first, or DMA_ERROR_CODE. */
    dma_ops_alloc_addresses(
      k: Kernel,
      dev: KernelDevice,
      domain: ProtectionDomain,
      pages: number,
      align_mask: number,
      dma_mask: bigint,
    ): number;
    dma_ops_free_addresses(
      k: Kernel,
      domain: ProtectionDomain,
      address: number,
      pages: number,
    ): void;
    dma_ops_get_pte(k: Kernel, domain: ProtectionDomain, address: number): number;
    dma_ops_domain_map(
      k: Kernel,
      domain: ProtectionDomain,
      address: number,
      paddr: bigint,
      direction: DmaDirection,
    ): number;
    dma_ops_domain_unmap(k: Kernel, domain: ProtectionDomain, address: number): void;
    __map_single(
      k: Kernel,
      dev: KernelDevice,
      domain: ProtectionDomain,
      paddr: number,
      size: number,
      dir: DmaDirection,
      align: boolean,
      dma_mask: bigint,
    ): number;
    /** Physical address for the page-table entry. */
    '__map_single:paddr'(k: Kernel, paddr: number): bigint;
    __unmap_single(k: Kernel, domain: ProtectionDomain, dma_addr: bigint, size: number): void;
    map_page: DmaMapFn<'map_page'>;
    unmap_page: DmaMapFn<'unmap_page'>;
    map_sg: DmaMapFn<'map_sg'>;
    unmap_sg: DmaMapFn<'unmap_sg'>;
    alloc_coherent: DmaMapFn<'alloc'>;
    free_coherent: DmaMapFn<'free'>;
    amd_iommu_dma_supported: DmaMapFn<'dma_supported'>;
    set_dma_mask: DmaMapFn<'set_dma_mask'>;
  }
}

const ERROR = Number(DMA_ERROR_CODE);
/** iommu_num_pages() */
const numPages = (address: number, size: number): number =>
  alignUp((address % PAGE_SIZE) + size, PAGE_SIZE) / PAGE_SIZE;

/** iommu_area_alloc(): marks free, aligned pages within a boundary as used; returns the first one's index, or −1. */
function areaAlloc(
  k: Kernel,
  range: ApertureRange,
  area: { from: number; limit: number; pages: number; align: number; boundary: number },
): number {
  const bits = k.readBytes(range.bitmap, APERTURE_RANGE_PAGES / 8);
  const taken = (page: number): boolean => (((bits[page >> 3] ?? 0) >> (page & 7)) & 1) !== 0;
  const shift = range.offset / PAGE_SIZE;
  let at = area.from;
  for (;;) {
    while (at < area.limit && taken(at)) at++;
    at = alignUp(at, area.align + 1);
    const end = at + area.pages;
    if (end > area.limit) return -1;
    // iommu_is_span_boundary()
    const offset = (shift + at) % area.boundary;
    if (offset + area.pages > area.boundary) {
      at = alignUp(shift + at, area.boundary) - shift;
      continue;
    }
    let busy = -1;
    for (let page = at; page < end && busy < 0; page++) if (taken(page)) busy = page;
    if (busy < 0) {
      bitmapSet(k, range.bitmap, at, area.pages, true);
      return at;
    }
    at = busy + 1;
  }
}

export const amdIommuDma = bodies({
  dma_ops_alloc_addresses: inline(
    (
      k: Kernel,
      dev: KernelDevice,
      domain: ProtectionDomain,
      pages: number,
      align: number,
      mask: bigint,
    ) => {
      const boundary = Number((k.fn.dma_get_seg_boundary(dev) + 1n) / BigInt(PAGE_SIZE));
      for (;;) {
        // dma_ops_area_alloc()
        for (let i = 0; i < APERTURE_MAX_RANGES; i++) {
          const index = (domain.next_index + i) % APERTURE_MAX_RANGES;
          const range = domain.aperture[index];
          if (range === undefined || BigInt(range.offset) >= mask) continue;
          // iommu_device_max_index()
          const maxIndex = Number(mask / BigInt(PAGE_SIZE)) - range.offset / PAGE_SIZE + 1;
          const limit = Math.min(APERTURE_RANGE_PAGES, maxIndex);
          const area = { limit, pages, align, boundary };
          let at = areaAlloc(k, range, { ...area, from: range.next_bit });
          if (at < 0) {
            at = areaAlloc(k, range, { ...area, from: 0 });
            k.fn.domain_flush_tlb(domain);
            k.fn.domain_flush_complete(domain);
          }
          if (at < 0) continue;
          range.next_bit = at + pages;
          domain.next_index = index;
          return range.offset + at * PAGE_SIZE;
        }
        if (k.fn.alloc_new_range(domain, false) !== 0) return ERROR;
      }
    },
  ),
  dma_ops_free_addresses: inline(
    (k: Kernel, domain: ProtectionDomain, address: number, pages: number) => {
      const range = domain.aperture[Math.floor(address / APERTURE_RANGE_SIZE)];
      if (range === undefined) return k.fn.BUG('dma_ops_free_addresses: range is NULL');
      if (k.state.params.amdIommuUnmapFlush) {
        k.fn.domain_flush_tlb(domain);
        k.fn.domain_flush_complete(domain);
      }
      const at = (address % APERTURE_RANGE_SIZE) / PAGE_SIZE;
      // Without amd_iommu=fullflush, an address is not reused before next_bit wraps around, which flushes the IOTLB.
      if (at + pages > range.next_bit) range.next_bit = at + pages;
      bitmapSet(k, range.bitmap, at, pages, false);
    },
  ),

  dma_ops_get_pte: inline((k: Kernel, domain: ProtectionDomain, address: number) => {
    const aperture = domain.aperture[address >>> APERTURE_RANGE_SHIFT];
    if (aperture === undefined) return 0;
    const slot = APERTURE_PAGE_INDEX(address);
    const page = aperture.pte_pages[slot] ?? 0;
    let pte = page + PM_LEVEL_INDEX(0, BigInt(address)) * 8;
    if (page === 0) {
      const allocated = k.fn.alloc_pte(domain, address);
      if (allocated === null) return 0;
      aperture.pte_pages[slot] = allocated.pte_page;
      pte = allocated.pte;
    }
    k.fn.update_domain(domain);
    return pte;
  }),
  dma_ops_domain_map: inline(
    (
      k: Kernel,
      domain: ProtectionDomain,
      address: number,
      paddr: bigint,
      direction: DmaDirection,
    ) => {
      const pte = k.fn.dma_ops_get_pte(domain, address);
      if (pte === 0) return ERROR;
      const ir = direction === DMA.FROM_DEVICE ? 0n : IOMMU_PTE_IR;
      const iw = direction === DMA.TO_DEVICE ? 0n : IOMMU_PTE_IW;
      if (k.readU64(va(pte)) !== 0n) k.fn.printk('WARNING: dma_ops_domain_map');
      const page = paddr & ~BigInt(PAGE_SIZE - 1);
      const leaf = page | IOMMU_PTE_P | IOMMU_PTE_FC | ir | iw;
      k.writeU64(va(pte), leaf);
      traceLeaf(k, domain, address, leaf);
      return address;
    },
  ),
  dma_ops_domain_unmap: inline((k: Kernel, domain: ProtectionDomain, address: number) => {
    const page =
      domain.aperture[address >>> APERTURE_RANGE_SHIFT]?.pte_pages[APERTURE_PAGE_INDEX(address)];
    if (address >= domain.aperture_size || page === undefined || page === 0) return;
    const pte = va(page + PM_LEVEL_INDEX(0, BigInt(address)) * 8);
    if (k.readU64(pte) === 0n) k.fn.printk('WARNING: dma_ops_domain_unmap');
    k.writeU64(pte, 0n);
  }),

  __map_single: fn(
    (
      k: Kernel,
      dev: KernelDevice,
      domain: ProtectionDomain,
      paddr: number,
      size: number,
      dir: DmaDirection,
      align: boolean,
      dma_mask: bigint,
    ) => {
      const offset = paddr % PAGE_SIZE;
      const pages = numPages(paddr, size);
      const align_mask = align ? 2 ** get_order(size) - 1 : 0;
      const address = k.fn.dma_ops_alloc_addresses(dev, domain, pages, align_mask, dma_mask);
      if (address === ERROR) return ERROR;
      const target = k.fn['__map_single:paddr'](paddr - offset);
      for (let i = 0; i < pages; i++) {
        const start = address + i * PAGE_SIZE;
        const frame = target + BigInt(i * PAGE_SIZE);
        if (k.fn.dma_ops_domain_map(domain, start, frame, dir) !== ERROR) continue;
        for (let done = i - 1; done >= 0; done--) {
          k.fn.dma_ops_domain_unmap(domain, address + done * PAGE_SIZE);
        }
        k.fn.dma_ops_free_addresses(domain, address, pages);
        return ERROR;
      }
      // amd_iommu_np_cache is for IOMMUs that cache non-present entries; this one does not.
      return address + offset;
    },
    true,
  ),
  '__map_single:paddr': inline((_k: Kernel, paddr: number) => BigInt(paddr)),

  __unmap_single: inline((k: Kernel, domain: ProtectionDomain, dma_addr: bigint, size: number) => {
    const address = Number(dma_addr);
    if (address === ERROR || address + size > domain.aperture_size) return;
    const pages = numPages(address, size);
    const start = address - (address % PAGE_SIZE);
    for (let i = 0; i < pages; i++) k.fn.dma_ops_domain_unmap(domain, start + i * PAGE_SIZE);
    k.fn.dma_ops_free_addresses(domain, start, pages);
  }),

  map_page: fn((k, dev, page, offset, size, dir) => {
    const domain = k.fn.get_domain(dev);
    if (domain === null) return BigInt(page + offset);
    return BigInt(k.fn.__map_single(dev, domain, page + offset, size, dir, false, dev.dmaMask));
  }, true),
  unmap_page: fn((k, dev, addr, size, _dir) => {
    const domain = k.fn.get_domain(dev);
    if (domain !== null) k.fn.__unmap_single(domain, addr, size);
  }, true),

  map_sg: fn((k, dev, sgl, dir) => {
    const domain = k.fn.get_domain(dev);
    if (domain === null) return 0;
    for (const [i, s] of sgl.entries()) {
      const paddr = s.page + s.offset;
      const mapped = k.fn.__map_single(dev, domain, paddr, s.length, dir, false, dev.dmaMask);
      s.dmaAddress = BigInt(mapped);
      if (mapped !== 0) {
        s.dmaLength = s.length;
        continue;
      }
      for (const done of sgl.slice(0, i)) {
        k.fn.__unmap_single(domain, done.dmaAddress, done.dmaLength);
        done.dmaAddress = 0n;
        done.dmaLength = 0;
      }
      return 0;
    }
    return sgl.length;
  }, true),
  unmap_sg: fn((k, dev, sgl, _dir) => {
    const domain = k.fn.get_domain(dev);
    if (domain === null) return;
    for (const s of sgl) {
      k.fn.__unmap_single(domain, s.dmaAddress, s.dmaLength);
      s.dmaAddress = 0n;
      s.dmaLength = 0;
    }
  }, true),

  alloc_coherent: fn((k, dev, length, gfp) => {
    const domain = k.fn.get_domain(dev);
    if (domain === null) {
      const page = k.fn.alloc_pages(gfp, get_order(length));
      return page === 0 ? null : { vaddr: k.__va(page), handle: BigInt(page) };
    }
    const size = alignUp(length, PAGE_SIZE);
    const order = get_order(size);
    // Zone flags are dropped; __GFP_ZERO.
    const page = k.fn.alloc_pages(gfp & ~(GFP.DMA | GFP.DMA32), order);
    if (page === 0) return null;
    const vaddr = k.__va(page);
    k.memset(vaddr, 0, PAGE_SIZE * 2 ** order);
    const mask = dev.coherentDmaMask === 0n ? dev.dmaMask : dev.coherentDmaMask;
    const handle = k.fn.__map_single(dev, domain, page, size, DMA.BIDIRECTIONAL, true, mask);
    if (handle !== ERROR) return { vaddr, handle: BigInt(handle) };
    k.fn.free_pages(vaddr, order);
    return null;
  }, true),
  free_coherent: fn((k, dev, length, vaddr, handle) => {
    const size = alignUp(length, PAGE_SIZE);
    const domain = k.fn.get_domain(dev);
    if (domain !== null) k.fn.__unmap_single(domain, handle, size);
    k.fn.free_pages(vaddr, get_order(size));
  }, true),

  amd_iommu_dma_supported: fn((k, dev, _mask) => k.fn.check_device(dev), true),
  // The device's mask does not change: this operation does not store the new one.
  set_dma_mask: fn((k, dev, mask) => {
    const domain = k.fn.get_domain(dev);
    if (domain === null) return -EINVAL;
    const byMask = mask === DMA_BIT_MASK(64) ? 8 : mask > DMA_BIT_MASK(32) ? 4 : 1;
    const max_apertures = Math.min(byMask, onlineCpus(k).length);
    for (let i = domain.aperture.length; i < max_apertures; i++) {
      if (k.fn.alloc_new_range(domain, false) === 0) continue;
      k.fn.printk(`${dev.name}: Can't allocate ${String(max_apertures)} iommu apertures`);
      break;
    }
    return 0;
  }, true),
});

/** struct dma_map_ops amd_iommu_dma_ops. */
export const amdIommuDmaVariables: readonly Variable[] = [
  dmaMapOps('amd_iommu_dma_ops', 'drivers/iommu/amd_iommu.c', {
    alloc: 'alloc_coherent',
    free: 'free_coherent',
    map_page: 'map_page',
    unmap_page: 'unmap_page',
    map_sg: 'map_sg',
    unmap_sg: 'unmap_sg',
    dma_supported: 'amd_iommu_dma_supported',
    set_dma_mask: 'set_dma_mask',
  }),
];
