/** Patch 14, "iommu/amd: AMD IOMMU support for memory encryption": pages that the driver maps for DMA carry the mask. */
import type { Hunk, PatchPart } from '../kernel/hunk.js';
import { fn, kernelFile } from '../kernel/table.js';
import { amdIommuAlternatives } from './14-alternatives.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    amd_iommu_get_me_mask(k: PatchedKernel): bigint;
  }
}

const AMD_IOMMU_C = 'drivers/iommu/amd_iommu.c';
/** The weak default of amd_iommu_get_me_mask(). */
const none = kernelFile(AMD_IOMMU_C, { amd_iommu_get_me_mask: fn(() => 0n, true) });

const memEncrypt: Hunk = {
  id: '14/mem_encrypt',
  file: 'arch/x86/mm/mem_encrypt.c',
  what: 'amd_iommu_get_me_mask() returns the mask',
  needs: ['sme_me_mask', 'amd_iommu_get_me_mask'],
  replaces: { amd_iommu_get_me_mask: () => (k) => k.fn.sme_me_mask() },
};

const amdIommuC: Hunk = {
  id: '14/amd_iommu',
  file: AMD_IOMMU_C,
  what: '__map_single() puts the mask into the physical address; no other address of the driver gets it',
  adds: [none],
  replaces: {
    '__map_single:paddr': (previous) => (k, paddr) =>
      previous(k, paddr) | k.fn.amd_iommu_get_me_mask(),
  },
  stub: [none],
};

export const amdIommu: PatchPart = {
  patch: 14,
  hunks: [memEncrypt, amdIommuC],
  alternatives: amdIommuAlternatives,
};
