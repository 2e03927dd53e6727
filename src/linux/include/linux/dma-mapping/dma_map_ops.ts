/**
 * include/linux/dma-mapping.h: struct dma_map_ops. Such a structure is a kernel variable that holds function pointers;
 * a caller reads the pointer from memory and calls it.
 */
import { va, type Va } from '../../../../machine/address.js';
import { VECTOR } from '../../../../machine/types.js';
import { BootEnd } from '../../../../kernel/ends.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import type { Entries } from '../../../../kernel/table.js';
import { quads, type Variable } from '../../../../kernel/variables.js';

/** enum dma_data_direction. */
export const DMA = { BIDIRECTIONAL: 0, TO_DEVICE: 1, FROM_DEVICE: 2 } as const;
export type DmaDirection = (typeof DMA)[keyof typeof DMA];

/** asm/dma-mapping.h: the bus address of a failed mapping, for operations without mapping_error. */
export const DMA_ERROR_CODE = 0n;

/** DMA_BIT_MASK(n). */
export const DMA_BIT_MASK = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** resource[0] of a PCI device: 64-bit memory. */
export interface MemoryBar {
  /** Physical address, and size in bytes. */
  start: number;
  readonly size: number;
  /** Whether it is claimed in iomem_resource. */
  claimed: boolean;
}

/** struct device, as far as DMA goes: created by the PCI code, plain kernel state. */
export interface KernelDevice {
  readonly name: string;
  /** Requester id: bus, device and function as 16 bits. */
  readonly devid: number;
  /** *dev->dma_mask; 0 if the device does no DMA. */
  dmaMask: bigint;
  coherentDmaMask: bigint;
  /** Its registers; absent for a device without a memory BAR. */
  bar?: MemoryBar;
  /** archdata.dma_ops: the address of a struct dma_map_ops, 0 for the common ones. */
  dmaOps: number;
}

/** struct scatterlist: a segment of memory (page as its physical address), and its bus address. */
export interface Scatterlist {
  readonly page: number;
  readonly offset: number;
  readonly length: number;
  dmaAddress: bigint;
  dmaLength: number;
}

/** An allocation: the kernel's virtual address and the device's bus address. */
export interface Coherent {
  readonly vaddr: Va;
  readonly handle: bigint;
}

/** The operations. A page is given by its physical address; struct dma_attrs is not modelled. */
export interface DmaMapOps {
  /** null if there is no free memory that the device reaches. */
  alloc: (dev: KernelDevice, size: number, gfp: number) => Coherent | null;
  free: (dev: KernelDevice, size: number, vaddr: Va, handle: bigint) => void;
  map_page: (
    dev: KernelDevice,
    page: number,
    offset: number,
    size: number,
    dir: DmaDirection,
  ) => bigint;
  unmap_page: (dev: KernelDevice, addr: bigint, size: number, dir: DmaDirection) => void;
  /** Number of mapped entries; 0 on failure. */
  map_sg: (dev: KernelDevice, sgl: Scatterlist[], dir: DmaDirection) => number;
  unmap_sg: (dev: KernelDevice, sgl: Scatterlist[], dir: DmaDirection) => void;
  sync_single_for_cpu: (dev: KernelDevice, addr: bigint, size: number, dir: DmaDirection) => void;
  sync_single_for_device: (
    dev: KernelDevice,
    addr: bigint,
    size: number,
    dir: DmaDirection,
  ) => void;
  mapping_error: (dev: KernelDevice, addr: bigint) => boolean;
  dma_supported: (dev: KernelDevice, mask: bigint) => boolean;
  /** 0 or a negative errno. */
  set_dma_mask: (dev: KernelDevice, mask: bigint) => number;
}
export type DmaOp = keyof DmaMapOps;
/** A function of the kernel with the signature of an operation. */
export type DmaMapFn<S extends DmaOp> = (k: Kernel, ...args: OpArgs<S>) => ReturnType<DmaMapOps[S]>;
type OpArgs<S extends DmaOp> = Parameters<DmaMapOps[S]>;

/** Offsets of the pointers, in bytes; operations without a signature above are not modelled and stay NULL. */
export const DMA_MAP_OPS = {
  alloc: 0,
  free: 8,
  mmap: 16,
  get_sgtable: 24,
  map_page: 32,
  unmap_page: 40,
  map_sg: 48,
  unmap_sg: 56,
  sync_single_for_cpu: 64,
  sync_single_for_device: 72,
  sync_sg_for_cpu: 80,
  sync_sg_for_device: 88,
  mapping_error: 96,
  dma_supported: 104,
  set_dma_mask: 112,
  is_phys: 120,
} as const;
const DMA_MAP_OPS_SIZE = 128;

/** Functions of the kernel that can implement an operation. */
type Implementation<S extends DmaOp> = {
  [N in keyof Entries]: Entries[N] extends DmaMapFn<S> ? N : never;
}[keyof Entries];

/** Name of the function that implements each operation. */
export type DmaMapOpsNames = { readonly [S in DmaOp]?: Implementation<S> };

/** A static struct dma_map_ops. */
export function dmaMapOps(name: string, file: string, ops: DmaMapOpsNames): Variable {
  return {
    name,
    size: DMA_MAP_OPS_SIZE,
    align: 32,
    section: '.data',
    file,
    init: (at) => {
      const words = new Array<bigint>(DMA_MAP_OPS_SIZE / 8).fill(0n);
      for (const [op, fn] of Object.entries(ops)) {
        words[DMA_MAP_OPS[op as DmaOp] / 8] = BigInt(at.link(fn));
      }
      return quads(words);
    },
  };
}

/** The operation that a struct dma_map_ops in memory points to; undefined if the pointer is NULL. */
export function dmaOp<S extends DmaOp>(k: Kernel, ops: Va, op: S): DmaMapOps[S] | undefined {
  const pointer = k.readU64(va(ops + DMA_MAP_OPS[op]));
  if (pointer === 0n) return undefined;
  const found = k.program.nameAt(k.canonical(pointer) - k.slide);
  if (found?.offset !== 0 || !isFunction(k, found.name)) {
    k.fault({ vector: VECTOR.UD, error: 0, why: `call through ${op}` });
    throw new BootEnd(
      'hung',
      k.current?.name ?? '?',
      'the pointer is not a function’s address: the model cannot execute it',
    );
  }
  // An indirect call: the function is known only at run time; dmaMapOps() has checked its type.
  return k.fn[found.name] as DmaMapOps[S];
}

function isFunction(k: Kernel, name: string): name is keyof Entries {
  return k.table.get(name)?.kind === 'fn';
}
