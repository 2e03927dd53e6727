/** arch/x86/kernel/apic/io_apic.c: whether I/O APICs are set up. */
import { always, early_param, type ObsKernelParam } from '../../../../include/linux/init.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** I/O APICs are not set up, so that interrupts are not remapped. */
    disable_ioapic_support(k: Kernel): void;
  }
}

export const ioApic = bodies({
  disable_ioapic_support: inline((k: Kernel) => {
    k.state.params.skipIoapicSetup = true;
  }),
});

export const ioApicParams: readonly ObsKernelParam[] = [
  early_param(
    'noapic',
    always(0, (k) => {
      k.fn.disable_ioapic_support();
    }),
  ),
];
