/** mm/early_ioremap.c: mappings before ioremap works. */
import { alignUp, alignDown, PAGE_SIZE, va, type Va } from '../../machine/address.js';
import { FIX_BTMAP_BEGIN, FIX_BTMAPS_SLOTS, NR_FIX_BTMAPS } from '../../kernel/constants.js';
import { MEMTYPE, type MemType } from '../../machine/types.js';
import { stateSlice } from '../../kernel/state.js';
import { fn, inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

/** A physical address; a bigint if all 64 bits are read from memory. */
export type Phys = number | bigint;

/** An early mapping slot in use (mm/early_ioremap.c: prev_map, prev_size). */
export interface EarlyMapSlot {
  address: number;
  size: number;
}

declare module '../../kernel/table.js' {
  interface Entries {
    /** Virtual address of the mapping; 0 (a NULL pointer) if it fails. */
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
    /** Mappings by slot number; null if the slot is free. */
    slots: (EarlyMapSlot | null)[];
  }
}
export const earlyIoremapState = stateSlice(() => ({
  slots: new Array<EarlyMapSlot | null>(FIX_BTMAPS_SLOTS).fill(null),
}));

const MAX_MAP_CHUNK = NR_FIX_BTMAPS * PAGE_SIZE;

/** States the memory type that the caller of a mapping asks for. Returns the mapping. */
export function asked(k: Kernel, at: Va | 0, size: number, type: MemType): Va | 0 {
  if (at !== 0) k.notes?.mapped({ at, size }, type);
  return at;
}

export const early_ioremap = bodies({
  __early_ioremap: fn((k: Kernel, phys: Phys, size: number, prot: bigint): Va | 0 => {
    const slot = k.state.slots.findIndex((used) => used === null);
    // On a size of 0, or an end beyond 2^64, the kernel warns and maps nothing.
    if (slot < 0 || size <= 0 || BigInt(phys) + BigInt(size) > 2n ** 64n) return 0;
    const offset = Number(BigInt(phys) % BigInt(PAGE_SIZE));
    // A page's address has at most 52 significant bits: exact in a double, even for a garbage pointer.
    let page = Number(BigInt(phys) - BigInt(offset));
    const pages = alignUp(offset + size, PAGE_SIZE) / PAGE_SIZE;
    if (pages > NR_FIX_BTMAPS) return 0;
    let index = FIX_BTMAP_BEGIN - NR_FIX_BTMAPS * slot;
    const first = k.fn.fix_to_virt(index);
    for (let remaining = pages; remaining > 0; remaining--) {
      k.fn.__early_set_fixmap(index, page, prot);
      page += PAGE_SIZE;
      index--;
    }
    const address = va(first + offset);
    k.state.slots[slot] = { address, size };
    return address;
  }, true),

  early_ioremap: fn((k: Kernel, phys: Phys, size: number): Va | 0 =>
    // PAGE_KERNEL_IO has no cache mode: write-back, unless the MTRRs say otherwise.
    asked(k, k.fn.__early_ioremap(phys, size, k.fn.FIXMAP_PAGE_IO()), size, MEMTYPE.WB),
  ),
  early_memremap: fn((k: Kernel, phys: Phys, size: number): Va | 0 =>
    asked(k, k.fn.__early_ioremap(phys, size, k.fn.FIXMAP_PAGE_NORMAL()), size, MEMTYPE.WB),
  ),

  early_iounmap: fn((k: Kernel, address: Va, size: number) => {
    const slot = k.state.slots.findIndex((used) => used?.address === address);
    if (slot < 0 || k.state.slots[slot]?.size !== size) return;
    const offset = address - alignDown(address, PAGE_SIZE);
    let index = FIX_BTMAP_BEGIN - NR_FIX_BTMAPS * slot;
    for (
      let remaining = alignUp(offset + size, PAGE_SIZE) / PAGE_SIZE;
      remaining > 0;
      remaining--
    ) {
      k.fn.__early_set_fixmap(index, 0, 0n);
      index--;
    }
    k.state.slots[slot] = null;
    k.notes?.unmapped(address);
  }, true),
  early_memunmap: inline((k: Kernel, address: Va, size: number) => {
    k.fn.early_iounmap(address, size);
  }),

  copy_from_early_mem: fn((k: Kernel, dest: Va, src: number, size: number) => {
    let remaining = size;
    let from = src;
    let to: number = dest;
    while (remaining > 0) {
      const slop = from % PAGE_SIZE;
      const chunk = Math.min(remaining, MAX_MAP_CHUNK - slop);
      const mapped = k.fn.early_memremap(from - slop, chunk + slop);
      // The kernel uses the pointer unchecked; a null one faults at the first byte.
      k.memcpy(va(to), va(mapped + slop), chunk);
      k.fn.early_memunmap(va(mapped), chunk + slop);
      to += chunk;
      from += chunk;
      remaining -= chunk;
    }
  }),
});
