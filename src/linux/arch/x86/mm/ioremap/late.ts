/** arch/x86/mm/ioremap.c: ioremap() and iounmap(), in vmalloc space. */
import {
  alignDown,
  alignUp,
  hex,
  PAGE_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../machine/address.js';
import { ISA_END_ADDRESS, PAGE_CACHE_MODE } from '../../../../../kernel/constants.js';
import { CPUINFO } from '../../kernel/cpu/common/common.js';
import { __flush_tlb_all, set_entry } from '../../../../../kernel/cpu-ops.js';
import { CACHE_MODE_TYPES } from '../init/cache-mode.js';
import { MEMTYPE } from '../../../../../machine/types.js';
import { isRam } from '../../../../kernel/resource.js';
import { pteTable } from '../../../../lib/ioremap.js';
import { stateSlice } from '../../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Maps `size` bytes at `phys` with PAGE_KERNEL_IO and cache mode `pcm`; 0 where the kernel refuses. */
    __ioremap_caller(k: Kernel, phys: number, size: number, pcm: number): Va | 0;
    ioremap_cache(k: Kernel, phys: number, size: number): Va | 0;
    ioremap_nocache(k: Kernel, phys: number, size: number): Va | 0;
    iounmap(k: Kernel, address: Va): void;
  }
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    /** Areas of vmalloc space in use, and the address of the next one (0: VMALLOC_START). */
    vmalloc: { address: number; size: number }[];
    vmallocNext: number;
  }
}
export const vmallocState = stateSlice(() => ({ vmalloc: [], vmallocNext: 0 }));

/** asm/pgtable_64_types.h. */
export const VMALLOC_START = va(-0x3700_0000_0000);
export const VMALLOC_END = va(-0x1700_0000_0001);
const ISA_START_ADDRESS = 0xa_0000;

export const ioremapLate = bodies({
  __ioremap_caller: fn((k: Kernel, phys: number, size: number, pcm: number): Va | 0 => {
    const last = phys + size - 1;
    if (size <= 0) return 0;
    const bits = k.readU8(va(k.sym('boot_cpu_data') + CPUINFO.x86_phys_bits));
    // phys_addr_valid()
    if (phys >= 2 ** bits) {
      k.fn.printk(`ioremap: invalid physical address ${hex(phys)}`);
      return 0;
    }
    // The direct map always covers the ISA range.
    if (phys >= ISA_START_ADDRESS && last < ISA_END_ADDRESS) return k.__va(phys);
    const start = alignDown(phys, PAGE_SIZE);
    const end = alignUp(last + 1, PAGE_SIZE);
    for (let at = start; at < end; at += PAGE_SIZE) {
      // __ioremap_check_ram() accepts PageReserved pages; the model has no page flags and checks memblock's reserved ranges.
      if (!isRam(k, at, at + PAGE_SIZE) || isReserved(k, at)) continue;
      k.fn.printk(`ioremap on RAM at ${hex(phys)} - ${hex(last)}`);
      return 0;
    }
    const prot = k.fn.PAGE_KERNEL_IO() | k.fn.cachemode2protval(pcm);
    const address = getVmArea(k, end - start);
    if (k.fn.ioremap_page_range(address, va(address + (end - start)), start, prot) !== 0) return 0;
    k.notes?.mapped({ at: address, size: end - start }, CACHE_MODE_TYPES[pcm] ?? MEMTYPE.UC);
    return va(address + (phys - start));
  }, true),

  ioremap_cache: inline((k: Kernel, phys: number, size: number) =>
    k.fn.__ioremap_caller(phys, size, PAGE_CACHE_MODE.WB),
  ),
  ioremap_nocache: inline((k: Kernel, phys: number, size: number) =>
    k.fn.__ioremap_caller(phys, size, PAGE_CACHE_MODE.UC_MINUS),
  ),

  iounmap: fn((k: Kernel, address: Va) => {
    const start = alignDown(address, PAGE_SIZE);
    const index = k.state.vmalloc.findIndex((area) => area.address === start);
    const area = k.state.vmalloc[index];
    if (area === undefined) return;
    k.state.vmalloc.splice(index, 1);
    k.notes?.unmapped(start);
    for (let at: number = start; at < start + area.size; at += PAGE_SIZE) {
      const table = pteTable(k, va(at));
      if (table !== 0) set_entry(k, 'pte', table, tableIndex(va(at), 12), 0n, va(at));
    }
    // The kernel flushes freed areas lazily, before it reuses them; the model flushes at once (our choice).
    __flush_tlb_all(k);
  }, true),
});

/**
 * Whether a part of a page is reserved in memblock, so that mem_init() did not free it to the page allocator: only whole
 * pages are freed (mm/nobootmem.c, __free_memory_core()).
 */
const isReserved = (k: Kernel, phys: number): boolean =>
  k.state.memblock.reserved.some((r) => phys + PAGE_SIZE > r.base && phys < r.base + r.size);

/** get_vm_area(): takes the next address, with a guard page after the area (mm/vmalloc.c); none is reused (our choice). */
function getVmArea(k: Kernel, size: number): Va {
  const last = k.state.vmallocNext;
  const address = last === 0 ? VMALLOC_START : va(last);
  k.state.vmallocNext = address + size + PAGE_SIZE;
  k.state.vmalloc.push({ address, size });
  return address;
}
