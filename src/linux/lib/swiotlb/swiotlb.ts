/**
 * lib/swiotlb.c, the area: bounce memory in slots of 2 KiB; a mapping is within one segment of 128 slots. The free list
 * and the original addresses are arrays in simulated memory, as in the kernel.
 */
import { alignUp, hex, PAGE_SIZE, va, type Va } from '../../../machine/address.js';
import {
  DMA,
  type DmaDirection,
  type KernelDevice,
} from '../../include/linux/dma-mapping/dma_map_ops.js';
import { ENOMEM } from '../../include/uapi/asm-generic/errno-base.js';
import { PAGE_ALIGN, readInt, writeInt } from '../../arch/x86/kernel/pci-dma/pci-dma.js';
import { fn, inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';
import { quads, type Variable } from '../../../kernel/variables.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    swiotlb_init(k: Kernel, verbose: number): void;
    /** 0 or a negative errno. */
    swiotlb_init_with_tbl(k: Kernel, tlb: Va, nslabs: number, verbose: number): number;
    swiotlb_print_info(k: Kernel): void;
    swiotlb_free(k: Kernel): void;
    is_swiotlb_buffer(k: Kernel, paddr: number): boolean;
    swiotlb_bounce(k: Kernel, orig: number, tlb: number, size: number, dir: DmaDirection): void;
    /** Physical address of the allocated slots; SWIOTLB_MAP_ERROR if none are free. */
    swiotlb_tbl_map_single(
      k: Kernel,
      dev: KernelDevice,
      tblDmaAddr: bigint,
      orig: number,
      size: number,
      dir: DmaDirection,
    ): number;
    swiotlb_tbl_unmap_single(
      k: Kernel,
      dev: KernelDevice,
      tlb: number,
      size: number,
      dir: DmaDirection,
    ): void;
    swiotlb_tbl_sync_single(
      k: Kernel,
      dev: KernelDevice,
      tlb: number,
      size: number,
      dir: DmaDirection,
      target: SyncTarget,
    ): void;
  }
}

/** include/linux/swiotlb.h. */
export const IO_TLB_SHIFT = 11;
export const IO_TLB_SEGSIZE = 128;
const SLAB = 2 ** IO_TLB_SHIFT;
export const IO_TLB_DEFAULT_SIZE = 64 * 2 ** 20;
/** ~(phys_addr_t)0 in the kernel: no slots. The model's physical addresses are below 2^52. */
export const SWIOTLB_MAP_ERROR = -1;
/** enum dma_sync_target. */
export type SyncTarget = 'SYNC_FOR_CPU' | 'SYNC_FOR_DEVICE';

const INVALID_PHYS_ADDR = 2n ** 64n - 1n;
const SIZEOF_INT = 4;
const SIZEOF_PHYS_ADDR = 8;
const SWIOTLB_C = 'lib/swiotlb.c';

export const slotsOf = (size: number): number => alignUp(size, SLAB) / SLAB;

/** A 64-bit variable of lib/swiotlb.c. */
export const readLong = (k: Kernel, name: string): number => Number(k.readU64(k.sym(name)));
export const writeLong = (k: Kernel, name: string, value: number): void => {
  k.writeU64(k.sym(name), BigInt(value));
};

/** io_tlb_list[index] and io_tlb_orig_addr[index]. */
const listAt = (k: Kernel, index: number): Va =>
  va(k.canonical(k.readU64(k.sym('io_tlb_list'))) + index * SIZEOF_INT);
const origAt = (k: Kernel, index: number): Va =>
  va(k.canonical(k.readU64(k.sym('io_tlb_orig_addr'))) + index * SIZEOF_PHYS_ADDR);

/** Sets io_tlb_list[from], [from − 1]… to start + 1, start + 2…, down to the segment's start or a slot in use. */
function countDown(k: Kernel, from: number, start: number): void {
  let count = start;
  // OFFSET(i, IO_TLB_SEGSIZE)
  for (let i = from; (i & (IO_TLB_SEGSIZE - 1)) !== IO_TLB_SEGSIZE - 1; i--) {
    const at = listAt(k, i);
    if (k.readU32(at) === 0) return;
    k.writeU32(at, ++count);
  }
}

/** Index of the first of `nslots` free slots, from io_tlb_index on with wrap-around; undefined if there are none. */
function findSlots(
  k: Kernel,
  nslots: number,
  stride: number,
  offset: number,
  max: number,
): number | undefined {
  const nslabs = readLong(k, 'io_tlb_nslabs');
  const next = (index: number): number => (index + stride >= nslabs ? 0 : index + stride);
  let index = alignUp(readInt(k, 'io_tlb_index'), stride);
  if (index >= nslabs) index = 0;
  const wrap = index;
  do {
    while (k.fn.iommu_is_span_boundary(index, nslots, offset, max)) {
      index = next(index);
      if (index === wrap) return undefined;
    }
    if (k.readU32(listAt(k, index)) >= nslots) return index;
    index = next(index);
  } while (index !== wrap);
  return undefined;
}

export const swiotlb = bodies({
  swiotlb_init: fn((k: Kernel, verbose: number) => {
    if (readLong(k, 'io_tlb_nslabs') === 0) {
      writeLong(k, 'io_tlb_nslabs', alignUp(IO_TLB_DEFAULT_SIZE / SLAB, IO_TLB_SEGSIZE));
    }
    const nslabs = readLong(k, 'io_tlb_nslabs');
    const bytes = PAGE_ALIGN(nslabs * SLAB);
    const tlb = k.fn.memblock_virt_alloc_low_nopanic(bytes, PAGE_SIZE);
    if (tlb !== 0 && k.fn.swiotlb_init_with_tbl(tlb, nslabs, verbose) === 0) return;
    const start = readLong(k, 'io_tlb_start');
    if (start !== 0) k.fn.memblock_free(start, bytes);
    k.fn.printk('Cannot allocate SWIOTLB buffer');
    k.writeU8(k.sym('no_iotlb_memory'), 1);
  }),

  swiotlb_init_with_tbl: fn((k: Kernel, tlb: Va, nslabs: number, verbose: number) => {
    const start = k.__pa(tlb);
    writeLong(k, 'io_tlb_nslabs', nslabs);
    writeLong(k, 'io_tlb_start', start);
    writeLong(k, 'io_tlb_end', start + nslabs * SLAB);
    const overflow = k.fn.memblock_virt_alloc_low_nopanic(
      PAGE_ALIGN(readLong(k, 'io_tlb_overflow')),
      PAGE_SIZE,
    );
    if (overflow === 0) return -ENOMEM;
    writeLong(k, 'io_tlb_overflow_buffer', k.__pa(overflow));
    const list = k.fn.memblock_virt_alloc(PAGE_ALIGN(nslabs * SIZEOF_INT), PAGE_SIZE);
    const orig = k.fn.memblock_virt_alloc(PAGE_ALIGN(nslabs * SIZEOF_PHYS_ADDR), PAGE_SIZE);
    k.writeU64(k.sym('io_tlb_list'), BigInt(list));
    k.writeU64(k.sym('io_tlb_orig_addr'), BigInt(orig));
    // Each entry is the number of free slots from it to the end of its segment.
    const counts = Uint32Array.from(
      { length: nslabs },
      (_, i) => IO_TLB_SEGSIZE - (i % IO_TLB_SEGSIZE),
    );
    k.writeBytes(list, littleEndian(counts));
    k.writeBytes(orig, new Uint8Array(nslabs * SIZEOF_PHYS_ADDR).fill(0xff));
    writeInt(k, 'io_tlb_index', 0);
    if (verbose !== 0) k.fn.swiotlb_print_info();
    return 0;
  }, true),

  swiotlb_print_info: fn((k: Kernel) => {
    if (k.readU8(k.sym('no_iotlb_memory')) !== 0) {
      k.fn.printk('software IO TLB: No low mem');
      return;
    }
    const start = readLong(k, 'io_tlb_start');
    const end = readLong(k, 'io_tlb_end');
    const mib = Math.floor((readLong(k, 'io_tlb_nslabs') * SLAB) / 2 ** 20);
    const [first, last] = [hex(k.__va(start)), hex(k.__va(end - 1))];
    k.fn.printk(
      `software IO TLB [mem ${hex(start)}-${hex(end)}] (${String(mib)}MB) mapped at [${first}-${last}]`,
    );
  }, true),

  swiotlb_free: fn((k: Kernel) => {
    const orig = k.readU64(k.sym('io_tlb_orig_addr'));
    if (orig === 0n) return;
    const nslabs = readLong(k, 'io_tlb_nslabs');
    // memblock_free_late(); late_alloc stays 0, since swiotlb_late_init_with_tbl() is not called.
    const free = (base: number, size: number): void => {
      k.fn.free_bootmem_late(base, PAGE_ALIGN(size));
    };
    free(readLong(k, 'io_tlb_overflow_buffer'), readLong(k, 'io_tlb_overflow'));
    free(k.__pa(k.canonical(orig)), nslabs * SIZEOF_PHYS_ADDR);
    free(k.__pa(k.canonical(k.readU64(k.sym('io_tlb_list')))), nslabs * SIZEOF_INT);
    free(readLong(k, 'io_tlb_start'), nslabs * SLAB);
    writeLong(k, 'io_tlb_nslabs', 0);
  }),

  is_swiotlb_buffer: inline(
    (k: Kernel, paddr: number) =>
      paddr >= readLong(k, 'io_tlb_start') && paddr < readLong(k, 'io_tlb_end'),
  ),

  // x86-64 has no high memory: both sides are in the direct map.
  swiotlb_bounce: fn((k: Kernel, orig: number, tlb: number, size: number, dir: DmaDirection) => {
    const [from, to] = dir === DMA.TO_DEVICE ? [orig, tlb] : [tlb, orig];
    k.memcpy(k.__va(to), k.__va(from), size);
  }, true),

  swiotlb_tbl_map_single: fn(
    (
      k: Kernel,
      dev: KernelDevice,
      tblDmaAddr: bigint,
      orig: number,
      size: number,
      dir: DmaDirection,
    ) => {
      if (k.readU8(k.sym('no_iotlb_memory')) !== 0) {
        k.fn.panic(
          "Can not allocate SWIOTLB buffer earlier and can't now provide you with the DMA bounce buffer",
        );
      }
      const mask = k.fn.dma_get_seg_boundary(dev);
      const offset = slotsOf(Number(tblDmaAddr & mask));
      const max = slotsOf(Number(mask) + 1);
      const nslots = slotsOf(size);
      if (nslots === 0) k.fn.BUG('swiotlb_tbl_map_single of 0 bytes');
      // A mapping of more than a page is page-aligned.
      const stride = size > PAGE_SIZE ? PAGE_SIZE / SLAB : 1;
      const index = findSlots(k, nslots, stride, offset, max);
      if (index === undefined) {
        k.fn.printk(`${dev.name}: swiotlb buffer is full (sz: ${String(size)} bytes)`);
        return SWIOTLB_MAP_ERROR;
      }
      for (let i = index; i < index + nslots; i++) k.writeU32(listAt(k, i), 0);
      countDown(k, index - 1, 0);
      const after = index + nslots;
      writeInt(k, 'io_tlb_index', after < readLong(k, 'io_tlb_nslabs') ? after : 0);
      const tlb = readLong(k, 'io_tlb_start') + index * SLAB;
      for (let i = 0; i < nslots; i++) {
        k.writeU64(origAt(k, index + i), BigInt(orig + i * SLAB));
      }
      if (dir !== DMA.FROM_DEVICE) k.fn.swiotlb_bounce(orig, tlb, size, DMA.TO_DEVICE);
      return tlb;
    },
    true,
  ),

  swiotlb_tbl_unmap_single: fn(
    (k: Kernel, _dev: KernelDevice, tlb: number, size: number, dir: DmaDirection) => {
      const nslots = slotsOf(size);
      const index = Math.floor((tlb - readLong(k, 'io_tlb_start')) / SLAB);
      const orig = k.readU64(origAt(k, index));
      if (orig !== INVALID_PHYS_ADDR && dir !== DMA.TO_DEVICE) {
        k.fn.swiotlb_bounce(Number(orig), tlb, size, DMA.FROM_DEVICE);
      }
      const after = index + nslots;
      let count = after < alignUp(index + 1, IO_TLB_SEGSIZE) ? k.readU32(listAt(k, after)) : 0;
      for (let i = after - 1; i >= index; i--) {
        k.writeU32(listAt(k, i), ++count);
        k.writeU64(origAt(k, i), INVALID_PHYS_ADDR);
      }
      countDown(k, index - 1, count);
    },
    true,
  ),

  swiotlb_tbl_sync_single: fn(
    (
      k: Kernel,
      _dev: KernelDevice,
      tlb: number,
      size: number,
      dir: DmaDirection,
      target: SyncTarget,
    ) => {
      const index = Math.floor((tlb - readLong(k, 'io_tlb_start')) / SLAB);
      const saved = k.readU64(origAt(k, index));
      if (saved === INVALID_PHYS_ADDR) return;
      const orig = Number(saved) + (tlb % SLAB);
      const skipped = target === 'SYNC_FOR_CPU' ? DMA.TO_DEVICE : DMA.FROM_DEVICE;
      if (dir === skipped) return;
      const bounce = target === 'SYNC_FOR_CPU' ? DMA.FROM_DEVICE : DMA.TO_DEVICE;
      k.fn.swiotlb_bounce(orig, tlb, size, bounce);
    },
    true,
  ),
});

function littleEndian(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * SIZEOF_INT);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => {
    view.setUint32(index * SIZEOF_INT, word, true);
  });
  return bytes;
}

const long = (name: string): Variable => ({
  name,
  size: 8,
  align: 8,
  section: '.bss',
  file: SWIOTLB_C,
});
const int = (name: string): Variable => ({ ...long(name), size: 4, align: 4 });

export const swiotlbVariables: readonly Variable[] = [
  int('swiotlb_force'),
  long('io_tlb_start'),
  long('io_tlb_end'),
  long('io_tlb_nslabs'),
  { ...long('io_tlb_overflow'), section: '.data', init: () => quads([32n * 1024n]) },
  long('io_tlb_overflow_buffer'),
  long('io_tlb_list'),
  int('io_tlb_index'),
  long('io_tlb_orig_addr'),
  int('late_alloc'),
  { ...int('no_iotlb_memory'), size: 1, align: 1 },
];
