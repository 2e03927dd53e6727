/** Patch 15, "x86: Enable memory encryption on the APs": part for the trampoline. */
import type { PatchPart } from '../kernel/hunk.js';
import { TRAMPOLINE_HEADER } from '../linux/arch/x86/realmode/rmpiggy.js';
import { inline, kernelFile, type PatchedKernel } from '../kernel/table.js';
import { va } from '../machine/address.js';
import { CR4_SIZE, setSyscfg } from './15-set-syscfg.js';
import { trampolineAlternatives } from './15-alternatives.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    /** Number and mask of the bit in the trampoline header's flags that requests memory encryption. */
    TH_FLAGS_MEM_ENCRYPT_BIT(k: PatchedKernel): number;
    TH_FLAGS_MEM_ENCRYPT(k: PatchedKernel): number;
  }
}

const REALMODE_H = 'arch/x86/include/asm/realmode.h';
export const TH_FLAGS_OFFSET = TRAMPOLINE_HEADER.cr4 + CR4_SIZE;

export const trampolineFlags: PatchPart = {
  patch: 15,
  part: 2,
  alternatives: trampolineAlternatives,
  hunks: [
    {
      id: '15/realmode-header',
      file: REALMODE_H,
      what: 'the trampoline header has a flags field, whose bit 0 requests memory encryption',
      adds: [
        kernelFile(REALMODE_H, {
          TH_FLAGS_MEM_ENCRYPT_BIT: inline(() => 0),
          TH_FLAGS_MEM_ENCRYPT: inline((k: PatchedKernel) => 1 << k.fn.TH_FLAGS_MEM_ENCRYPT_BIT()),
        }),
      ],
      // The stub of a constant is 0 (our choice): the mask is empty, so the flag is never set.
      stub: [
        kernelFile(REALMODE_H, {
          TH_FLAGS_MEM_ENCRYPT_BIT: inline(() => 0),
          TH_FLAGS_MEM_ENCRYPT: inline(() => 0),
        }),
      ],
    },
    {
      id: '15/setup_real_mode',
      file: 'arch/x86/realmode/init.c',
      what: 'the flag is set if the mask is not zero',
      needs: ['sme_me_mask', 'TH_FLAGS_MEM_ENCRYPT'],
      replaces: {
        'setup_real_mode:flags': (previous) => (k, header) => {
          previous(k, header);
          const flags = va(header + TH_FLAGS_OFFSET);
          k.writeU32(flags, 0);
          if (k.fn.sme_me_mask() !== 0n) {
            k.writeU32(flags, k.readU32(flags) | k.fn.TH_FLAGS_MEM_ENCRYPT());
          }
        },
      },
    },
    {
      id: '15/trampoline_64',
      file: 'arch/x86/realmode/rm/trampoline_64.S',
      what: 'with paging on, before 64-bit code: a CPU that has the flag and not SYSCFG[23] sets it',
      needs: ['TH_FLAGS_MEM_ENCRYPT_BIT', 'MSR_K8_SYSCFG_MEM_ENCRYPT_BIT'],
      replaces: {
        'pa_startup_32:paged': (previous) => (k) => {
          previous(k);
          setSyscfg(k);
        },
      },
    },
  ],
};
