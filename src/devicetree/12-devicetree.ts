/** Patch 12, "x86: Access device tree in the clear": arch/x86/kernel/devicetree.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const deviceTree: PatchPart = {
  patch: 12,
  hunks: [
    {
      id: '12/devicetree',
      file: 'arch/x86/kernel/devicetree.c',
      what: 'the flattened device tree is mapped without the mask, first its header, then the whole tree',
      needs: ['sme_early_memremap'],
      replaces: {
        'x86_flattree_get_config:memremap': () => (k, physAddr, size) =>
          k.fn.sme_early_memremap(physAddr, size),
      },
    },
  ],
};
