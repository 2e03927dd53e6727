/** Patch 10, "x86/efi: Access EFI related tables in the clear": arch/x86/mm/mem_encrypt.c. */
import type { Va } from '../machine/address.js';
import type { Phys } from '../kernel/early-ioremap.js';
import type { Kernel } from '../kernel/kernel.js';
import type { PatchPart } from '../kernel/hunk.js';
import { fn, inline, kernelFile } from '../kernel/table.js';

declare module '../kernel/table.js' {
  interface Entries {
    /** Maps memory without the mask; 0 where no mapping can be had. */
    sme_early_memremap(k: Kernel, paddr: Phys, size: number): Va | 0;
  }
}

const MEM_ENCRYPT_C = 'arch/x86/mm/mem_encrypt.c';

export const efiTables: PatchPart = {
  patch: 10,
  hunks: [
    {
      id: '10/mem_encrypt',
      file: MEM_ENCRYPT_C,
      what: 'sme_early_memremap(): an early mapping without the mask',
      needs: ['early_memremap_dec'],
      adds: [
        kernelFile(MEM_ENCRYPT_C, {
          sme_early_memremap: fn((k: Kernel, paddr: Phys, size: number) =>
            k.fn.early_memremap_dec(paddr, size),
          ),
        }),
      ],
      neutral: [kernelFile(MEM_ENCRYPT_C, { sme_early_memremap: inline((): 0 => 0) })],
    },
  ],
};
