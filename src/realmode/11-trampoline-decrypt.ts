/** Patch 11, "x86: Decrypt trampoline area if memory encryption is active": arch/x86/realmode/init.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const trampolineDecrypt: PatchPart = {
  patch: 11,
  hunks: [
    {
      id: '11/set_real_mode_permissions',
      file: 'arch/x86/realmode/init.c',
      what: 'the trampoline is decrypted in place, then the mask is removed from its mapping',
      needs: ['sme_early_mem_dec', 'sme_set_mem_dec'],
      replaces: {
        'set_real_mode_permissions:decrypt': (previous) => (k, base, size) => {
          previous(k, base, size);
          k.fn.sme_early_mem_dec(k.__pa(base), size);
          k.fn.sme_set_mem_dec(base, size);
        },
      },
    },
  ],
};
