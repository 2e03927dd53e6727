/** Patch 06, the early-boot part: the two empty functions of mem_encrypt.S and the call in x86_64_start_kernel. */
import type { PatchPart } from '../kernel/hunk.js';
import { fn, inline, kernelFile } from '../kernel/table.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    sme_enable(k: PatchedKernel): void;
    sme_encrypt_kernel(k: PatchedKernel): void;
  }
}

const MEM_ENCRYPT_S = 'arch/x86/kernel/mem_encrypt.S';

export const generalEarlyBoot: PatchPart = {
  patch: 6,
  part: 1,
  hunks: [
    {
      id: '06/mem_encrypt',
      file: MEM_ENCRYPT_S,
      what: 'sme_enable and sme_encrypt_kernel, which only return',
      adds: [
        kernelFile(MEM_ENCRYPT_S, {
          sme_enable: fn(() => undefined),
          sme_encrypt_kernel: fn(() => undefined),
        }),
      ],
      stub: [
        kernelFile(MEM_ENCRYPT_S, {
          sme_enable: inline(() => undefined),
          sme_encrypt_kernel: inline(() => undefined),
        }),
      ],
    },
    {
      id: '06/early_pmd_flags',
      file: 'arch/x86/kernel/head64.c',
      what: 'direct-map pages made by early faults carry the mask; sme_early_init is called',
      needs: ['_PAGE_ENC', 'sme_early_init'],
      replaces: {
        'x86_64_start_kernel:after-clear_page': (previous) => (k) => {
          previous(k);
          const flags = k.sym('early_pmd_flags');
          k.writeU64(flags, k.readU64(flags) | k.fn._PAGE_ENC());
          k.fn.sme_early_init();
        },
      },
    },
  ],
};
