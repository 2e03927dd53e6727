/** arch/x86/pci/legacy.c: enumerating the devices on the bus. */
import { BAR_SIZE, DmaDevice } from '../../../../machine/devices/dma-device.js';
import { DMA_BIT_MASK, type KernelDevice } from '../../../include/linux/dma-mapping/dma_map_ops.js';
import { stateSlice } from '../../../../kernel/state.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Enumerates the bus. Configuration space is not modelled: the machine's list of devices is used. */
    pci_subsys_init(k: Kernel): void;
  }
}

declare module '../../../../kernel/state.js' {
  interface KernelState {
    /** Devices that the PCI code found, in bus order. */
    devices: KernelDevice[];
  }
}
export const pciState = stateSlice(() => ({ devices: [] }));

export const pciLegacy = bodies({
  pci_subsys_init: fn((k: Kernel) => {
    // drivers/pci/probe.c, pci_setup_device() and pci_device_add(): both DMA masks are 32 bits at first.
    k.state.devices = k.machine.bus.all
      .filter((device) => device instanceof DmaDevice)
      .map(({ name, requester, bar }) => ({
        name,
        devid: requester,
        dmaMask: DMA_BIT_MASK(32),
        coherentDmaMask: DMA_BIT_MASK(32),
        dmaOps: 0,
        ...(bar !== null && { bar: { start: bar, size: BAR_SIZE, claimed: false } }),
      }));
    k.fn.pcibios_resource_survey();
  }),
});
