/** Alternatives to patch 09: temporary mappings that cover all bytes, and a TLB flush when they are cleared. */
import { alignDown, PMD_SIZE, va, type Va } from '../machine/address.js';
import { __flush_tlb } from '../kernel/cpu-ops.js';
import type { Alternative } from '../kernel/hunk.js';

const HEAD64 = 'arch/x86/kernel/head64.c';

export const bootDataAlternatives: readonly Alternative[] = [
  {
    id: '09/whole-pages',
    file: HEAD64,
    what: 'every 2 MiB page that the bytes touch is mapped and cleared, from the first to the last',
    source: 'our choice',
    needs: ['create_unencrypted_mapping:steps'],
    replaces: {
      'create_unencrypted_mapping:steps': () => (_k, address, size) => {
        const visited: Va[] = [];
        const end = address + size;
        for (let at: number = alignDown(address, PMD_SIZE); at < end; at += PMD_SIZE) {
          visited.push(va(at));
        }
        return visited;
      },
    },
  },
  {
    id: '09/flush-tlb',
    file: HEAD64,
    what: 'clear_mapping() reloads CR3, so that the TLB has no translation for the range that it cleared',
    source: 'the series as merged in v4.14; seen in [PATCH v7 14/36], 2017-06-16',
    needs: ['clear_mapping', 'sme_me_mask'],
    replaces: {
      clear_mapping: (previous) => (k, address, size) => {
        previous(k, address, size);
        if (k.fn.sme_me_mask() !== 0n) __flush_tlb(k);
      },
    },
  },
];
