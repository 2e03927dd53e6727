/** arch/x86/mm/ioremap.c (the early part) and mm/early_ioremap.c: mappings before ioremap works. */
import {
  alignUp,
  alignDown,
  PAGE_SIZE,
  PMD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../machine/address.js';
import { FIX_BTMAP_BEGIN, FIX_BTMAPS_SLOTS, NR_FIX_BTMAPS } from '../../kernel/constants.js';
import { get_entry, invlpg, set_entry } from '../../kernel/cpu-ops.js';
import { entryPhysical } from '../arch/x86/include/asm/pgtable_types.js';
import { stateSlice } from '../../kernel/state.js';
import { fn, inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { Variable } from '../../kernel/variables.js';

/** A physical address; 64 bits of it where it comes from memory and may be anything. */
export type Phys = number | bigint;

/** An early mapping slot in use (mm/early_ioremap.c: prev_map, prev_size). */
export interface EarlyMapSlot {
  address: number;
  size: number;
}

declare module '../../kernel/table.js' {
  interface Entries {
    /** The page-global directory in use, as an address: `__va(read_cr3())`. */
    'early_ioremap_pmd:base'(k: Kernel): Va;
    early_ioremap_pmd(k: Kernel, address: Va): { table: Va; index: number };
    early_ioremap_init(k: Kernel): void;
    __early_set_fixmap(k: Kernel, index: number, phys: number, prot: bigint): void;
    /** Returns 0 where no mapping can be had (a NULL pointer). */
    __early_ioremap(k: Kernel, phys: Phys, size: number, prot: bigint): Va | 0;
    early_ioremap(k: Kernel, phys: Phys, size: number): Va | 0;
    early_memremap(k: Kernel, phys: Phys, size: number): Va | 0;
    early_iounmap(k: Kernel, address: Va, size: number): void;
    early_memunmap(k: Kernel, address: Va, size: number): void;
    copy_from_early_mem(k: Kernel, dest: Va, src: number, size: number): void;
  }
}

declare module '../../kernel/state.js' {
  interface KernelState {
    /** By slot; null where it is free. */
    slots: (EarlyMapSlot | null)[];
  }
}
export const earlyIoremapState = stateSlice(() => ({
  slots: new Array<EarlyMapSlot | null>(FIX_BTMAPS_SLOTS).fill(null),
}));

const MAX_MAP_CHUNK = NR_FIX_BTMAPS * PAGE_SIZE;

export const ioremap = bodies({
  'early_ioremap_pmd:base': inline((k: Kernel) => k.__va(Number(k.cpu.cr3))),

  early_ioremap_pmd: inline((k: Kernel, address: Va) => {
    const pgd = k.fn['early_ioremap_pmd:base']();
    const pud = k.__va(entryPhysical(get_entry(k, pgd, tableIndex(address, 39))));
    const pmd = k.__va(entryPhysical(get_entry(k, pud, tableIndex(address, 30))));
    return { table: pmd, index: tableIndex(address, 21) };
  }),

  early_ioremap_init: fn((k: Kernel) => {
    const at = k.fn.fix_to_virt(FIX_BTMAP_BEGIN);
    const { table, index } = k.fn.early_ioremap_pmd(at);
    const bm_pte = k.sym('bm_pte');
    k.memset(bm_pte, 0, 4096);
    const pointer = BigInt(k.__pa(bm_pte)) | k.fn._PAGE_TABLE();
    set_entry(k, 'pmd', table, index, pointer, va(alignDown(at, PMD_SIZE)));
  }),

  __early_set_fixmap: inline((k: Kernel, index: number, phys: number, prot: bigint) => {
    const address = k.fn.fix_to_virt(index);
    const value = prot === 0n ? 0n : k.fn.pfn_pte(phys / PAGE_SIZE, prot);
    set_entry(k, 'pte', k.sym('bm_pte'), tableIndex(address, 12), value, address);
    invlpg(k, address);
  }),
});

export const early_ioremap = bodies({
  __early_ioremap: fn((k: Kernel, given: Phys, size: number, prot: bigint): Va | 0 => {
    const slot = k.state.slots.findIndex((used) => used === null);
    // A size of 0, or an end beyond 2^64, is a warning and no mapping.
    if (slot < 0 || size <= 0 || BigInt(given) + BigInt(size) > 2n ** 64n) return 0;
    const offset = Number(BigInt(given) % BigInt(PAGE_SIZE));
    // A page's address has at most 52 bits that count: exact in a double, whatever a garbage pointer says.
    let page = Number(BigInt(given) - BigInt(offset));
    const pages = alignUp(offset + size, PAGE_SIZE) / PAGE_SIZE;
    if (pages > NR_FIX_BTMAPS) return 0;
    let index = FIX_BTMAP_BEGIN - NR_FIX_BTMAPS * slot;
    const first = k.fn.fix_to_virt(index);
    for (let left = pages; left > 0; left--) {
      k.fn.__early_set_fixmap(index, page, prot);
      page += PAGE_SIZE;
      index--;
    }
    const address = va(first + offset);
    k.state.slots[slot] = { address, size };
    return address;
  }, true),

  early_ioremap: fn((k: Kernel, phys: Phys, size: number): Va | 0 =>
    k.fn.__early_ioremap(phys, size, k.fn.FIXMAP_PAGE_IO()),
  ),
  early_memremap: fn((k: Kernel, phys: Phys, size: number): Va | 0 =>
    k.fn.__early_ioremap(phys, size, k.fn.FIXMAP_PAGE_NORMAL()),
  ),

  early_iounmap: fn((k: Kernel, address: Va, size: number) => {
    const slot = k.state.slots.findIndex((used) => used?.address === address);
    if (slot < 0 || k.state.slots[slot]?.size !== size) return;
    const offset = address - alignDown(address, PAGE_SIZE);
    let index = FIX_BTMAP_BEGIN - NR_FIX_BTMAPS * slot;
    for (let left = alignUp(offset + size, PAGE_SIZE) / PAGE_SIZE; left > 0; left--) {
      k.fn.__early_set_fixmap(index, 0, 0n);
      index--;
    }
    k.state.slots[slot] = null;
  }, true),
  early_memunmap: inline((k: Kernel, address: Va, size: number) => {
    k.fn.early_iounmap(address, size);
  }),

  copy_from_early_mem: fn((k: Kernel, dest: Va, src: number, size: number) => {
    let left = size;
    let from = src;
    let to: number = dest;
    while (left > 0) {
      const slop = from % PAGE_SIZE;
      const chunk = Math.min(left, MAX_MAP_CHUNK - slop);
      const mapped = k.fn.early_memremap(from - slop, chunk + slop);
      // The kernel uses the pointer unchecked; a null one faults at the first byte.
      k.memcpy(va(to), va(mapped + slop), chunk);
      k.fn.early_memunmap(va(mapped), chunk + slop);
      to += chunk;
      from += chunk;
      left -= chunk;
    }
  }),
});

export const ioremapVariables: readonly Variable[] = [
  { name: 'bm_pte', size: 4096, align: 4096, section: '.bss', file: 'arch/x86/mm/ioremap.c' },
];
