/** arch/x86/kernel/pci-dma.c: choice of the DMA operations, and the generic ones. */
import { alignUp, PAGE_SIZE, va } from '../../../../../machine/address.js';
import {
  DMA_BIT_MASK,
  dmaOp,
  type DmaMapFn,
  type KernelDevice,
} from '../../../../include/linux/dma-mapping/dma_map_ops.js';
import { GFP } from '../../../../mm/page_alloc/page_alloc.js';
import { stateSlice } from '../../../../../kernel/state.js';
import { fn, inline, bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';
import { quads, type Variable } from '../../../../../kernel/variables.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    pci_iommu_alloc(k: Kernel): void;
    /** amd_iommu_detect(): positive where the ACPI tables describe an IOMMU. */
    'pci_iommu_alloc:amd_iommu_detect'(k: Kernel): number;
    pci_iommu_init(k: Kernel): void;
    /** x86_init.iommu.iommu_init(), which a detected IOMMU has set. */
    'pci_iommu_init:iommu_init'(k: Kernel): void;
    dma_generic_alloc_coherent: DmaMapFn<'alloc'>;
    /** Bus address of the allocated page at physical address `page`. */
    'dma_generic_alloc_coherent:addr'(k: Kernel, dev: KernelDevice, page: number): bigint;
    dma_generic_free_coherent: DmaMapFn<'free'>;
    /** GFP flags of the allocation; null for a device that cannot do DMA. */
    arch_dma_alloc_attrs(k: Kernel, dev: KernelDevice, gfp: number): number | null;
    dma_supported: DmaMapFn<'dma_supported'>;
  }
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    /** Detect functions of the iommu table whose entries have IOMMU_DETECTED. */
    iommuDetected: string[];
  }
}
export const pciDmaState = stateSlice(() => ({ iommuDetected: [] }));

const PCI_DMA_C = 'arch/x86/kernel/pci-dma.c';

/** struct iommu_table_entry (asm/iommu_table.h). */
interface IommuTableEntry {
  readonly name: string;
  readonly detect: (k: Kernel) => number;
  readonly earlyInit?: (k: Kernel) => void;
  readonly lateInit?: (k: Kernel) => void;
  /** IOMMU_FINISH_IF_DETECTED. */
  readonly finish: boolean;
}

/**
 * The table after sort_iommu_table(). Not modelled, because a Zen machine has none of them: pci_xen_swiotlb_detect,
 * gart_iommu_hole_init, detect_calgary, detect_intel_iommu.
 */
const IOMMU_TABLE: readonly IommuTableEntry[] = [
  {
    name: 'pci_swiotlb_detect_override',
    detect: (k) => k.fn.pci_swiotlb_detect_override(),
    earlyInit: (k) => k.fn.pci_swiotlb_init(),
    lateInit: (k) => k.fn.pci_swiotlb_late_init(),
    finish: true,
  },
  {
    name: 'pci_swiotlb_detect_4gb',
    detect: (k) => k.fn.pci_swiotlb_detect_4gb(),
    earlyInit: (k) => k.fn.pci_swiotlb_init(),
    lateInit: (k) => k.fn.pci_swiotlb_late_init(),
    finish: false,
  },
  {
    name: 'amd_iommu_detect',
    detect: (k) => k.fn['pci_iommu_alloc:amd_iommu_detect'](),
    finish: true,
  },
];

/** get_order(): the least order such that 2^order pages hold `size` bytes. */
export function get_order(size: number): number {
  let order = 0;
  while (PAGE_SIZE * 2 ** order < size) order++;
  return order;
}

export const pciDma = bodies({
  pci_iommu_alloc: fn((k: Kernel) => {
    for (const entry of IOMMU_TABLE) {
      if (entry.detect(k) <= 0) continue;
      k.state.iommuDetected.push(entry.name);
      entry.earlyInit?.(k);
      if (entry.finish) break;
    }
  }),
  'pci_iommu_alloc:amd_iommu_detect': label((k: Kernel) => k.fn.amd_iommu_detect()),

  pci_iommu_init: fn((k: Kernel) => {
    k.fn['pci_iommu_init:iommu_init']();
    for (const entry of IOMMU_TABLE) {
      if (k.state.iommuDetected.includes(entry.name)) entry.lateInit?.(k);
    }
  }),
  'pci_iommu_init:iommu_init': label((k: Kernel) => {
    if (k.state.amdIommu.detected) k.fn.amd_iommu_init();
  }),

  dma_generic_alloc_coherent: fn((k, dev, size, gfp) => {
    const mask = k.fn.dma_alloc_coherent_mask(dev, gfp);
    let flags = gfp;
    for (;;) {
      // dma_alloc_from_contiguous(): CMA is not in the base configuration.
      const page = k.fn.alloc_pages(flags, get_order(size));
      if (page === 0) return null;
      const addr = k.fn['dma_generic_alloc_coherent:addr'](dev, page);
      if (addr + BigInt(size) <= mask) {
        const vaddr = k.__va(page);
        k.memset(vaddr, 0, size);
        return { vaddr, handle: addr };
      }
      k.fn.free_pages(k.__va(page), get_order(size));
      if (mask >= DMA_BIT_MASK(32) || (flags & GFP.DMA) !== 0) return null;
      flags = (flags & ~GFP.DMA32) | GFP.DMA;
    }
  }, true),
  'dma_generic_alloc_coherent:addr': inline((_k: Kernel, _dev: KernelDevice, page: number) =>
    BigInt(page),
  ),
  dma_generic_free_coherent: fn((k, _dev, size, vaddr, _handle) => {
    k.fn.free_pages(vaddr, get_order(size));
  }, true),

  arch_dma_alloc_attrs: inline((k: Kernel, dev: KernelDevice, gfp: number) =>
    // is_device_dma_capable()
    dev.dmaMask === 0n
      ? null
      : k.fn.dma_alloc_coherent_gfp_flags(dev, gfp & ~(GFP.DMA | GFP.DMA32)),
  ),

  dma_supported: fn((k, dev, mask) => {
    const { forbidDac, iommuSacForce } = k.state.params;
    if (mask > DMA_BIT_MASK(32) && forbidDac > 0) {
      k.fn.printk(`${dev.name}: PCI: Disallowing DAC for device`);
      return false;
    }
    const supported = dmaOp(k, k.fn.get_dma_ops(dev), 'dma_supported');
    if (supported !== undefined) return supported(dev, mask);
    if (mask < DMA_BIT_MASK(24)) return false;
    if (iommuSacForce && mask >= DMA_BIT_MASK(40)) {
      k.fn.printk(`${dev.name}: Force SAC with mask ${mask.toString(16)}`);
      return false;
    }
    return true;
  }, true),
});

export const pciDmaVariables: readonly Variable[] = [
  {
    name: 'dma_ops',
    size: 8,
    align: 8,
    section: '.data',
    file: PCI_DMA_C,
    init: (at) => quads([BigInt(at.link('nommu_dma_ops'))]),
  },
  { name: 'no_iommu', size: 4, align: 4, section: '.data', file: PCI_DMA_C },
  { name: 'iommu_detected', size: 4, align: 4, section: '.data', file: PCI_DMA_C },
  { name: 'iommu_pass_through', size: 4, align: 4, section: '.data', file: PCI_DMA_C },
];

/** dma_ops = &name. */
export function set_dma_ops(k: Kernel, name: string): void {
  k.writeU64(k.sym('dma_ops'), BigInt(k.sym(name)));
}

/** PAGE_ALIGN() of a size. */
export const PAGE_ALIGN = (size: number): number => alignUp(size, PAGE_SIZE);

/** The end of ZONE_DMA32 as a page frame number (asm/dma.h). */
export const MAX_DMA32_PFN = 2 ** 32 / PAGE_SIZE;

/** Value of an int variable of the kernel. */
export const readInt = (k: Kernel, name: string): number => k.readU32(k.sym(name)) | 0;
export const writeInt = (k: Kernel, name: string, value: number): void => {
  k.writeU32(va(k.sym(name)), value >>> 0);
};
