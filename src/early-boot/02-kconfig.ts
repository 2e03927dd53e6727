/** Patch 02, "x86: Secure Memory Encryption (SME) build enablement": arch/x86/Kconfig. */
import type { PatchPart } from '../kernel/hunk.js';

/** The option is a setting of the run; without the patch it cannot be set. */
export const kconfig: PatchPart = {
  patch: 2,
  hunks: [
    {
      id: '02/Kconfig',
      file: 'arch/x86/Kconfig',
      what: 'the option CONFIG_AMD_MEM_ENCRYPT',
      options: ['CONFIG_AMD_MEM_ENCRYPT'],
    },
  ],
};
