/**
 * Alternatives to patch 09: temporary mappings that cover all bytes, a TLB flush when they are cleared, and the relocation of
 * the initrd as the second posting has it.
 */
import { alignDown, PAGE_SIZE, PMD_SIZE, va, type Va } from '../machine/address.js';
import { NR_FIX_BTMAPS } from '../kernel/constants.js';
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
  {
    id: '09/relocate-plain',
    file: 'mm/early_ioremap.c',
    what: 'relocate_initrd() copies the initrd through mappings without the mask, after it was encrypted in place',
    source:
      '[RFC PATCH v2 10/20] and 11/20, 2016-08-22: the initrd is BOOT_DATA to copy_from_early_mem()',
    needs: ['early_memremap_dec'],
    replaces: {
      // relocate_initrd() is the only caller.
      copy_from_early_mem: () => (k, dest, src, size) => {
        for (let done = 0; done < size;) {
          const slop = (src + done) % PAGE_SIZE;
          const chunk = Math.min(size - done, NR_FIX_BTMAPS * PAGE_SIZE - slop);
          const mapped = k.fn.early_memremap_dec(src + done - slop, chunk + slop);
          k.memcpy(va(dest + done), va(mapped + slop), chunk);
          k.fn.early_memunmap(va(mapped), chunk + slop);
          done += chunk;
        }
      },
    },
  },
];
