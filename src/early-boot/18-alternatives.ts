/** Alternatives to patch 18: the map of the plain kernel with the memory type that its comment states. */
import { _PAGE_PCD, _PAGE_PWT } from '../kernel/constants.js';
import type { Alternative } from '../kernel/hunk.js';

/** asm/pgtable_types.h, _PAGE_PAT_LARGE: the PAT bit of entries of 2 MiB and 1 GiB. */
const _PAGE_PAT_LARGE = 1n << 12n;
/** The bits of a large entry that select a slot of the PAT. */
const LARGE_CACHE_BITS = _PAGE_PWT | _PAGE_PCD | _PAGE_PAT_LARGE;

export const turnOnAlternatives: readonly Alternative[] = [
  {
    id: '18/pat-large',
    file: 'arch/x86/kernel/mem_encrypt.S',
    what: 'the mapping that reads the plain kernel is write-protected: PAT is bit 12 of a 2 MiB entry',
    source: 'Arvind Sankar, "x86/mm/sme: Fix definition of PMD_FLAGS_DEC_WP", 2020-11-11',
    needs: ['sme_encrypt_kernel:plain-flags'],
    replaces: {
      'sme_encrypt_kernel:plain-flags': () => (_k, flags) =>
        (flags & ~LARGE_CACHE_BITS) | _PAGE_PAT_LARGE | _PAGE_PWT,
    },
  },
];
