/** lib/swiotlb.c, the DMA operations: direct if the device reaches the memory, else through a bounce buffer. */
import { hex } from '../../../machine/address.js';
import { DMA, DMA_BIT_MASK } from '../../include/linux/dma-mapping/dma_map_ops.js';
import type {
  DmaDirection,
  KernelDevice,
  DmaMapFn,
} from '../../include/linux/dma-mapping/dma_map_ops.js';
import { get_order, readInt } from '../../arch/x86/kernel/pci-dma/pci-dma.js';
import { readLong, SWIOTLB_MAP_ERROR, type SyncTarget } from './swiotlb.js';
import { fn, inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Bus address of bounce memory: lib/swiotlb.c's phys_to_dma() of a slot, the area or the overflow buffer. */
    'swiotlb:bounce_address'(k: Kernel, dev: KernelDevice, paddr: number): bigint;
    'swiotlb:map_single'(
      k: Kernel,
      dev: KernelDevice,
      phys: number,
      size: number,
      dir: DmaDirection,
    ): number;
    'swiotlb:unmap_single': DmaMapFn<'unmap_page'>;
    swiotlb_full(
      k: Kernel,
      dev: KernelDevice,
      size: number,
      dir: DmaDirection,
      doPanic: boolean,
    ): void;
    swiotlb_alloc_coherent: DmaMapFn<'alloc'>;
    swiotlb_free_coherent: DmaMapFn<'free'>;
    swiotlb_map_page: DmaMapFn<'map_page'>;
    swiotlb_unmap_page: DmaMapFn<'unmap_page'>;
    swiotlb_map_sg_attrs: DmaMapFn<'map_sg'>;
    swiotlb_unmap_sg_attrs: DmaMapFn<'unmap_sg'>;
    swiotlb_sync_single_for_cpu: DmaMapFn<'sync_single_for_cpu'>;
    swiotlb_sync_single_for_device: DmaMapFn<'sync_single_for_device'>;
    swiotlb_dma_mapping_error: DmaMapFn<'mapping_error'>;
    swiotlb_dma_supported: DmaMapFn<'dma_supported'>;
  }
}

/** Verb of the panic message, by direction. */
const RANDOM_MEMORY: Readonly<Record<DmaDirection, string>> = {
  [DMA.BIDIRECTIONAL]: 'accessed',
  [DMA.FROM_DEVICE]: 'written',
  [DMA.TO_DEVICE]: 'read',
};

/** swiotlb_sync_single() for one of its two targets. */
const swiotlb_sync_single =
  (target: SyncTarget): DmaMapFn<'sync_single_for_cpu'> =>
  (k, dev, addr, size, dir) => {
    const paddr = k.fn.dma_to_phys(dev, addr);
    if (k.fn.is_swiotlb_buffer(paddr)) k.fn.swiotlb_tbl_sync_single(dev, paddr, size, dir, target);
  };

export const swiotlbDma = bodies({
  'swiotlb:bounce_address': inline((k: Kernel, dev: KernelDevice, paddr: number) =>
    k.fn.phys_to_dma(dev, paddr),
  ),
  'swiotlb:map_single': inline(
    (k: Kernel, dev: KernelDevice, phys: number, size: number, dir: DmaDirection) => {
      const start = k.fn['swiotlb:bounce_address'](dev, readLong(k, 'io_tlb_start'));
      return k.fn.swiotlb_tbl_map_single(dev, start, phys, size, dir);
    },
  ),
  'swiotlb:unmap_single': inline((k, dev, addr, size, dir) => {
    const paddr = k.fn.dma_to_phys(dev, addr);
    // dma_mark_clean() is empty on x86.
    if (k.fn.is_swiotlb_buffer(paddr)) k.fn.swiotlb_tbl_unmap_single(dev, paddr, size, dir);
  }),

  swiotlb_full: fn(
    (k: Kernel, dev: KernelDevice, size: number, dir: DmaDirection, doPanic: boolean) => {
      k.fn.printk(`DMA: Out of SW-IOMMU space for ${String(size)} bytes at device ${dev.name}`);
      if (size <= readLong(k, 'io_tlb_overflow') || !doPanic) return;
      k.fn.panic(`DMA: Random memory could be DMA ${RANDOM_MEMORY[dir]}`);
    },
    true,
  ),

  swiotlb_alloc_coherent: fn((k, dev, size, gfp) => {
    const order = get_order(size);
    const mask = dev.coherentDmaMask === 0n ? DMA_BIT_MASK(32) : dev.coherentDmaMask;
    const reaches = (handle: bigint): boolean => handle + BigInt(size) - 1n <= mask;
    const page = k.fn.alloc_pages(gfp, order);
    if (page !== 0) {
      // swiotlb_virt_to_bus()
      const handle = k.fn.phys_to_dma(dev, page);
      if (reaches(handle)) {
        k.memset(k.__va(page), 0, size);
        return { vaddr: k.__va(page), handle };
      }
      k.fn.free_pages(k.__va(page), order);
    }
    const failed = (): null => {
      k.fn.printk(
        `swiotlb: coherent allocation failed for device ${dev.name} size=${String(size)}`,
      );
      return null;
    };
    const paddr = k.fn['swiotlb:map_single'](dev, 0, size, DMA.FROM_DEVICE);
    if (paddr === SWIOTLB_MAP_ERROR) return failed();
    const handle = k.fn['swiotlb:bounce_address'](dev, paddr);
    if (!reaches(handle)) {
      k.fn.printk(`hwdev DMA mask = ${hex(mask)}, dev_addr = ${hex(handle)}`);
      k.fn.swiotlb_tbl_unmap_single(dev, paddr, size, DMA.TO_DEVICE);
      return failed();
    }
    k.memset(k.__va(paddr), 0, size);
    return { vaddr: k.__va(paddr), handle };
  }, true),
  swiotlb_free_coherent: fn((k, dev, size, vaddr, handle) => {
    const paddr = k.fn.dma_to_phys(dev, handle);
    if (!k.fn.is_swiotlb_buffer(paddr)) k.fn.free_pages(vaddr, get_order(size));
    // TO_DEVICE: nothing is copied back.
    else k.fn.swiotlb_tbl_unmap_single(dev, paddr, size, DMA.TO_DEVICE);
  }, true),

  swiotlb_map_page: fn((k, dev, page, offset, size, dir) => {
    const phys = page + offset;
    const direct = k.fn.phys_to_dma(dev, phys);
    if (k.fn.dma_capable(dev, direct, size) && readInt(k, 'swiotlb_force') === 0) return direct;
    const overflow = (): bigint =>
      k.fn['swiotlb:bounce_address'](dev, readLong(k, 'io_tlb_overflow_buffer'));
    const map = k.fn['swiotlb:map_single'](dev, phys, size, dir);
    if (map === SWIOTLB_MAP_ERROR) {
      k.fn.swiotlb_full(dev, size, dir, true);
      return overflow();
    }
    const bounced = k.fn['swiotlb:bounce_address'](dev, map);
    if (!k.fn.dma_capable(dev, bounced, size)) {
      k.fn.swiotlb_tbl_unmap_single(dev, map, size, dir);
      return overflow();
    }
    return bounced;
  }, true),
  swiotlb_unmap_page: fn((k, dev, addr, size, dir) => {
    k.fn['swiotlb:unmap_single'](dev, addr, size, dir);
  }, true),

  swiotlb_map_sg_attrs: fn((k, dev, sgl, dir) => {
    for (const [index, sg] of sgl.entries()) {
      const phys = sg.page + sg.offset;
      sg.dmaAddress = k.fn.phys_to_dma(dev, phys);
      if (readInt(k, 'swiotlb_force') !== 0 || !k.fn.dma_capable(dev, sg.dmaAddress, sg.length)) {
        const map = k.fn['swiotlb:map_single'](dev, phys, sg.length, dir);
        if (map === SWIOTLB_MAP_ERROR) {
          k.fn.swiotlb_full(dev, sg.length, dir, false);
          k.fn.swiotlb_unmap_sg_attrs(dev, sgl.slice(0, index), dir);
          return 0;
        }
        // The kernel does not check here whether the device reaches the slot.
        sg.dmaAddress = k.fn['swiotlb:bounce_address'](dev, map);
      }
      sg.dmaLength = sg.length;
    }
    return sgl.length;
  }, true),
  swiotlb_unmap_sg_attrs: fn((k, dev, sgl, dir) => {
    for (const sg of sgl) k.fn['swiotlb:unmap_single'](dev, sg.dmaAddress, sg.dmaLength, dir);
  }, true),

  swiotlb_sync_single_for_cpu: fn(swiotlb_sync_single('SYNC_FOR_CPU'), true),
  swiotlb_sync_single_for_device: fn(swiotlb_sync_single('SYNC_FOR_DEVICE'), true),

  swiotlb_dma_mapping_error: fn(
    (k, dev, addr) =>
      addr === k.fn['swiotlb:bounce_address'](dev, readLong(k, 'io_tlb_overflow_buffer')),
    true,
  ),
  // No dma_map_ops of x86 points here; those of other architectures and of Xen do.
  swiotlb_dma_supported: fn(
    (k, dev, mask) => k.fn['swiotlb:bounce_address'](dev, readLong(k, 'io_tlb_end') - 1) <= mask,
    true,
  ),
});
