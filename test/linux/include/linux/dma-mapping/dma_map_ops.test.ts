import { beforeAll, describe, expect, test } from '@jest/globals';
import { va } from '../../../../../src/machine/address.js';
import {
  DMA_BIT_MASK,
  DMA_MAP_OPS,
  dmaOp,
} from '../../../../../src/linux/include/linux/dma-mapping/dma_map_ops.js';
import { BootCheckpoint } from '../../../../kernel/at-label.js';

const checkpoint = new BootCheckpoint('pci_iommu_init', { stage: 0 });
const { k } = checkpoint;
beforeAll(() => {
  checkpoint.restore();
});

describe('struct dma_map_ops', () => {
  test('has its pointers contiguous, in the order of the header', () => {
    expect(Object.entries(DMA_MAP_OPS)).toEqual(
      [
        ['alloc', 'free', 'mmap', 'get_sgtable', 'map_page', 'unmap_page', 'map_sg', 'unmap_sg'],
        ['sync_single_for_cpu', 'sync_single_for_device', 'sync_sg_for_cpu', 'sync_sg_for_device'],
        ['mapping_error', 'dma_supported', 'set_dma_mask', 'is_phys'],
      ]
        .flat()
        .map((name, index) => [name, index * 8]),
    );
  });

  test('is in memory as function addresses, NULL for an operation without function', () => {
    const at = (ops: string, op: keyof typeof DMA_MAP_OPS): string | undefined =>
      k.program.nameAt(
        Number(BigInt.asIntN(64, k.readU64(va(k.sym(ops) + DMA_MAP_OPS[op])))) - k.slide,
      )?.name;
    expect(at('nommu_dma_ops', 'map_page')).toBe('nommu_map_page');
    expect(at('swiotlb_dma_ops', 'mapping_error')).toBe('swiotlb_dma_mapping_error');
    expect(k.readU64(va(k.sym('swiotlb_dma_ops') + DMA_MAP_OPS.dma_supported))).toBe(0n);
    expect(dmaOp(k, k.sym('nommu_dma_ops'), 'unmap_page')).toBeUndefined();
  });

  test.each([
    ['the middle of a function', (): bigint => BigInt(k.sym('nommu_map_page') + 1)],
    ['a variable', (): bigint => BigInt(k.sym('dma_ops'))],
    ['no name', (): bigint => 0x1234n],
  ])('ends the boot when called through a pointer to %s', (_what, pointer) => {
    checkpoint.restore();
    k.writeU64(va(k.sym('nommu_dma_ops') + DMA_MAP_OPS.map_page), pointer());
    expect(() => dmaOp(k, k.sym('nommu_dma_ops'), 'map_page')).toThrow(
      /#UD|hung|no function|handler/,
    );
  });
});

test('DMA_BIT_MASK(n) has n bits', () => {
  expect([24, 32, 64].map(DMA_BIT_MASK)).toEqual([0xff_ffffn, 0xffff_ffffn, 2n ** 64n - 1n]);
});
