/** DMA of the base kernel without IOMMU and bounce buffers: dma_ops = nommu_dma_ops. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  DMA,
  DMA_BIT_MASK,
  type KernelDevice,
} from '../../../../../src/linux/include/linux/dma-mapping/dma_map_ops.js';
import { freeRanges, GFP } from '../../../../../src/linux/mm/page_alloc/page_alloc.js';
import { get_order } from '../../../../../src/linux/arch/x86/kernel/pci-dma/pci-dma.js';
import { scenario } from '../../../../helpers.js';
import { BootCheckpoint } from '../../../../kernel/at-label.js';

const MIB = 2 ** 20;
const EIO = 5;
const checkpoint = new BootCheckpoint('pci_iommu_init', {
  scenario: scenario('bios-devices', 'machine.ram=64MiB'),
  stage: 0,
});
const { k } = checkpoint;
beforeEach(() => {
  checkpoint.restore();
});

const device = (bits: number, coherent = bits): KernelDevice => ({
  name: 'dev',
  devid: 0x100,
  dmaMask: bits === 0 ? 0n : DMA_BIT_MASK(bits),
  coherentDmaMask: coherent === 0 ? 0n : DMA_BIT_MASK(coherent),
  dmaOps: 0,
});

describe('asm/dma-mapping.h', () => {
  test.each([
    [24, 0xff_fffen, 1, true],
    [24, 0xff_ffffn, 1, true],
    [24, 0xff_ffffn, 2, false],
    [24, 0x100_0000n, 1, false],
    [32, 0xffff_f000n, 0x1000, true],
    [32, 0xffff_f001n, 0x1000, false],
    [64, 2n ** 47n, 1, true],
    [0, 0n, 1, false],
  ])(
    'dma_capable() for a mask of %p bits, address %p and size %p is %p',
    (bits, addr, size, capable) => {
      expect(k.fn.dma_capable(device(bits), addr, size)).toBe(capable);
    },
  );

  test('get_dma_ops() returns dma_ops unless the device has its own', () => {
    expect(k.fn.get_dma_ops(device(32))).toBe(k.sym('nommu_dma_ops'));
    const own = { ...device(32), dmaOps: k.sym('swiotlb_dma_ops') };
    expect(k.fn.get_dma_ops(own)).toBe(k.sym('swiotlb_dma_ops'));
  });

  test.each([
    [24, GFP.KERNEL, GFP.DMA],
    [32, GFP.KERNEL, GFP.DMA32],
    [33, GFP.KERNEL, GFP.KERNEL],
    [64, GFP.KERNEL, GFP.KERNEL],
    // Without a mask of its own: 24 bits if GFP_DMA is set, else 32.
    [0, GFP.DMA, GFP.DMA],
    [0, GFP.KERNEL, GFP.DMA32],
  ])('dma_alloc_coherent_gfp_flags() for %p bits and flags %p is %p', (bits, gfp, flags) => {
    expect(k.fn.dma_alloc_coherent_gfp_flags(device(32, bits), gfp)).toBe(flags);
  });
});

describe('nommu_map_page()', () => {
  test.each([
    [24, 16 * MIB - 4096, 0, 4096, true],
    [24, 16 * MIB - 4096, 1, 4096, false],
    [32, 16 * MIB, 0x123, 1, true],
  ])('maps for %p bits, page %p+%p, %p bytes: %p', (bits, page, offset, size, ok) => {
    const bus = k.fn.dma_map_page(device(bits), page, offset, size, DMA.TO_DEVICE);
    expect(bus).toBe(ok ? BigInt(page + offset) : 0n);
    expect(k.fn.dma_mapping_error(device(bits), bus)).toBe(!ok);
  });

  test('fails for a whole scatterlist if one entry is out of reach', () => {
    const entry = (page: number) => ({ page, offset: 8, length: 16, dmaAddress: 0n, dmaLength: 0 });
    const sgl = [entry(8 * MIB), entry(16 * MIB)];
    expect(k.fn.dma_map_sg(device(24), sgl, DMA.TO_DEVICE)).toBe(0);
    expect(k.fn.dma_map_sg(device(32), sgl, DMA.TO_DEVICE)).toBe(2);
    expect(sgl.map(({ dmaAddress, dmaLength }) => [dmaAddress, dmaLength])).toEqual([
      [BigInt(8 * MIB + 8), 16],
      [BigInt(16 * MIB + 8), 16],
    ]);
  });
});

describe('DMA masks', () => {
  test.each([
    [23, -EIO],
    [24, 0],
    [64, 0],
  ])('of %p bits: dma_set_mask_and_coherent() returns %p', (bits, rc) => {
    const dev = device(32);
    expect(k.fn.dma_set_mask_and_coherent(dev, DMA_BIT_MASK(bits))).toBe(rc);
    const width = rc === 0 ? bits : 32;
    expect([dev.dmaMask, dev.coherentDmaMask]).toEqual([DMA_BIT_MASK(width), DMA_BIT_MASK(width)]);
  });

  test('cannot be set for a device that does no DMA', () => {
    const dev = device(0);
    expect(k.fn.dma_set_mask(dev, DMA_BIT_MASK(32))).toBe(-EIO);
    expect(k.fn.dma_alloc_coherent(dev, 4096, GFP.KERNEL)).toBeNull();
  });

  test('are 32 bits after the bus is enumerated', () => {
    expect(k.state.devices.map(({ name, devid, dmaMask }) => [name, devid, dmaMask])).toEqual([
      ['nvme', 0x400, DMA_BIT_MASK(32)],
      ['ahci', 0x500, DMA_BIT_MASK(32)],
      ['isa', 0x600, DMA_BIT_MASK(32)],
    ]);
  });
});

describe('dma_generic_alloc_coherent()', () => {
  test('allocates zeroed memory that the device reaches, and dma_free_coherent() frees it', () => {
    const before = structuredClone(k.state.pages);
    const first = k.fn.dma_alloc_coherent(device(32), 5000, GFP.KERNEL);
    if (first === null) throw new Error('no memory');
    expect(first.handle).toBe(BigInt(k.__pa(first.vaddr)));
    expect(k.readBytes(first.vaddr, 5000)).toEqual(new Uint8Array(5000));
    k.fn.dma_free_coherent(device(32), 5000, first.vaddr, first.handle);
    const free = (pages: typeof before): number =>
      freeRanges(pages).reduce((sum, r) => sum + r.size, 0);
    expect(free(k.state.pages)).toBe(free(before));
  });

  test('rejects the last page below the mask, off by one byte', () => {
    // The page at 16 MiB − 4 KiB ends at the mask and is compared with its end, not with its last byte.
    const taken: number[] = [];
    for (let page = k.fn.alloc_pages(GFP.DMA, 0); page !== 16 * MIB - 4096;) {
      expect(page).not.toBe(0);
      taken.push(page);
      page = k.fn.alloc_pages(GFP.DMA, 0);
    }
    k.fn.free_pages(k.__va(16 * MIB - 4096), 0);
    expect(k.fn.dma_alloc_coherent(device(24), 4096, GFP.KERNEL)).toBeNull();
    k.fn.alloc_pages(GFP.DMA, 0);
    expect(k.fn.dma_alloc_coherent(device(24), 4096, GFP.KERNEL)).not.toBeNull();
  });

  test.each([
    [1, 0],
    [4096, 0],
    [4097, 1],
    [8192, 1],
    [8193, 2],
  ])('get_order(%p) is %p', (size, order) => {
    expect(get_order(size)).toBe(order);
  });
});
