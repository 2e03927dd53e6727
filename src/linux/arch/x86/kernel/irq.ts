/** arch/x86/kernel/irq.c: interrupts of the IOMMUs. */
import { AmdIommu } from '../../../../machine/iommu/amd-iommu.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Handles pending interrupts of IOMMUs; called where a device may have caused one (our choice). */
    'do_IRQ:amd_iommu'(k: Kernel): void;
  }
}

export const irq = bodies({
  'do_IRQ:amd_iommu': inline((k: Kernel) => {
    for (const iommu of k.state.amdIommu.iommus) {
      const device = k.machine.bus.all.find(
        (each) => each instanceof AmdIommu && each.requester === iommu.devid,
      );
      if (iommu.int_enabled && device instanceof AmdIommu && device.interrupt) {
        k.fn.amd_iommu_int_thread(iommu);
      }
    }
  }),
});
