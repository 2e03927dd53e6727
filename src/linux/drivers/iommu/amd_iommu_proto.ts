/** drivers/iommu/amd_iommu_proto.h: features of an IOMMU. */
import { IOMMU_CAP, type AmdIommuInstance } from './amd_iommu_types.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Whether an IOMMU has a feature, by its bit (amd_iommu_proto.h). */
    iommu_feature(k: Kernel, iommu: AmdIommuInstance, feature: number): boolean;
  }
}

export const amdIommuProto = bodies({
  iommu_feature: inline(
    (_k: Kernel, iommu: AmdIommuInstance, feature: number) =>
      (iommu.cap & (1 << IOMMU_CAP.EFR)) !== 0 && ((iommu.features >> BigInt(feature)) & 1n) !== 0n,
  ),
});
