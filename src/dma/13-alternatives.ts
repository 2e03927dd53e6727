/** Alternatives to patch 13: the bounce buffers are decrypted at another place. */
import type { Alternative } from '../kernel/hunk.js';

export const dmaAlternatives: readonly Alternative[] = [
  {
    id: '13/decrypt-late',
    file: 'init/main.c',
    what: 'the bounce buffers are decrypted after the drivers have been probed, as if calls were reordered',
    source:
      'our choice; the reordering that a reviewer of [RFC PATCH v1 13/18] asks about, 2016-04-29',
    needs: ['sme_me_mask', 'swiotlb_clear_encryption'],
    replaces: {
      mem_encrypt_init: () => () => undefined,
      'do_initcalls:drivers': (previous) => (k) => {
        previous(k);
        if (k.fn.sme_me_mask() !== 0n) k.fn.swiotlb_clear_encryption();
      },
    },
  },
];
