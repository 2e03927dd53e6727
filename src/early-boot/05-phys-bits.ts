/** Patch 05, "x86: Handle reduction in physical address size with SME": cpu/common.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const physBits: PatchPart = {
  patch: 5,
  hunks: [
    {
      id: '05/get_cpu_cap',
      file: 'arch/x86/kernel/cpu/common.c',
      what: 'x86_phys_bits is reduced by the address bits that memory encryption takes',
      needs: ['sme_get_me_loss'],
      replaces: {
        'get_cpu_cap:phys_bits': (previous) => (k, bits) =>
          previous(k, bits) - k.fn.sme_get_me_loss(),
      },
    },
  ],
};
