/** Patch 14, "iommu/amd: AMD IOMMU support for memory encryption". */
import type { PatchPart } from '../kernel/hunk.js';

export const amdIommu: PatchPart = { patch: 14, hunks: [] };
