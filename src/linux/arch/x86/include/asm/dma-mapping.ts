/** arch/x86/include/asm/dma-mapping.h: bus addresses, and the operations and masks of a device. */
import { va, type Va } from '../../../../../machine/address.js';
import { DMA_BIT_MASK } from '../../../../include/linux/dma-mapping/dma_map_ops.js';
import type { KernelDevice } from '../../../../include/linux/dma-mapping/dma_map_ops.js';
import { GFP } from '../../../../mm/page_alloc/page_alloc.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    phys_to_dma(k: Kernel, dev: KernelDevice, paddr: number): bigint;
    dma_to_phys(k: Kernel, dev: KernelDevice, daddr: bigint): number;
    dma_capable(k: Kernel, dev: KernelDevice, addr: bigint, size: number): boolean;
    /** The struct dma_map_ops of a device. */
    get_dma_ops(k: Kernel, dev: KernelDevice): Va;
    dma_alloc_coherent_mask(k: Kernel, dev: KernelDevice, gfp: number): bigint;
    dma_alloc_coherent_gfp_flags(k: Kernel, dev: KernelDevice, gfp: number): number;
  }
}

export const asmDmaMapping = bodies({
  phys_to_dma: inline((_k: Kernel, _dev: KernelDevice, paddr: number) => BigInt(paddr)),

  dma_to_phys: inline((_k: Kernel, _dev: KernelDevice, daddr: bigint) => Number(daddr)),

  dma_capable: inline(
    (_k: Kernel, dev: KernelDevice, addr: bigint, size: number) =>
      dev.dmaMask !== 0n && addr + BigInt(size) - 1n <= dev.dmaMask,
  ),

  // CONFIG_X86_DEV_DMA_OPS, which X86_64 selects: a device may have its own operations.
  get_dma_ops: inline((k: Kernel, dev: KernelDevice) => {
    const ops = dev.dmaOps === 0 ? k.canonical(k.readU64(k.sym('dma_ops'))) : va(dev.dmaOps);
    k.trace.dmaOps = ops;
    return ops;
  }),

  dma_alloc_coherent_mask: inline((_k: Kernel, dev: KernelDevice, gfp: number) => {
    if (dev.coherentDmaMask !== 0n) return dev.coherentDmaMask;
    return DMA_BIT_MASK((gfp & GFP.DMA) !== 0 ? 24 : 32);
  }),

  dma_alloc_coherent_gfp_flags: inline((k: Kernel, dev: KernelDevice, gfp: number) => {
    const mask = k.fn.dma_alloc_coherent_mask(dev, gfp);
    const flags = mask <= DMA_BIT_MASK(24) ? gfp | GFP.DMA : gfp;
    return mask <= DMA_BIT_MASK(32) && (flags & GFP.DMA) === 0 ? flags | GFP.DMA32 : flags;
  }),
});
