/** lib/iommu-helper.c: whether slots cross a boundary. */
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Whether `nr` slots from `shift + index` on cross a multiple of `boundary` slots. */
    iommu_is_span_boundary(
      k: Kernel,
      index: number,
      nr: number,
      shift: number,
      boundary: number,
    ): boolean;
  }
}

export const iommuHelper = bodies({
  iommu_is_span_boundary: inline(
    (_k: Kernel, index: number, nr: number, shift: number, boundary: number) =>
      ((shift + index) % boundary) + nr > boundary,
  ),
});
