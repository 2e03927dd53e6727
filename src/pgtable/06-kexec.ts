/** Patch 06, part for kexec: arch/x86/kernel/machine_kexec_64.c. */
import type { PatchPart } from '../kernel/hunk.js';
import { kexecAlternatives } from './06-kexec-alternatives.js';

export const kexecMap: PatchPart = {
  patch: 6,
  part: 6,
  alternatives: kexecAlternatives,
  hunks: [
    {
      id: '06/machine_kexec',
      file: 'arch/x86/kernel/machine_kexec_64.c',
      what: 'the leaves of the identity map carry the mask',
      needs: ['_PAGE_ENC'],
      replaces: {
        'init_pgtable:pmd_flag': (previous) => (k) => previous(k) | k.fn._PAGE_ENC(),
      },
    },
  ],
};
