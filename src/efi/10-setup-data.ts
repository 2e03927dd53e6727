/** Patch 10, the setup_data chain: arch/x86/kernel/setup.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const efiSetupData: PatchPart = {
  patch: 10,
  part: 2,
  hunks: [
    {
      id: '10/setup',
      file: 'arch/x86/kernel/setup.c',
      what: 'the three walks of the setup_data chain map its headers without the mask',
      needs: ['sme_early_memremap'],
      replaces: {
        'setup_data:memremap': () => (k, physAddr, size) => k.fn.sme_early_memremap(physAddr, size),
      },
    },
  ],
};
