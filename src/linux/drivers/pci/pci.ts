/** drivers/pci/pci.c: mapping a BAR. */
import { va, type Va } from '../../../machine/address.js';
import type { KernelDevice } from '../../include/linux/dma-mapping/dma_map_ops.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Maps a BAR; 0 where it has no address assigned, or the kernel refuses to map it. */
    pci_ioremap_bar(k: Kernel, dev: KernelDevice): Va | 0;
  }
}

export const pciIomap = bodies({
  pci_ioremap_bar: inline((k: Kernel, dev: KernelDevice): Va | 0 => {
    const { bar } = dev;
    if (bar?.claimed !== true) {
      k.fn.printk(`${dev.name}: can't ioremap BAR 0`);
      return 0;
    }
    const at = k.fn.ioremap_nocache(bar.start, bar.size);
    return at === 0 ? 0 : va(at);
  }),
});
