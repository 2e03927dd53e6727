/** kernel/resource.c: the resources of physical memory. */
import { PAGE_SIZE } from '../../machine/address.js';
import { E820 } from '../arch/x86/include/asm/e820.js';
import { stateSlice } from '../../kernel/state.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Whether a page is System RAM of the resource tree. */
    page_is_ram(k: Kernel, pfn: number): boolean;
  }
}

declare module '../../kernel/state.js' {
  interface KernelState {
    /** iomem_resource: its end is the last physical address that there can be. */
    iomemResource: { end: number };
  }
}
export const resourceState = stateSlice(() => ({ iomemResource: { end: 0 } }));

/** e820_reserve_resources(): what is RAM, for the kernel or reserved by it, is a System RAM resource. */
export const isRam = (k: Kernel, start: number, end: number): boolean =>
  k.fn.e820_any_mapped(start, end, E820.RAM) ||
  k.fn.e820_any_mapped(start, end, E820.RESERVED_KERN);

export const resource = bodies({
  page_is_ram: inline((k: Kernel, pfn: number) => isRam(k, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE)),
});
