/** arch/x86/pci/i386.c: claiming or assigning each BAR. */
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Claims each device's BAR at the address that firmware assigned, or assigns another one. */
    pcibios_resource_survey(k: Kernel): void;
  }
}

export const pciI386 = bodies({
  pcibios_resource_survey: inline((k: Kernel) => {
    const unclaimed = k.state.devices.filter(
      (dev) => dev.bar !== undefined && k.fn.pci_claim_resource(dev, dev.bar) !== 0,
    );
    // pcibios_assign_resources(), a separate initcall in the kernel.
    for (const dev of unclaimed) if (dev.bar !== undefined) k.fn.pci_assign_resource(dev, dev.bar);
  }),
});
