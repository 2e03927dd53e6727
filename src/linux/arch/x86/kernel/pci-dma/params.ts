/** arch/x86/kernel/pci-dma.c: iommu=; lib/swiotlb.c: swiotlb=. */
import { alignUp, va } from '../../../../../machine/address.js';
import { simple_strtoull } from '../../../../lib/cmdline.js';
import { EINVAL } from '../../../../include/uapi/asm-generic/errno-base.js';
import { early_param, type ObsKernelParam } from '../../../../include/linux/init.js';
import { writeInt } from './pci-dma.js';
import { IO_TLB_SEGSIZE, writeLong } from '../../../../lib/swiotlb/swiotlb.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

const set = (name: string) => (k: Kernel) => {
  writeInt(k, name, 1);
};

/**
 * Words of iommu=, compared as prefixes in the kernel's order: one word may match several. Left out, because only the
 * GART, Calgary and Intel drivers read what they set: force, noforce, merge, nomerge, biomerge, panic, nopanic, calgary
 * and the words of gart_parse_options().
 */
const WORDS: readonly (readonly [word: string, take: (k: Kernel) => void])[] = [
  ['off', set('no_iommu')],
  ['forcesac', (k) => (k.state.params.iommuSacForce = true)],
  ['allowdac', (k) => (k.state.params.forbidDac = 0)],
  ['nodac', (k) => (k.state.params.forbidDac = 1)],
  ['usedac', (k) => (k.state.params.forbidDac = -1)],
  ['soft', set('swiotlb')],
  ['pt', set('iommu_pass_through')],
];

function iommu_setup(k: Kernel, p: string | undefined): number {
  if (p === undefined) return -EINVAL;
  for (const word of p.split(',')) {
    for (const [start, take] of WORDS) {
      if (!word.startsWith(start)) continue;
      take(k);
      // The function returns here: do_early_param() reports a malformed option.
      if (start === 'usedac') return 1;
    }
  }
  return 0;
}

function setup_io_tlb_npages(k: Kernel, str: string | undefined): number {
  // The pointer is not checked: without a value the kernel reads at address 0.
  if (str === undefined) return k.readU8(va(0));
  let rest = str;
  if (/^[0-9]/.test(str)) {
    const slabs = simple_strtoull(str);
    writeLong(k, 'io_tlb_nslabs', alignUp(Number(slabs.value), IO_TLB_SEGSIZE));
    ({ rest } = slabs);
  }
  if (rest.startsWith(',')) rest = rest.slice(1);
  if (rest === 'force') writeInt(k, 'swiotlb_force', 1);
  return 0;
}

export const pciDmaParams: readonly ObsKernelParam[] = [
  early_param('iommu', iommu_setup),
  early_param('swiotlb', setup_io_tlb_npages),
];
