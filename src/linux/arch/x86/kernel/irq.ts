/** arch/x86/kernel/irq.c: interrupts of the IOMMUs. */
import { AmdIommu } from '../../../../machine/iommu/amd-iommu.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Interrupts of IOMMUs that wait are handled; called where a device may have caused one (our choice). */
    'do_IRQ:amd_iommu'(k: Kernel): void;
  }
}

export const irq = bodies({
  'do_IRQ:amd_iommu': inline((k: Kernel) => {
    for (const iommu of k.state.amdIommu.iommus) {
      const line = k.machine.bus.all.find(
        (one) => one instanceof AmdIommu && one.requester === iommu.devid,
      );
      if (iommu.int_enabled && line instanceof AmdIommu && line.interrupt) {
        k.fn.amd_iommu_int_thread(iommu);
      }
    }
  }),
});
