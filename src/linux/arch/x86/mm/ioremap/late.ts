/** arch/x86/mm/ioremap.c (the late part), lib/ioremap.c and kernel/memremap.c: mappings in vmalloc space. */
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
import {
  __flush_tlb_all,
  get_entry,
  set_entry,
  type Level,
} from '../../../../../kernel/cpu-ops.js';
import { E820 } from '../../include/asm/e820.js';
import { GFP } from '../../../../mm/page_alloc/page_alloc.js';
import { entryPhysical } from '../../include/asm/pgtable_types.js';
import { stateSlice } from '../../../../../kernel/state.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Maps bytes with I/O attributes and a cache mode; 0 where the kernel refuses. */
    __ioremap_caller(k: Kernel, phys: number, size: number, pcm: number): Va | 0;
    ioremap_cache(k: Kernel, phys: number, size: number): Va | 0;
    ioremap_nocache(k: Kernel, phys: number, size: number): Va | 0;
    /** 0, or a negative number where there is no memory for tables. */
    ioremap_page_range(k: Kernel, address: Va, end: Va, phys: number, prot: bigint): number;
    iounmap(k: Kernel, address: Va): void;
    /** Whether a page is System RAM of the resource tree (kernel/resource.c). */
    page_is_ram(k: Kernel, pfn: number): boolean;
    /** MEMREMAP_WB: the direct map's address where all is RAM, a mapping where none is, 0 where it is mixed. */
    memremap(k: Kernel, phys: number, size: number): Va | 0;
    memunmap(k: Kernel, address: Va): void;
  }
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    /** Areas of vmalloc space in use, and where the next one goes (0: at its start). */
    vmalloc: { address: number; size: number }[];
    vmallocNext: number;
  }
}
export const vmallocState = stateSlice(() => ({ vmalloc: [], vmallocNext: 0 }));

/** asm/pgtable_64_types.h. */
export const VMALLOC_START = va(-0x3700_0000_0000);
export const VMALLOC_END = va(-0x1700_0000_0001);
const ISA_START_ADDRESS = 0xa_0000;

const SHIFTS = [
  ['pgd', 39],
  ['pud', 30],
  ['pmd', 21],
] as const;

/** e820_reserve_resources(): what is RAM, for the kernel or reserved by it, is a System RAM resource. */
const isRam = (k: Kernel, start: number, end: number): boolean =>
  k.fn.e820_any_mapped(start, end, E820.RAM) ||
  k.fn.e820_any_mapped(start, end, E820.RESERVED_KERN);

/** The PTE table for an address, tables on the way made as needed (pud_alloc, pmd_alloc, pte_alloc_kernel). */
function pteTable(k: Kernel, address: Va): Va | 0 {
  let table = k.sym('init_level4_pgt');
  for (const [level, shift] of SHIFTS) {
    const index = tableIndex(address, shift);
    let entry = get_entry(k, table, index);
    if (entry === 0n) {
      const page = k.fn.get_zeroed_page(GFP.KERNEL);
      if (page === 0) return 0;
      entry = k.fn.pud_populate(page);
      const mapped = va(alignDown(address, 2 ** shift));
      set_entry(k, level satisfies Level, table, index, entry, mapped);
    }
    table = k.__va(entryPhysical(entry));
  }
  return table;
}

export const ioremapLate = bodies({
  __ioremap_caller: fn((k: Kernel, phys: number, size: number, pcm: number): Va | 0 => {
    const last = phys + size - 1;
    if (size <= 0) return 0;
    const bits = k.readU8(va(k.sym('boot_cpu_data') + CPUINFO.x86_phys_bits));
    // phys_addr_valid()
    if (phys >= 2 ** bits) {
      k.trace.console(`ioremap: invalid physical address ${hex(phys)}`);
      return 0;
    }
    // The ISA range is always mapped: by the direct map.
    if (phys >= ISA_START_ADDRESS && last < ISA_END_ADDRESS) return k.__va(phys);
    const start = alignDown(phys, PAGE_SIZE);
    const end = alignUp(last + 1, PAGE_SIZE);
    for (let at = start; at < end; at += PAGE_SIZE) {
      // __ioremap_check_ram() lets reserved pages pass; the model has no page flags, memblock's owners say who has them.
      if (!isRam(k, at, at + PAGE_SIZE) || isReserved(k, at)) continue;
      k.trace.console(`ioremap on RAM at ${hex(phys)} - ${hex(last)}`);
      return 0;
    }
    const prot = k.fn.PAGE_KERNEL_IO() | k.fn.cachemode2protval(pcm);
    const address = getVmArea(k, end - start);
    if (k.fn.ioremap_page_range(address, va(address + (end - start)), start, prot) !== 0) return 0;
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
    for (let at: number = start; at < start + area.size; at += PAGE_SIZE) {
      const table = pteTable(k, va(at));
      if (table !== 0) set_entry(k, 'pte', table, tableIndex(va(at), 12), 0n, va(at));
    }
    // Areas are flushed lazily and before they are used again; here at once (our choice).
    __flush_tlb_all(k);
  }, true),
});

/** Pages that mem_init() did not give to the allocator. */
const isReserved = (k: Kernel, phys: number): boolean =>
  k.state.memblock.reserved.some((r) => phys >= r.base && phys < r.base + r.size);

/** get_vm_area(): the next free place, with a guard page behind it (mm/vmalloc.c); no place is used twice (our choice). */
function getVmArea(k: Kernel, size: number): Va {
  const last = k.state.vmallocNext;
  const address = last === 0 ? VMALLOC_START : va(last);
  k.state.vmallocNext = address + size + PAGE_SIZE;
  k.state.vmalloc.push({ address, size });
  return address;
}

export const libIoremap = bodies({
  ioremap_page_range: inline((k: Kernel, address: Va, end: Va, phys: number, prot: bigint) => {
    for (let at: number = address; at < end; at += PAGE_SIZE) {
      const table = pteTable(k, va(at));
      if (table === 0) return -1;
      const value = k.fn.pfn_pte((phys + at - address) / PAGE_SIZE, prot);
      set_entry(k, 'pte', table, tableIndex(va(at), 12), value, va(at));
    }
    return 0;
  }),
});

export const memremapFile = bodies({
  page_is_ram: inline((k: Kernel, pfn: number) => isRam(k, pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE)),

  memremap: inline((k: Kernel, phys: number, size: number): Va | 0 => {
    const pages = Array.from(
      { length: alignUp((phys % PAGE_SIZE) + size, PAGE_SIZE) / PAGE_SIZE },
      (_, i) => k.fn.page_is_ram(Math.floor(phys / PAGE_SIZE) + i),
    );
    if (pages.every((ram) => ram)) return k.__va(phys);
    if (pages.some((ram) => ram)) {
      k.trace.console(`memremap attempted on mixed range ${hex(phys)} size: ${hex(size)}`);
      return 0;
    }
    return k.fn.ioremap_cache(phys, size);
  }),
  memunmap: inline((k: Kernel, address: Va) => {
    if (address >= VMALLOC_START && address <= VMALLOC_END) k.fn.iounmap(address);
  }),
});
