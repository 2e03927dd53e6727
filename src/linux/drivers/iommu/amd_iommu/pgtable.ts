/** drivers/iommu/amd_iommu.c, the page tables of a domain: in memory, for the IOMMU to walk. */
import { PAGE_SIZE, va, type Va } from '../../../../machine/address.js';
import {
  IOMMU_PAGE_MASK,
  IOMMU_PROT_IR,
  IOMMU_PROT_IW,
  IOMMU_PTE_FC,
  IOMMU_PTE_IR,
  IOMMU_PTE_IW,
  IOMMU_PTE_P,
  PAGE_MODE_6_LEVEL,
  PM_LEVEL_INDEX,
  PM_LEVEL_PDE,
  PM_LEVEL_SIZE,
  PM_PTE_LEVEL,
  type ProtectionDomain,
} from '../amd_iommu_types.js';
import { EBUSY, EINVAL, ENOMEM } from '../../../include/uapi/asm-generic/errno-base.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Adds a level on top; false at six levels or without memory. */
    increase_address_space(k: Kernel, domain: ProtectionDomain): boolean;
    /** The entry for a page of 4 KiB and the leaf table that it is in; null where there is no memory. */
    alloc_pte(
      k: Kernel,
      domain: ProtectionDomain,
      address: number,
    ): { pte: Va; pte_page: Va } | null;
    /** The entry for an address; null where there are no tables for it. */
    fetch_pte(k: Kernel, domain: ProtectionDomain, address: number): Va | null;
    /** Maps a page of 4 KiB for the IOMMU API; 0 or a negative errno. */
    iommu_map_page(
      k: Kernel,
      domain: ProtectionDomain,
      bus_addr: number,
      phys_addr: bigint,
      prot: number,
    ): number;
    /** virt_to_phys() of a structure that the driver writes and the IOMMU reads. */
    'amd_iommu:virt_to_phys'(k: Kernel, address: Va): bigint;
  }
}

const at = (table: Va, index: number): Va => va(table + index * 8);
/** Records a leaf in the trace: `va` is the address that the device sends. */
export function traceLeaf(k: Kernel, domain: ProtectionDomain, bus: number, pte: bigint): void {
  if (!k.trace.on) return;
  const { pa, c } = k.cpu.decodeEntry(pte & IOMMU_PAGE_MASK, PAGE_SIZE);
  k.trace.emit('map', {
    va: { space: 'va', start: bus, length: PAGE_SIZE },
    pa: { space: 'pa', start: pa, length: PAGE_SIZE },
    size: '4K',
    flags: [
      ...((pte & IOMMU_PTE_IR) === 0n ? [] : ['IR']),
      ...((pte & IOMMU_PTE_IW) === 0n ? [] : ['IW']),
    ].join('|'),
    C: c,
    table: `IOMMU domain ${String(domain.id)}`,
  });
}

export const amdIommuPgtable = bodies({
  'amd_iommu:virt_to_phys': inline((k: Kernel, address: Va) => BigInt(k.__pa(address))),

  increase_address_space: inline((k: Kernel, domain: ProtectionDomain) => {
    if (domain.mode === PAGE_MODE_6_LEVEL) return false;
    const pte = k.fn.get_zeroed_page(GFP.KERNEL);
    if (pte === 0) return false;
    k.writeU64(pte, PM_LEVEL_PDE(domain.mode, k.fn['amd_iommu:virt_to_phys'](domain.pt_root)));
    domain.pt_root = pte;
    domain.mode += 1;
    domain.updated = true;
    return true;
  }),

  alloc_pte: inline((k: Kernel, domain: ProtectionDomain, address: number) => {
    const bus = BigInt(address);
    while (bus > PM_LEVEL_SIZE(domain.mode)) {
      // Without memory the kernel would retry forever.
      if (!k.fn.increase_address_space(domain)) return null;
    }
    let level = domain.mode - 1;
    let table = domain.pt_root;
    let pte = at(table, PM_LEVEL_INDEX(level, bus));
    while (level > 0) {
      let value = k.readU64(pte);
      if ((value & IOMMU_PTE_P) === 0n) {
        // get_zeroed_page(), without a trace event for each page.
        const page = k.fn.__get_free_pages(GFP.KERNEL, 0);
        if (page === 0) return null;
        k.writeBytes(page, new Uint8Array(PAGE_SIZE));
        value = PM_LEVEL_PDE(level, k.fn['amd_iommu:virt_to_phys'](page));
        k.writeU64(pte, value);
      }
      if (PM_PTE_LEVEL(value) !== level) return null;
      level -= 1;
      table = k.fn.IOMMU_PTE_PAGE(value);
      pte = at(table, PM_LEVEL_INDEX(level, bus));
    }
    return { pte, pte_page: table };
  }),

  // Large pages are mapped through the IOMMU API, whose callers (VFIO, KVM device assignment) are not modelled.
  fetch_pte: inline((k: Kernel, domain: ProtectionDomain, address: number) => {
    const bus = BigInt(address);
    if (bus > PM_LEVEL_SIZE(domain.mode)) return null;
    let level = domain.mode - 1;
    let pte = at(domain.pt_root, PM_LEVEL_INDEX(level, bus));
    while (level > 0) {
      const value = k.readU64(pte);
      if ((value & IOMMU_PTE_P) === 0n || PM_PTE_LEVEL(value) !== level) return null;
      level -= 1;
      pte = at(k.fn.IOMMU_PTE_PAGE(value), PM_LEVEL_INDEX(level, bus));
    }
    return pte;
  }),

  iommu_map_page: inline(
    (k: Kernel, domain: ProtectionDomain, bus: number, phys: bigint, prot: number) => {
      if (bus % PAGE_SIZE !== 0 || (phys & 0xfffn) !== 0n) k.fn.BUG('iommu_map_page: not aligned');
      if ((prot & (IOMMU_PROT_IR | IOMMU_PROT_IW)) === 0) return -EINVAL;
      const found = k.fn.alloc_pte(domain, bus);
      if (found === null) return -ENOMEM;
      if ((k.readU64(found.pte) & IOMMU_PTE_P) !== 0n) return -EBUSY;
      const ir = (prot & IOMMU_PROT_IR) === 0 ? 0n : IOMMU_PTE_IR;
      const iw = (prot & IOMMU_PROT_IW) === 0 ? 0n : IOMMU_PTE_IW;
      const pte = phys | IOMMU_PTE_P | IOMMU_PTE_FC | ir | iw;
      k.writeU64(found.pte, pte);
      traceLeaf(k, domain, bus, pte);
      k.fn.update_domain(domain);
      return 0;
    },
  ),
});
