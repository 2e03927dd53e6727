/** Patch 16, "x86: Do not specify encrypted memory for VGA mapping": arch/x86/include/asm/vga.h. */
import { va } from '../machine/address.js';
import type { Hunk, PatchPart } from '../kernel/hunk.js';

const mapMem: Hunk = {
  id: '16/vga_map_mem',
  file: 'arch/x86/include/asm/vga.h',
  what: 'VGA_MAP_MEM() clears the mask of the direct map of video memory',
  needs: ['sme_set_mem_dec'],
  replaces: {
    VGA_MAP_MEM: (previous) => (k, address, size) => {
      const start = previous(k, address, size);
      // The macro ignores what sme_set_mem_dec() returns.
      if (k.config.CONFIG_AMD_MEM_ENCRYPT) k.fn.sme_set_mem_dec(va(start), size);
      return start;
    },
  },
};

export const vga: PatchPart = { patch: 16, hunks: [mapMem] };
