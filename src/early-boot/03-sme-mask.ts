/** Patch 03, "x86: Secure Memory Encryption (SME) support": asm/mem_encrypt.h, kernel/mem_encrypt.S. */
import { va } from '../machine/address.js';
import type { PatchPart } from '../kernel/hunk.js';
import { fn, inline, kernelFile, type PatchedKernel } from '../kernel/table.js';
import { quads, type Variable } from '../kernel/variables.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    /** The mask: the variable's value, or the constant 0 without CONFIG_AMD_MEM_ENCRYPT. */
    sme_me_mask(k: PatchedKernel): bigint;
    /** Number of physical address bits lost; 0 without CONFIG_AMD_MEM_ENCRYPT. */
    sme_get_me_loss(k: PatchedKernel): number;
  }
}

const MEM_ENCRYPT_S = 'arch/x86/kernel/mem_encrypt.S';

/** sme_me_loss is the byte after the mask. */
export const ME_LOSS_OFFSET = 8;

const variables: readonly Variable[] = [
  {
    name: 'sme_me_mask',
    mask: true,
    size: 16,
    align: 16,
    section: '.data',
    file: MEM_ENCRYPT_S,
    parts: { sme_me_loss: ME_LOSS_OFFSET },
    init: () => quads([0n, 0n]),
  },
];

export const smeMask: PatchPart = {
  patch: 3,
  hunks: [
    {
      id: '03/mem_encrypt',
      file: MEM_ENCRYPT_S,
      what: 'the mask and the number of lost address bits, in .data',
      variables,
      names: ['sme_me_loss'],
      adds: [
        kernelFile('arch/x86/include/asm/mem_encrypt.h', {
          sme_me_mask: inline((k: PatchedKernel) =>
            k.config.CONFIG_AMD_MEM_ENCRYPT ? k.readU64(k.sym('sme_me_mask')) : 0n,
          ),
        }),
        kernelFile(MEM_ENCRYPT_S, {
          sme_get_me_loss: fn((k: PatchedKernel) =>
            k.config.CONFIG_AMD_MEM_ENCRYPT
              ? k.readU8(va(k.sym('sme_me_mask') + ME_LOSS_OFFSET))
              : 0,
          ),
        }),
      ],
      stub: [
        kernelFile(MEM_ENCRYPT_S, {
          sme_me_mask: inline(() => 0n),
          sme_get_me_loss: inline(() => 0),
        }),
      ],
    },
  ],
};
