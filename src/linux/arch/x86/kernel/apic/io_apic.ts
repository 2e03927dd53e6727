/** arch/x86/kernel/apic/io_apic.c: options that disable I/O APICs. */
import { always, early_param, type ObsKernelParam } from '../../../../include/linux/init.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Disables the setup of I/O APICs, and with it interrupt remapping. */
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
