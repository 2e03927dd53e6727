/** include/linux/dma-mapping.h: how drivers map memory for devices. */
import { PAGE_SIZE, type Va } from '../../../../machine/address.js';
import { DMA, DMA_BIT_MASK, DMA_ERROR_CODE, dmaOp } from './dma_map_ops.js';
import type { Coherent, DmaDirection, KernelDevice, DmaMapFn } from './dma_map_ops.js';
import { EIO } from '../../uapi/asm-generic/errno-base.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    dma_get_seg_boundary(k: Kernel, dev: KernelDevice): bigint;
    dma_map_single(k: Kernel, dev: KernelDevice, ptr: Va, size: number, dir: DmaDirection): bigint;
    dma_map_page: DmaMapFn<'map_page'>;
    dma_unmap_single: DmaMapFn<'unmap_page'>;
    dma_unmap_page: DmaMapFn<'unmap_page'>;
    dma_map_sg: DmaMapFn<'map_sg'>;
    dma_unmap_sg: DmaMapFn<'unmap_sg'>;
    dma_sync_single_for_cpu: DmaMapFn<'sync_single_for_cpu'>;
    dma_sync_single_for_device: DmaMapFn<'sync_single_for_device'>;
    dma_alloc_coherent(k: Kernel, dev: KernelDevice, size: number, gfp: number): Coherent | null;
    dma_free_coherent: DmaMapFn<'free'>;
    dma_mapping_error: DmaMapFn<'mapping_error'>;
    /** 0 or a negative errno. */
    dma_set_mask: DmaMapFn<'set_dma_mask'>;
    dma_set_coherent_mask(k: Kernel, dev: KernelDevice, mask: bigint): number;
    dma_set_mask_and_coherent(k: Kernel, dev: KernelDevice, mask: bigint): number;
  }
}

/** States that a device was given a bus address. */
function noteBuffer(
  k: Kernel,
  { devid }: KernelDevice,
  bus: bigint,
  size: number,
  dir: DmaDirection,
): void {
  if (bus === DMA_ERROR_CODE) return;
  k.notes?.buffer(devid, bus, size);
  if (dir !== DMA.FROM_DEVICE) k.notes?.toDevice(devid, bus, size);
}

export const dmaMapping = bodies({
  // The PCI code sets 0xffffffff for every device (drivers/pci/probe.c: pci_device_add); it is the default as well.
  dma_get_seg_boundary: inline(() => DMA_BIT_MASK(32)),

  dma_map_single: inline(
    (k: Kernel, dev: KernelDevice, ptr: Va, size: number, dir: DmaDirection) => {
      const physical = k.__pa(ptr);
      const offset = physical % PAGE_SIZE;
      return k.fn.dma_map_page(dev, physical - offset, offset, size, dir);
    },
  ),
  dma_map_page: inline((k, dev, page, offset, size, dir) => {
    const map = dmaOp(k, k.fn.get_dma_ops(dev), 'map_page');
    if (map === undefined) return k.fn.BUG('map_page is NULL');
    const bus = map(dev, page, offset, size, dir);
    noteBuffer(k, dev, bus, size, dir);
    return bus;
  }),
  dma_unmap_single: inline((k, dev, addr, size, dir) => {
    k.fn.dma_unmap_page(dev, addr, size, dir);
  }),
  dma_unmap_page: inline((k, dev, addr, size, dir) => {
    k.notes?.bufferGone(dev.devid, addr, size);
    dmaOp(k, k.fn.get_dma_ops(dev), 'unmap_page')?.(dev, addr, size, dir);
  }),
  dma_map_sg: inline((k, dev, sgl, dir) => {
    const map = dmaOp(k, k.fn.get_dma_ops(dev), 'map_sg');
    if (map === undefined) return k.fn.BUG('map_sg is NULL');
    const mapped = map(dev, sgl, dir);
    for (const { dmaAddress, dmaLength } of sgl.slice(0, mapped)) {
      noteBuffer(k, dev, dmaAddress, dmaLength, dir);
    }
    return mapped;
  }),
  dma_unmap_sg: inline((k, dev, sgl, dir) => {
    for (const { dmaAddress, dmaLength } of sgl) {
      k.notes?.bufferGone(dev.devid, dmaAddress, dmaLength);
    }
    dmaOp(k, k.fn.get_dma_ops(dev), 'unmap_sg')?.(dev, sgl, dir);
  }),
  dma_sync_single_for_cpu: inline((k, dev, addr, size, dir) => {
    dmaOp(k, k.fn.get_dma_ops(dev), 'sync_single_for_cpu')?.(dev, addr, size, dir);
  }),
  dma_sync_single_for_device: inline((k, dev, addr, size, dir) => {
    dmaOp(k, k.fn.get_dma_ops(dev), 'sync_single_for_device')?.(dev, addr, size, dir);
  }),

  // dma_alloc_attrs(); CMA and per-device coherent memory are not in the base configuration.
  dma_alloc_coherent: inline(
    (k: Kernel, dev: KernelDevice, size: number, gfp: number): Coherent | null => {
      const ops = k.fn.get_dma_ops(dev);
      const flags = k.fn.arch_dma_alloc_attrs(dev, gfp);
      if (flags === null) return null;
      const memory = dmaOp(k, ops, 'alloc')?.(dev, size, flags) ?? null;
      if (memory !== null) noteBuffer(k, dev, memory.handle, size, DMA.BIDIRECTIONAL);
      return memory;
    },
  ),
  dma_free_coherent: inline((k, dev, size, vaddr, handle) => {
    k.notes?.bufferGone(dev.devid, handle, size);
    dmaOp(k, k.fn.get_dma_ops(dev), 'free')?.(dev, size, vaddr, handle);
  }),

  dma_mapping_error: inline((k, dev, addr) => {
    const failed = dmaOp(k, k.fn.get_dma_ops(dev), 'mapping_error');
    return failed === undefined ? addr === DMA_ERROR_CODE : failed(dev, addr);
  }),
  dma_set_mask: inline((k, dev, mask) => {
    const own = dmaOp(k, k.fn.get_dma_ops(dev), 'set_dma_mask');
    if (own !== undefined) return own(dev, mask);
    if (dev.dmaMask === 0n || !k.fn.dma_supported(dev, mask)) return -EIO;
    dev.dmaMask = mask;
    return 0;
  }),
  dma_set_coherent_mask: inline((k: Kernel, dev: KernelDevice, mask: bigint) => {
    if (!k.fn.dma_supported(dev, mask)) return -EIO;
    dev.coherentDmaMask = mask;
    return 0;
  }),
  dma_set_mask_and_coherent: inline((k: Kernel, dev: KernelDevice, mask: bigint) => {
    const rc = k.fn.dma_set_mask(dev, mask);
    if (rc === 0) k.fn.dma_set_coherent_mask(dev, mask);
    return rc;
  }),
});
