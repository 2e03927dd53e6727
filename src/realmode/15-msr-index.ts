/** Patch 15, "x86: Enable memory encryption on the APs": the names that it adds to asm/msr-index.h. */
import type { PatchPart } from '../kernel/hunk.js';
import { inline, kernelFile, type PatchedKernel } from '../kernel/table.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    /** SYSCFG's bit number for memory encryption. */
    MSR_K8_SYSCFG_MEM_ENCRYPT_BIT(k: PatchedKernel): number;
    /** The bit as a mask. */
    MSR_K8_SYSCFG_MEM_ENCRYPT(k: PatchedKernel): bigint;
  }
}

export const msrIndex: PatchPart = {
  patch: 15,
  part: 1,
  hunks: [
    {
      id: '15/msr-index',
      file: 'arch/x86/include/asm/msr-index.h',
      what: 'the name of bit 23 of SYSCFG',
      adds: [
        kernelFile('arch/x86/include/asm/msr-index.h', {
          MSR_K8_SYSCFG_MEM_ENCRYPT_BIT: inline(() => 23),
          MSR_K8_SYSCFG_MEM_ENCRYPT: inline(
            (k: PatchedKernel) => 1n << BigInt(k.fn.MSR_K8_SYSCFG_MEM_ENCRYPT_BIT()),
          ),
        }),
      ],
      // The stub of a constant is 0 (our choice).
      stub: [
        kernelFile('arch/x86/include/asm/msr-index.h', {
          MSR_K8_SYSCFG_MEM_ENCRYPT_BIT: inline(() => 0),
          MSR_K8_SYSCFG_MEM_ENCRYPT: inline(() => 0n),
        }),
      ],
    },
  ],
};
