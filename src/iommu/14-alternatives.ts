/** Alternatives to patch 14: the mask in all addresses that the IOMMU reads, not only in those of mapped pages. */
import type { Alternative } from '../kernel/hunk.js';

export const amdIommuAlternatives: readonly Alternative[] = [
  {
    id: '14/own-structures',
    file: 'drivers/iommu/amd_iommu.c',
    what: 'addresses of device table, rings, page tables and semaphores carry the mask; the driver removes it before it uses one',
    source:
      'the series as merged in v4.14: "iommu/amd: Allow the AMD IOMMU to work with memory encryption", 2543a786aa25',
    needs: ['amd_iommu_get_me_mask'],
    replaces: {
      'amd_iommu:virt_to_phys': (previous) => (k, address) =>
        previous(k, address) | k.fn.amd_iommu_get_me_mask(),
      IOMMU_PTE_PAGE: (previous) => (k, pte) => previous(k, pte & ~k.fn.amd_iommu_get_me_mask()),
      dump_command: (previous) => (k, phys) => {
        previous(k, phys & ~k.fn.amd_iommu_get_me_mask());
      },
    },
  },
];
