/** Patch 06, part for the espfix stacks: arch/x86/kernel/espfix_64.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const espfixStack: PatchPart = {
  patch: 6,
  part: 5,
  hunks: [
    {
      id: '06/espfix',
      file: 'arch/x86/kernel/espfix_64.c',
      what: 'the page of espfix stacks is mapped with the mask',
      needs: ['_PAGE_ENC'],
      replaces: {
        'init_espfix_ap:stack-flags': (previous) => (k) => previous(k) | k.fn._PAGE_ENC(),
      },
    },
  ],
};
