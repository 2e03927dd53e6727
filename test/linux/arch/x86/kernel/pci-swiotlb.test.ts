/** When bounce buffers are allocated, and how they are freed after an IOMMU driver has disabled them. */
import { describe, expect, test } from '@jest/globals';
import {
  readInt,
  set_dma_ops,
  writeInt,
} from '../../../../../src/linux/arch/x86/kernel/pci-dma/pci-dma.js';
import { firstOf } from '../../../../cases.js';
import { readLong } from '../../../../../src/linux/lib/swiotlb/swiotlb.js';
import type { Boot } from '../../../../../src/sequencer/boot.js';
import { freeRanges } from '../../../../../src/linux/mm/page_alloc/page_alloc.js';
import { boot, scenario } from '../../../../helpers.js';

const at = (label: string, ram: string, stage: number): Boot => {
  const made = boot({ scenario: scenario('bios-devices', `machine.ram=${ram}`), stage });
  made.runTo(label);
  return made;
};

/** amd_iommu_init_dma_ops() without iommu=pt: no bounce buffers, and other devices use physical addresses. */
const switchOff = ({ kernel }: Boot): void => {
  writeInt(kernel, 'swiotlb', 0);
  set_dma_ops(kernel, 'nommu_dma_ops');
};

describe('bounce buffers', () => {
  test.each(
    firstOf(2, [
      ['3GiB', 0, false],
      ['4GiB', 0, true],
      ['128MiB', 18, true],
    ]),
  )('with %s of RAM at stage %p are allocated: %p', (ram, stage, used) => {
    const { kernel } = at('mm_init', ram, stage);
    const [ops, size] = used ? ['swiotlb_dma_ops', 64 * 2 ** 20] : ['nommu_dma_ops', 0];
    expect(kernel.readU64(kernel.sym('dma_ops'))).toBe(BigInt.asUintN(64, BigInt(kernel.sym(ops))));
    expect(readLong(kernel, 'io_tlb_end') - readLong(kernel, 'io_tlb_start')).toBe(size);
    expect(readInt(kernel, 'swiotlb')).toBe(used ? 1 : 0);
  });

  test('that an IOMMU driver disabled are freed', () => {
    const run = at('populate_rootfs', '4GiB', 0);
    const free = (): number =>
      freeRanges(run.kernel.state.pages).reduce((sum, r) => sum + r.size, 0);
    const before = free();
    switchOff(run);
    run.runTo('pci_iommu_init');
    // The area, the overflow buffer, the list and the original addresses.
    expect(free() - before).toBe((64 * 1024 + 32 + 128 + 256) * 1024);
    expect(run.run().outcome.kind).toBe('booted');
  });

  test('that the posted series decrypted are freed without the C-bit: tables made there are garbage', () => {
    const run = at('populate_rootfs', '128MiB', 18);
    switchOff(run);
    const trace = run.run();
    expect(trace.outcome.kind).toBe('triple-fault');
  });
});
