/** arch/x86/kernel/pci-nommu.c: DMA operations without an IOMMU: the bus address is the physical address. */
import { hex } from '../../../../machine/address.js';
import {
  DMA_BIT_MASK,
  DMA_ERROR_CODE,
  dmaMapOps,
} from '../../../include/linux/dma-mapping/dma_map_ops.js';
import type { KernelDevice, DmaMapFn } from '../../../include/linux/dma-mapping/dma_map_ops.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import type { Variable } from '../../../../kernel/variables.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    check_addr(k: Kernel, name: string, dev: KernelDevice, bus: bigint, size: number): boolean;
    nommu_map_page: DmaMapFn<'map_page'>;
    /** Bus address of the byte at `offset` in the page at physical address `page`. */
    'nommu_map_page:bus'(k: Kernel, dev: KernelDevice, page: number, offset: number): bigint;
    nommu_map_sg: DmaMapFn<'map_sg'>;
  }
}

const PCI_NOMMU_C = 'arch/x86/kernel/pci-nommu.c';

export const pciNommu = bodies({
  check_addr: inline((k: Kernel, name: string, dev: KernelDevice, bus: bigint, size: number) => {
    if (k.fn.dma_capable(dev, bus, size)) return true;
    if (dev.dmaMask >= DMA_BIT_MASK(32)) {
      k.fn.printk(
        `nommu_${name}: overflow ${hex(bus)}+${String(size)} of device mask ${hex(dev.dmaMask)}`,
      );
    }
    return false;
  }),
  nommu_map_page: fn((k, dev, page, offset, size, _dir) => {
    const bus = k.fn['nommu_map_page:bus'](dev, page, offset);
    return k.fn.check_addr('map_single', dev, bus, size) ? bus : DMA_ERROR_CODE;
  }, true),
  'nommu_map_page:bus': inline((_k: Kernel, _dev: KernelDevice, page: number, offset: number) =>
    BigInt(page + offset),
  ),
  nommu_map_sg: fn((k, dev, sgl, _dir) => {
    for (const sg of sgl) {
      // sg_phys()
      sg.dmaAddress = BigInt(sg.page + sg.offset);
      if (!k.fn.check_addr('map_sg', dev, sg.dmaAddress, sg.length)) return 0;
      sg.dmaLength = sg.length;
    }
    return sgl.length;
  }, true),
});

// sync_*: nothing to do on x86, where devices snoop.
export const nommuVariables: readonly Variable[] = [
  dmaMapOps('nommu_dma_ops', PCI_NOMMU_C, {
    alloc: 'dma_generic_alloc_coherent',
    free: 'dma_generic_free_coherent',
    map_page: 'nommu_map_page',
    map_sg: 'nommu_map_sg',
  }),
];
