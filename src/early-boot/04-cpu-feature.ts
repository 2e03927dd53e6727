/** Patch 04, "x86: Add the Secure Memory Encryption cpu feature": cpufeatures.h, cpu/scattered.c. */
import type { PatchPart } from '../kernel/hunk.js';

const SME_LEAF = 0x8000_001f;

export const cpuFeature: PatchPart = {
  patch: 4,
  hunks: [
    {
      id: '04/scattered',
      file: 'arch/x86/kernel/cpu/scattered.c',
      what: 'X86_FEATURE_SME, word 17 bit 0, from CPUID 0x8000001f EAX bit 0',
      names: ['X86_FEATURE_SME'],
      replaces: {
        'init_scattered_cpuid_features:table': (previous) => (k) => [
          ...previous(k),
          { name: 'X86_FEATURE_SME', reg: 'eax', bit: 0, leaf: SME_LEAF },
        ],
      },
    },
  ],
};
