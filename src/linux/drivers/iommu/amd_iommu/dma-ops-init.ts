/** drivers/iommu/amd_iommu.c: amd_iommu_init_dma_ops(). */
import { readInt, set_dma_ops, writeInt } from '../../../arch/x86/kernel/pci-dma/pci-dma.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    amd_iommu_init_dma_ops(k: Kernel): number;
  }
}

export const amdIommuDmaOpsInit = bodies({
  amd_iommu_init_dma_ops: fn((k: Kernel) => {
    const passThrough = readInt(k, 'iommu_pass_through') !== 0;
    writeInt(k, 'swiotlb', passThrough ? 1 : 0);
    writeInt(k, 'iommu_detected', 1);
    if (!passThrough) set_dma_ops(k, 'nommu_dma_ops');
    const flush = k.state.params.amdIommuUnmapFlush;
    k.fn.printk(
      flush ? 'AMD-Vi: IO/TLB flush on unmap enabled' : 'AMD-Vi: Lazy IO/TLB flushing enabled',
    );
    return 0;
  }),
});
