/** Alternatives to patch 15: the check at a point that a CPU without SYSCFG[23] reaches. */
import type { Alternative } from '../kernel/hunk.js';
import { setSyscfg } from './15-set-syscfg.js';

export const trampolineAlternatives: readonly Alternative[] = [
  {
    id: '15/before-paging',
    instead: '15/trampoline_64',
    file: 'arch/x86/realmode/rm/trampoline_64.S',
    what: 'at the start of 32-bit code, before paging: a CPU that has the flag and not SYSCFG[23] sets it',
    source: '[RFC PATCH v4 21/28] "x86: Check for memory encryption on the APs", 2017-02-16',
    needs: ['TH_FLAGS_MEM_ENCRYPT_BIT', 'MSR_K8_SYSCFG_MEM_ENCRYPT_BIT'],
    replaces: {
      'pa_startup_32:unpaged': (previous) => (k) => {
        previous(k);
        setSyscfg(k);
      },
    },
  },
];
