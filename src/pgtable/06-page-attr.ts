/** Patch 06, part for the page-attribute code: arch/x86/mm/pageattr.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const pageAttr: PatchPart = {
  patch: 6,
  part: 4,
  hunks: [
    {
      id: '06/pageattr',
      file: 'arch/x86/mm/pageattr.c',
      what: 'kernel_map_pages_in_pgd() clears the mask if the page flags of its caller lack it',
      needs: ['_PAGE_ENC'],
      replaces: {
        'kernel_map_pages_in_pgd:mask_clr': (previous) => (k, maskClr, pageFlags) => {
          const enc = k.fn._PAGE_ENC();
          const before = previous(k, maskClr, pageFlags);
          return (pageFlags & enc) === 0n ? before | enc : before;
        },
      },
    },
  ],
};
