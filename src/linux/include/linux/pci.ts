/** include/linux/pci.h: configuration space. */
import { AmdIommu } from '../../../machine/iommu/amd-iommu.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Configuration space of a function: capability blocks of IOMMUs only. */
    pci_read_config_dword(k: Kernel, devid: number, offset: number): number;
  }
}

export const pciHeader = bodies({
  pci_read_config_dword: inline((k: Kernel, devid: number, offset: number) => {
    const device = k.machine.bus.all.find(
      (one) => one instanceof AmdIommu && one.requester === devid,
    );
    // PCI: a function that does not exist reads as all ones.
    return device instanceof AmdIommu ? device.configRead(offset) : 0xffff_ffff;
  }),
});
