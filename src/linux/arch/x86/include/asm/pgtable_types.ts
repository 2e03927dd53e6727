/** arch/x86/include/asm/pgtable_types.h: flags of page-table entries. */
import { va } from '../../../../../machine/address.js';
import {
  __KERNPG_TABLE,
  __PAGE_KERNEL,
  __PAGE_KERNEL_EXEC,
  __PAGE_KERNEL_LARGE,
  __PAGE_TABLE,
  PAGE_CACHE_MODE,
  PTE_PFN_MASK,
} from '../../../../../kernel/constants.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';
import type { Variable } from '../../../../../kernel/variables.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    _PAGE_TABLE(k: Kernel): bigint;
    _KERNPG_TABLE(k: Kernel): bigint;
    PAGE_KERNEL(k: Kernel): bigint;
    PAGE_KERNEL_LARGE(k: Kernel): bigint;
    PAGE_KERNEL_EXEC(k: Kernel): bigint;
    PAGE_KERNEL_IO(k: Kernel): bigint;
    PAGE_KERNEL_IO_NOCACHE(k: Kernel): bigint;
    PAGE_KERNEL_NOCACHE(k: Kernel): bigint;
    /** Entry bits of a cache mode, from __cachemode2pte_tbl. */
    cachemode2protval(k: Kernel, mode: number): bigint;
  }
}

/** Physical address in an entry as the kernel extracts it: PTE_PFN_MASK drops bits above 45. */
export function entryPhysical(entry: bigint): number {
  return Number(entry & PTE_PFN_MASK);
}

export const pgtableTypes = bodies({
  _PAGE_TABLE: inline(() => __PAGE_TABLE),
  _KERNPG_TABLE: inline(() => __KERNPG_TABLE),
  PAGE_KERNEL: inline(() => __PAGE_KERNEL),
  PAGE_KERNEL_LARGE: inline(() => __PAGE_KERNEL_LARGE),
  PAGE_KERNEL_EXEC: inline(() => __PAGE_KERNEL_EXEC),
  PAGE_KERNEL_IO: inline(() => __PAGE_KERNEL),
  PAGE_KERNEL_NOCACHE: inline(
    (k: Kernel) => __PAGE_KERNEL | k.fn.cachemode2protval(PAGE_CACHE_MODE.UC),
  ),
  PAGE_KERNEL_IO_NOCACHE: inline(
    (k: Kernel) => __PAGE_KERNEL | k.fn.cachemode2protval(PAGE_CACHE_MODE.UC),
  ),
  cachemode2protval: inline((k: Kernel, mode: number) =>
    mode === PAGE_CACHE_MODE.WB
      ? 0n
      : BigInt(k.readU16(va(k.sym('__cachemode2pte_tbl') + mode * 2))),
  ),
});

export const pgtableVariables: readonly Variable[] = [
  {
    name: '__supported_pte_mask',
    size: 8,
    align: 8,
    section: '.data',
    file: 'arch/x86/mm/init_64.c',
    init: () => new Uint8Array(8).fill(0xff),
  },
];
