/** Patch 07, "x86: Extend the early_memmap support with additional attrs": mm/ioremap.c, mm/early_ioremap.c. */
import type { Va } from '../machine/address.js';
import { __PAGE_KERNEL, PAGE_CACHE_MODE } from '../kernel/constants.js';
import { asked, type Phys } from '../linux/mm/early_ioremap.js';
import { MEMTYPE } from '../machine/types.js';
import type { PatchPart } from '../kernel/hunk.js';
import { fn, inline, kernelFile, type PatchedKernel } from '../kernel/table.js';

const { WB, WP } = MEMTYPE;

declare module '../kernel/table.js' {
  interface PatchEntries {
    /** Maps `size` bytes of memory with the given flags; 0 if there is no free slot. */
    early_memremap_prot(k: PatchedKernel, phys: Phys, size: number, prot: bigint): Va | 0;
    early_memremap_enc(k: PatchedKernel, phys: Phys, size: number): Va | 0;
    early_memremap_enc_wp(k: PatchedKernel, phys: Phys, size: number): Va | 0;
    early_memremap_dec(k: PatchedKernel, phys: Phys, size: number): Va | 0;
    early_memremap_dec_wp(k: PatchedKernel, phys: Phys, size: number): Va | 0;
    _PAGE_CACHE_WP(k: PatchedKernel): bigint;
    __PAGE_KERNEL_WP(k: PatchedKernel): bigint;
    __PAGE_KERNEL_ENC(k: PatchedKernel): bigint;
    __PAGE_KERNEL_ENC_WP(k: PatchedKernel): bigint;
    __PAGE_KERNEL_DEC(k: PatchedKernel): bigint;
    __PAGE_KERNEL_DEC_WP(k: PatchedKernel): bigint;
  }
}

const none = (): 0 => 0;

export const earlyMemremap: PatchPart = {
  patch: 7,
  hunks: [
    {
      id: '07/pgtable_types',
      file: 'arch/x86/include/asm/pgtable_types.h',
      what: 'flag sets with and without the mask, with and without write-protect',
      needs: ['_PAGE_ENC'],
      adds: [
        kernelFile('arch/x86/include/asm/pgtable_types.h', {
          _PAGE_CACHE_WP: inline((k: PatchedKernel) => k.fn.cachemode2protval(PAGE_CACHE_MODE.WP)),
          __PAGE_KERNEL_WP: inline((k: PatchedKernel) => __PAGE_KERNEL | k.fn._PAGE_CACHE_WP()),
          __PAGE_KERNEL_ENC: inline((k: PatchedKernel) => __PAGE_KERNEL | k.fn._PAGE_ENC()),
          __PAGE_KERNEL_ENC_WP: inline(
            (k: PatchedKernel) => k.fn.__PAGE_KERNEL_WP() | k.fn._PAGE_ENC(),
          ),
          __PAGE_KERNEL_DEC: inline(() => __PAGE_KERNEL),
          __PAGE_KERNEL_DEC_WP: inline((k: PatchedKernel) => k.fn.__PAGE_KERNEL_WP()),
        }),
      ],
      stub: [
        kernelFile('arch/x86/include/asm/pgtable_types.h', {
          _PAGE_CACHE_WP: inline(() => 0n),
          __PAGE_KERNEL_WP: inline(() => __PAGE_KERNEL),
          __PAGE_KERNEL_ENC: inline(() => __PAGE_KERNEL),
          __PAGE_KERNEL_ENC_WP: inline(() => __PAGE_KERNEL),
          __PAGE_KERNEL_DEC: inline(() => __PAGE_KERNEL),
          __PAGE_KERNEL_DEC_WP: inline(() => __PAGE_KERNEL),
        }),
      ],
    },
    {
      id: '07/early_memremap_prot',
      file: 'mm/early_ioremap.c',
      what: 'an early mapping with any flags',
      adds: [
        kernelFile('mm/early_ioremap.c', {
          early_memremap_prot: fn(
            (k: PatchedKernel, phys: Phys, size: number, prot: bigint) =>
              k.fn.__early_ioremap(phys, size, prot),
            true,
          ),
        }),
      ],
      stub: [kernelFile('mm/early_ioremap.c', { early_memremap_prot: inline(none) })],
    },
    {
      id: '07/ioremap',
      file: 'arch/x86/mm/ioremap.c',
      what: 'early mappings encrypted or not, write-protected or not',
      needs: ['early_memremap_prot', '__PAGE_KERNEL_ENC', '__PAGE_KERNEL_DEC_WP'],
      adds: [
        kernelFile('arch/x86/mm/ioremap.c', {
          early_memremap_enc: fn((k: PatchedKernel, phys: Phys, size: number) =>
            asked(k, k.fn.early_memremap_prot(phys, size, k.fn.__PAGE_KERNEL_ENC()), size, WB),
          ),
          early_memremap_enc_wp: fn((k: PatchedKernel, phys: Phys, size: number) =>
            asked(k, k.fn.early_memremap_prot(phys, size, k.fn.__PAGE_KERNEL_ENC_WP()), size, WP),
          ),
          early_memremap_dec: fn((k: PatchedKernel, phys: Phys, size: number) =>
            asked(k, k.fn.early_memremap_prot(phys, size, k.fn.__PAGE_KERNEL_DEC()), size, WB),
          ),
          early_memremap_dec_wp: fn((k: PatchedKernel, phys: Phys, size: number) =>
            asked(k, k.fn.early_memremap_prot(phys, size, k.fn.__PAGE_KERNEL_DEC_WP()), size, WP),
          ),
        }),
      ],
      stub: [
        kernelFile('arch/x86/mm/ioremap.c', {
          early_memremap_enc: inline(none),
          early_memremap_enc_wp: inline(none),
          early_memremap_dec: inline(none),
          early_memremap_dec_wp: inline(none),
        }),
      ],
    },
  ],
};
