/**
 * Patch 06, "x86: Provide general kernel support for memory encryption": part for page tables.
 * Static tables have the flag sets without the mask; every entry made at run time gets the mask from the macros.
 */
import { PTE_PFN_MASK } from '../kernel/constants.js';
import type { Hunk, PatchPart } from '../kernel/hunk.js';
import { inline, kernelFile, type PatchedKernel } from '../kernel/table.js';
import type { Va } from '../machine/address.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    _PAGE_ENC(k: PatchedKernel): bigint;
    __sme_pa(k: PatchedKernel, address: Va): bigint;
    __sme_pa_nodebug(k: PatchedKernel, address: Va): bigint;
    __sme_va(k: PatchedKernel, physical: bigint): Va;
  }
}

const PGTABLE_TYPES_H = 'arch/x86/include/asm/pgtable_types.h';
const MEM_ENCRYPT_H = 'arch/x86/include/asm/mem_encrypt.h';

/** The mask as head_64.S reads it: from the variable, for any configuration. */
const maskOf = (k: PatchedKernel): bigint => k.readU64(k.sym('sme_me_mask'));
const withMask =
  (previous: (k: PatchedKernel) => bigint) =>
  (k: PatchedKernel): bigint =>
    previous(k) | k.fn._PAGE_ENC();

const macros: Hunk = {
  id: '06/pgtable_types',
  file: PGTABLE_TYPES_H,
  what: '_PAGE_TABLE, _KERNPG_TABLE and the PAGE_KERNEL sets carry the mask; the I/O sets do not',
  needs: ['sme_me_mask'],
  adds: [
    kernelFile(PGTABLE_TYPES_H, { _PAGE_ENC: inline((k: PatchedKernel) => k.fn.sme_me_mask()) }),
  ],
  replaces: {
    _PAGE_TABLE: withMask,
    _KERNPG_TABLE: withMask,
    PAGE_KERNEL: withMask,
    PAGE_KERNEL_LARGE: withMask,
    PAGE_KERNEL_EXEC: withMask,
    PAGE_KERNEL_NOCACHE: withMask,
  },
  stub: [kernelFile(PGTABLE_TYPES_H, { _PAGE_ENC: inline(() => 0n) })],
};

const addresses: Hunk = {
  id: '06/sme_pa',
  file: MEM_ENCRYPT_H,
  what: '__sme_pa(), __sme_pa_nodebug() and __sme_va()',
  needs: ['sme_me_mask'],
  adds: [
    kernelFile(MEM_ENCRYPT_H, {
      __sme_pa: inline(
        (k: PatchedKernel, address: Va) => BigInt(k.__pa(address)) | k.fn.sme_me_mask(),
      ),
      __sme_pa_nodebug: inline(
        (k: PatchedKernel, address: Va) => k.fn.__pa_nodebug(address) | k.fn.sme_me_mask(),
      ),
      __sme_va: inline((k: PatchedKernel, physical: bigint) =>
        k.__va(Number(physical & ~k.fn.sme_me_mask())),
      ),
    }),
  ],
  stub: [
    kernelFile(MEM_ENCRYPT_H, {
      __sme_pa: inline((k: PatchedKernel, address: Va) => BigInt(k.__pa(address))),
      __sme_pa_nodebug: inline((k: PatchedKernel, address: Va) => k.fn.__pa_nodebug(address)),
      __sme_va: inline((k: PatchedKernel, physical: bigint) => k.__va(Number(physical))),
    }),
  ],
};

const fixmapNocache: Hunk = {
  id: '06/fixmap',
  file: 'arch/x86/include/asm/fixmap.h',
  what: 'FIXMAP_PAGE_NOCACHE is PAGE_KERNEL_IO_NOCACHE: MMIO fixmaps never carry the mask',
  replaces: {
    FIXMAP_PAGE_NOCACHE: () => (k) => k.fn.PAGE_KERNEL_IO_NOCACHE(),
  },
};

const loadCr3: Hunk = {
  id: '06/load_cr3',
  file: 'arch/x86/include/asm/processor.h',
  what: 'load_cr3() adds the mask',
  needs: ['__sme_pa'],
  replaces: {
    'load_cr3:value': () => (k, table) => k.fn.__sme_pa(k.sym(table)),
  },
};

const earlyTables: Hunk = {
  id: '06/head64-cr3',
  file: 'arch/x86/kernel/head64.c',
  what: 'the address of the early tables has the mask when CR3 is loaded with it or compared with it',
  needs: ['__sme_pa_nodebug'],
  replaces: {
    'early_make_pgtable:cr3': () => (k) => k.fn.__sme_pa_nodebug(k.sym('early_level4_pgt')),
  },
};

const earlyIoremapPmd: Hunk = {
  id: '06/early_ioremap_pmd',
  file: 'arch/x86/mm/ioremap.c',
  what: 'CR3 is read without the mask to find the tables',
  needs: ['__sme_va'],
  replaces: {
    'early_ioremap_pmd:base': () => (k) => k.fn.__sme_va(k.cpu.cr3),
  },
};

const faultTables: Hunk = {
  id: '06/fault',
  file: 'arch/x86/mm/fault.c',
  what: 'dump_pagetable() reads CR3 without the mask',
  needs: ['__sme_va'],
  replaces: {
    'dump_pagetable:base': () => (k) => k.fn.__sme_va(k.cpu.cr3 & PTE_PFN_MASK),
  },
};

const head: Hunk = {
  id: '06/head_64',
  file: 'arch/x86/kernel/head_64.S',
  what: 'startup_64 calls sme_enable and sme_encrypt_kernel and puts the mask into its tables and CR3',
  needs: ['sme_me_mask', 'sme_enable', 'sme_encrypt_kernel'],
  replaces: {
    'startup_64:after-checks': (previous) => (k) => {
      previous(k);
      k.fn.sme_enable();
      k.state.rbp += maskOf(k);
    },
    'startup_64:identity-pointer': (previous) => (k, rdx) => previous(k, rdx) + maskOf(k),
    'startup_64:identity-leaf': (previous) => (k, rax) => previous(k, rax) + maskOf(k),
    'startup_64:before-phys_base': (previous) => (k) => {
      previous(k);
      k.state.rbp -= maskOf(k);
    },
    'startup_64:after-phys_base': (previous) => (k) => {
      previous(k);
      k.fn.sme_encrypt_kernel();
    },
    'secondary_startup_64:cr3': (previous) => (k, rax) => previous(k, rax) + maskOf(k),
  },
};

export const general: PatchPart = {
  patch: 6,
  part: 3,
  hunks: [
    macros,
    addresses,
    fixmapNocache,
    loadCr3,
    earlyTables,
    earlyIoremapPmd,
    faultTables,
    head,
  ],
};
