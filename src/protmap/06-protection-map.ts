/** Patch 06, part for the protection map: sme_early_init() of the new arch/x86/mm/mem_encrypt.c. */
import { va } from '../machine/address.js';
import type { PatchPart } from '../kernel/hunk.js';
import { fn, inline, kernelFile, type PatchedKernel } from '../kernel/table.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    sme_early_init(k: PatchedKernel): void;
  }
}

const MEM_ENCRYPT_C = 'arch/x86/mm/mem_encrypt.c';
/** ARRAY_SIZE(protection_map) */
const ENTRIES = 16;

export const protectionMap: PatchPart = {
  patch: 6,
  part: 2,
  hunks: [
    {
      id: '06/sme_early_init',
      file: MEM_ENCRYPT_C,
      what: 'the supported-bits mask and each entry of protection_map get the mask',
      needs: ['sme_me_mask'],
      adds: [
        kernelFile(MEM_ENCRYPT_C, {
          sme_early_init: fn((k: PatchedKernel) => {
            const mask = k.fn.sme_me_mask();
            if (mask === 0n) return;
            const supported = k.sym('__supported_pte_mask');
            k.writeU64(supported, k.readU64(supported) | mask);
            const map = k.sym('protection_map');
            for (let i = 0; i < ENTRIES; i++) {
              const at = va(map + i * 8);
              k.writeU64(at, k.readU64(at) | mask);
            }
          }),
        }),
      ],
      stub: [kernelFile(MEM_ENCRYPT_C, { sme_early_init: inline(() => undefined) })],
    },
  ],
};
