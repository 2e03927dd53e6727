/** arch/x86/kernel/pci-swiotlb.c: whether bounce buffers are used, and DMA operations that use them. */
import type { Va } from '../../../../machine/address.js';
import {
  dmaMapOps,
  type Coherent,
  type KernelDevice,
} from '../../../include/linux/dma-mapping/dma_map_ops.js';
import { MAX_DMA32_PFN, readInt, set_dma_ops, writeInt } from './pci-dma/pci-dma.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import type { Variable } from '../../../../kernel/variables.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Positive where bounce buffers are forced. */
    pci_swiotlb_detect_override(k: Kernel): number;
    /** Whether to set `swiotlb`. */
    'pci_swiotlb_detect_override:forced'(k: Kernel): boolean;
    pci_swiotlb_detect_4gb(k: Kernel): number;
    pci_swiotlb_init(k: Kernel): void;
    pci_swiotlb_late_init(k: Kernel): void;
    x86_swiotlb_alloc_coherent(
      k: Kernel,
      dev: KernelDevice,
      size: number,
      gfp: number,
    ): Coherent | null;
    x86_swiotlb_free_coherent(
      k: Kernel,
      dev: KernelDevice,
      size: number,
      vaddr: Va,
      handle: bigint,
    ): void;
  }
}

const PCI_SWIOTLB_C = 'arch/x86/kernel/pci-swiotlb.c';

export const pciSwiotlb = bodies({
  pci_swiotlb_detect_override: fn((k: Kernel) => {
    // The result is computed before `swiotlb` is set.
    const use = readInt(k, 'swiotlb') | readInt(k, 'swiotlb_force');
    if (k.fn['pci_swiotlb_detect_override:forced']()) writeInt(k, 'swiotlb', 1);
    return use;
  }, true),
  'pci_swiotlb_detect_override:forced': inline((k: Kernel) => readInt(k, 'swiotlb_force') !== 0),

  pci_swiotlb_detect_4gb: fn((k: Kernel) => {
    // max_possible_pfn is max_pfn where no memory can be hot-added (arch/x86/kernel/setup.c).
    if (readInt(k, 'no_iommu') === 0 && k.state.maxPfn > MAX_DMA32_PFN) writeInt(k, 'swiotlb', 1);
    return readInt(k, 'swiotlb');
  }, true),

  pci_swiotlb_init: fn((k: Kernel) => {
    if (readInt(k, 'swiotlb') === 0) return;
    k.fn.swiotlb_init(0);
    set_dma_ops(k, 'swiotlb_dma_ops');
  }),

  pci_swiotlb_late_init: fn((k: Kernel) => {
    if (readInt(k, 'swiotlb') === 0) {
      // The IOMMU driver has cleared `swiotlb`.
      k.fn.swiotlb_free();
      return;
    }
    k.fn.printk('PCI-DMA: Using software bounce buffering for IO (SWIOTLB)');
    k.fn.swiotlb_print_info();
  }),

  x86_swiotlb_alloc_coherent: fn(
    (k: Kernel, dev: KernelDevice, size: number, gfp: number) =>
      k.fn.dma_generic_alloc_coherent(dev, size, gfp) ??
      k.fn.swiotlb_alloc_coherent(dev, size, gfp),
    true,
  ),
  x86_swiotlb_free_coherent: fn(
    (k: Kernel, dev: KernelDevice, size: number, vaddr: Va, handle: bigint) => {
      if (k.fn.is_swiotlb_buffer(k.fn.dma_to_phys(dev, handle))) {
        k.fn.swiotlb_free_coherent(dev, size, vaddr, handle);
      } else {
        k.fn.dma_generic_free_coherent(dev, size, vaddr, handle);
      }
    },
    true,
  ),
});

export const pciSwiotlbVariables: readonly Variable[] = [
  { name: 'swiotlb', size: 4, align: 4, section: '.data', file: PCI_SWIOTLB_C },
  dmaMapOps('swiotlb_dma_ops', PCI_SWIOTLB_C, {
    mapping_error: 'swiotlb_dma_mapping_error',
    alloc: 'x86_swiotlb_alloc_coherent',
    free: 'x86_swiotlb_free_coherent',
    sync_single_for_cpu: 'swiotlb_sync_single_for_cpu',
    sync_single_for_device: 'swiotlb_sync_single_for_device',
    map_sg: 'swiotlb_map_sg_attrs',
    unmap_sg: 'swiotlb_unmap_sg_attrs',
    map_page: 'swiotlb_map_page',
    unmap_page: 'swiotlb_unmap_page',
    // dma_supported is NULL: the generic checks decide.
  }),
];
