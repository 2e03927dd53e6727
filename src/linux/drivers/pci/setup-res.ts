/**
 * drivers/pci/setup-res.c and bus.c: claiming and assigning the addresses of BARs. A root bus has all of iomem_resource,
 * as without _CRS (arch/x86/pci/bus_numa.c: x86_pci_root_bus_resources). Our choice: ports forward all accesses, so
 * bridges have no windows; a device has one 64-bit BAR, and memory decoding is on in its command register.
 */
import { alignUp, hex } from '../../../machine/address.js';
import { DmaDevice } from '../../../machine/devices/dma-device.js';
import type { KernelDevice, MemoryBar } from '../../include/linux/dma-mapping/dma_map_ops.js';
import { E820 } from '../../arch/x86/include/asm/e820.js';
import { EINVAL } from '../../include/uapi/asm-generic/errno-base.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** 0 or a negative errno. */
    pci_claim_resource(k: Kernel, dev: KernelDevice, bar: MemoryBar): number;
    pci_assign_resource(k: Kernel, dev: KernelDevice, bar: MemoryBar): number;
  }
}

/** A range of iomem_resource in use, [start, end). */
interface Taken {
  readonly start: number;
  readonly end: number;
}

/** pci_high (drivers/pci/bus.c): lowest address that is tried first for a 64-bit BAR. */
const PCI_HIGH = 2 ** 32;
const MIB = 2 ** 20;

/** ram_alignment() (arch/x86/kernel/e820.c). */
function ramAlignment(pos: number): number {
  if (pos < MIB) return 64 * 1024;
  return pos < 16 * MIB ? MIB : 64 * MIB;
}

const claimed = (k: Kernel): Taken[] =>
  k.state.devices.flatMap(({ bar }) =>
    bar?.claimed === true ? [{ start: bar.start, end: bar.start + bar.size }] : [],
  );
const ranges = (k: Kernel, has: (type: number) => boolean): Taken[] =>
  k.state.e820
    .filter(({ type }) => has(type))
    .map(({ addr, size }) => ({ start: Number(addr), end: Number(addr + size) }));
const isRam = (type: number): boolean => type === E820.RAM || type === E820.RESERVED_KERN;

/** e820_reserve_resources_late(): addresses after RAM up to the next alignment stay unused. */
const buffers = (k: Kernel): Taken[] =>
  ranges(k, (type) => type === E820.RAM).map(({ end }) => ({
    start: end,
    end: alignUp(end, ramAlignment(end)),
  }));

const overlaps = (a: Taken, b: Taken): boolean => a.start < b.end && b.start < a.end;
const span = ({ start, size }: MemoryBar): string =>
  `[mem ${hex(start)}-${hex(start + size - 1)} 64bit]`;

/** The machine's device for a kernel's device. */
function deviceOf(k: Kernel, { name }: KernelDevice): DmaDevice | undefined {
  const found = k.machine.bus.all.find((one) => one.name === name);
  return found instanceof DmaDevice ? found : undefined;
}

export const pciResources = bodies({
  pci_claim_resource: inline((k: Kernel, dev: KernelDevice, bar: MemoryBar) => {
    const range = { start: bar.start, end: bar.start + bar.size };
    const refuse = (why: string): number => {
      k.fn.printk(`${dev.name}: can't claim BAR 0 ${span(bar)}: ${why}`);
      return -EINVAL;
    };
    // pci_find_parent_resource(): the root bus's resource must contain it.
    if (range.end - 1 > k.state.iomemResource.end) return refuse('no compatible bridge window');
    const busy = [...ranges(k, isRam), ...claimed(k)].find((taken) => overlaps(range, taken));
    if (busy !== undefined) return refuse(`address conflict at ${hex(busy.start)}`);
    bar.claimed = true;
    return 0;
  }),

  // allocate_resource(): the lowest free address from pci_high on.
  pci_assign_resource: inline((k: Kernel, dev: KernelDevice, bar: MemoryBar) => {
    const taken = [...ranges(k, () => true), ...buffers(k), ...claimed(k)].sort(
      (a, b) => a.start - b.start,
    );
    let at = PCI_HIGH;
    for (const each of taken) {
      if (each.start >= at + bar.size) break;
      if (each.end > at) at = alignUp(each.end, bar.size);
    }
    if (at + bar.size - 1 > k.state.iomemResource.end) {
      // pci_revert_fw_address() retries the address that firmware assigned, which has been refused already.
      k.fn.printk(`${dev.name}: BAR 0: failed to assign [mem size ${hex(bar.size)} 64bit]`);
      return -EINVAL;
    }
    bar.start = at;
    bar.claimed = true;
    k.fn.printk(`${dev.name}: BAR 0: assigned ${span(bar)}`);
    // pci_update_resource()
    deviceOf(k, dev)?.setBar(at);
    return 0;
  }),
});
