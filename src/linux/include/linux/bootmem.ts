/** include/linux/bootmem.h: zeroed memory from memblock. */
import type { Va } from '../../../machine/address.js';
import { fn, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';
import { LIMIT } from '../../mm/memblock.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Zeroed memory below 4 GiB; 0 (a NULL pointer) if there is none. */
    memblock_virt_alloc_low_nopanic(k: Kernel, size: number, align: number): Va | 0;
    /** Zeroed memory at any address; panics if there is none. */
    memblock_virt_alloc(k: Kernel, size: number, align: number): Va;
  }
}

/** include/linux/bootmem.h: lowest address of allocations, __pa(MAX_DMA_ADDRESS), and highest one of low memory. */
const BOOTMEM_LOW_LIMIT = 2 ** 24;
const ARCH_LOW_ADDRESS_LIMIT = 2 ** 32 - 1;

/** memblock_virt_alloc_internal(): above ZONE_DMA if possible; zeroed through the direct map. */
function virtAlloc(k: Kernel, size: number, align: number, limit: number): Va | 0 {
  const base =
    k.fn.memblock_find_in_range(BOOTMEM_LOW_LIMIT, limit, size, align) ||
    k.fn.memblock_find_in_range(0, limit, size, align);
  if (base === 0) return 0;
  // The owner is the allocator's caller: the allocator itself is on top of the stack.
  k.fn.memblock_reserve(base, size, k.state.frames.at(-2)?.name);
  const address = k.__va(base);
  k.memset(address, 0, size);
  return address;
}

export const bootmem = bodies({
  memblock_virt_alloc_low_nopanic: fn(
    (k: Kernel, size: number, align: number) => virtAlloc(k, size, align, ARCH_LOW_ADDRESS_LIMIT),
    true,
  ),

  memblock_virt_alloc: fn((k: Kernel, size: number, align: number) => {
    const address = virtAlloc(k, size, align, LIMIT);
    if (address !== 0) return address;
    return k.fn.panic(`memblock_virt_alloc: Failed to allocate ${String(size)} bytes`);
  }, true),
});
