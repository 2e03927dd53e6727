/** kernel/resource.c: the resources of physical memory. */
import { PAGE_SIZE } from '../../machine/address.js';
import { E820 } from '../arch/x86/include/asm/e820.js';
import { stateSlice } from '../../kernel/state.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Whether a page frame is System RAM in the resource tree. */
    page_is_ram(k: Kernel, pfn: number): boolean;
  }
}

declare module '../../kernel/state.js' {
  interface KernelState {
    /** iomem_resource: `end` is the highest valid physical address. */
    iomemResource: { end: number };
  }
}
export const resourceState = stateSlice(() => ({ iomemResource: { end: 0 } }));

/** e820_reserve_resources(): E820_RAM and E820_RESERVED_KERN are System RAM; true if [start, end) overlaps one. */
export const isRam = (k: Kernel, start: number, end: number): boolean =>
  k.fn.e820_any_mapped(start, end, E820.RAM) ||
  k.fn.e820_any_mapped(start, end, E820.RESERVED_KERN);

export const resource = bodies({
  page_is_ram: inline((k: Kernel, pfn: number) => isRam(k, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE)),
});
