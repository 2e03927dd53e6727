/** arch/x86/kernel/devicetree.c: memory for the device tree. */
import type { Va } from '../../../../../machine/address.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Address of `size` zeroed bytes for the tree; panics as the allocator does where there are none. */
    early_init_dt_alloc_memory_arch(k: Kernel, size: number, align: number): Va;
  }
}

/** The goal of early_init_dt_alloc_memory_arch: above MAX_DMA_ADDRESS (arch/x86/kernel/devicetree.c). */
const MAX_DMA = 16 * 2 ** 20;

export const devicetreeAlloc = bodies({
  early_init_dt_alloc_memory_arch: inline((k: Kernel, size: number, align: number) => {
    const limit = k.state.memblock.currentLimit;
    const at =
      k.fn.memblock_find_in_range(MAX_DMA, limit, size, align) ||
      k.fn.memblock_find_in_range(0, limit, size, align);
    if (at === 0) return k.fn.panic('Out of memory');
    k.fn.memblock_reserve(at, size, 'device tree');
    const address = k.__va(at);
    // ___alloc_bootmem_node() clears the memory that it returns (mm/nobootmem.c).
    k.memset(address, 0, size);
    return address;
  }),
});
