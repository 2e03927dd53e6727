/** Patch 10, "x86/efi: Access EFI related tables in the clear": platform/efi, drivers/firmware/efi, mm/mem_encrypt.c. */
import { PAGE_SIZE } from '../machine/address.js';
import type { Va } from '../machine/address.js';
import type { Phys } from '../linux/mm/early_ioremap.js';
import type { EarlyMap } from '../linux/arch/x86/platform/efi/efi/early.js';
import type { Hunk, PatchPart } from '../kernel/hunk.js';
import { fn, inline, kernelFile, type PatchedKernel } from '../kernel/table.js';
import { efiAlternatives } from './10-alternatives.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    /** An early mapping without the mask, for data that firmware or loader wrote in the clear; 0 if there is no free slot. */
    sme_early_memremap(k: PatchedKernel, paddr: Phys, size: number): Va | 0;
    /** The same for code outside arch/x86. */
    efi_me_early_memremap(k: PatchedKernel, paddr: Phys, size: number): Va | 0;
  }
}

const MEM_ENCRYPT_C = 'arch/x86/mm/mem_encrypt.c';
const EFI_C = 'arch/x86/platform/efi/efi.c';
const EFI_64_C = 'arch/x86/platform/efi/efi_64.c';
const QUIRKS_C = 'arch/x86/platform/efi/quirks.c';
const FIRMWARE_EFI_C = 'drivers/firmware/efi/efi.c';
const ESRT_C = 'drivers/firmware/efi/esrt.c';

const plain: EarlyMap = (k, paddr, size) => k.fn.early_memremap(paddr, size);
const bySme = () => (k: PatchedKernel, paddr: Phys, size: number) =>
  k.fn.sme_early_memremap(paddr, size);
const byEfiMe = () => (k: PatchedKernel, paddr: Phys, size: number) =>
  k.fn.efi_me_early_memremap(paddr, size);

const memremap: Hunk = {
  id: '10/mem_encrypt',
  file: MEM_ENCRYPT_C,
  what: 'sme_early_memremap(): an early mapping without the mask; efi_me_early_memremap() is the same on x86',
  needs: ['early_memremap_dec', 'efi_me_early_memremap'],
  adds: [
    kernelFile(MEM_ENCRYPT_C, {
      // Without CONFIG_AMD_MEM_ENCRYPT the name is early_memremap (asm/mem_encrypt.h).
      sme_early_memremap: fn(
        (k: PatchedKernel, paddr: Phys, size: number) =>
          k.config.CONFIG_AMD_MEM_ENCRYPT
            ? k.fn.early_memremap_dec(paddr, size)
            : k.fn.early_memremap(paddr, size),
        true,
      ),
    }),
  ],
  replaces: {
    // This one overrides the weak definition; mem_encrypt.c is built with CONFIG_AMD_MEM_ENCRYPT only.
    efi_me_early_memremap: (previous) => (k, paddr, size) =>
      k.config.CONFIG_AMD_MEM_ENCRYPT
        ? k.fn.sme_early_memremap(paddr, size)
        : previous(k, paddr, size),
  },
  stub: [kernelFile(MEM_ENCRYPT_C, { sme_early_memremap: inline(plain) })],
};

const weak: Hunk = {
  id: '10/firmware-efi',
  file: FIRMWARE_EFI_C,
  what: 'configuration tables and single descriptors are mapped by efi_me_early_memremap(), by default early_memremap()',
  adds: [kernelFile(FIRMWARE_EFI_C, { efi_me_early_memremap: fn(plain, true) })],
  replaces: {
    'efi_config_init:memremap': byEfiMe,
    'efi_mem_desc_lookup:memremap': byEfiMe,
  },
  stub: [kernelFile(FIRMWARE_EFI_C, { efi_me_early_memremap: inline(plain) })],
};

const esrt: Hunk = {
  id: '10/esrt',
  file: ESRT_C,
  what: 'the system resource table is mapped by efi_me_early_memremap()',
  needs: ['efi_me_early_memremap'],
  replaces: { 'efi_esrt_init:memremap': byEfiMe },
};

const tables: Hunk = {
  id: '10/efi',
  file: EFI_C,
  what: 'system table, vendor, runtime services, memory map and its new copy are mapped without the mask',
  needs: ['sme_early_memremap', 'sme_set_mem_dec'],
  replaces: {
    'efi_systab_init:memremap': bySme,
    'efi_systab_init:setup-memremap': bySme,
    'efi_runtime_init64:memremap': bySme,
    'efi_memmap_init:memremap': bySme,
    'efi_init:vendor-memremap': bySme,
    'realloc_pages:allocated': (previous) => (k, pages, size) => {
      previous(k, pages, size);
      k.fn.sme_set_mem_dec(pages, size);
    },
  },
};

const pageTables: Hunk = {
  id: '10/efi_64',
  file: EFI_64_C,
  what: 'the address of the EFI page table and the 1:1 maps of mixed mode have the mask; the mixed-mode stack does not',
  needs: ['__sme_pa', '_PAGE_ENC', 'sme_set_mem_dec'],
  replaces: {
    'efi_setup_page_tables:efi_pgt': () => (k, pgd) => k.fn.__sme_pa(pgd),
    'efi_setup_page_tables:1:1-flags': (previous) => (k) => previous(k) | k.fn._PAGE_ENC(),
    'efi_setup_page_tables:stack': (previous) => (k, page) => {
      previous(k, page);
      k.fn.sme_set_mem_dec(page, PAGE_SIZE);
    },
  },
};

const quirks: Hunk = {
  id: '10/quirks',
  file: QUIRKS_C,
  what: 'boot services memory is mapped with the mask before it is freed; EFI data that kexec passes, without it',
  needs: ['sme_set_mem_enc', 'sme_early_memremap'],
  replaces: {
    'efi_reuse_config:memremap': bySme,
    'efi_free_boot_services:before-free': (previous) => (k, start, size) => {
      previous(k, start, size);
      k.fn.sme_set_mem_enc(k.__va(start), size);
    },
  },
};

export const efiTables: PatchPart = {
  patch: 10,
  part: 1,
  hunks: [memremap, weak, esrt, tables, pageTables, quirks],
  alternatives: efiAlternatives,
};
