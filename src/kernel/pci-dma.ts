/** arch/x86/kernel/pci-dma.c: which DMA operations there are. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    pci_iommu_alloc(k: Kernel): void;
    pci_iommu_init(k: Kernel): void;
  }
}

export const pciDma = kernelFile('arch/x86/kernel/pci-dma.c', {
  pci_iommu_alloc: label(() => undefined),
  pci_iommu_init: label(() => undefined),
});
