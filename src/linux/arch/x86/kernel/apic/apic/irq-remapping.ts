/**
 * arch/x86/kernel/apic/apic.c: enabling interrupt remapping. The I/O APICs and x2APIC mode themselves are not modelled.
 */
import { fn, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** irq_remapping_prepare() and irq_remapping_enable() as enable_IR_x2apic() calls them. */
    enable_IR_x2apic(k: Kernel): void;
  }
}

export const apicC = bodies({
  enable_IR_x2apic: fn((k: Kernel) => {
    const { disableIrqRemap, skipIoapicSetup } = k.state.params;
    if (disableIrqRemap || k.fn.amd_iommu_prepare() !== 0) return;
    // try_to_enable_IR()
    if (skipIoapicSetup) {
      k.fn.printk('Not enabling interrupt remapping due to skipped IO-APIC setup');
      return;
    }
    k.fn.amd_iommu_enable();
  }),
});
