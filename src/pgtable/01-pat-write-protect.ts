/** Patch 01, "x86: Set the write-protect cache mode for AMD processors": arch/x86/mm/pat.c. */
import { va } from '../machine/address.js';
import { MEMTYPE } from '../machine/types.js';
import { CPUINFO, X86_VENDOR } from '../linux/arch/x86/kernel/cpu/common/common.js';
import type { PatchPart } from '../kernel/hunk.js';

/** The PAT slot that is set to write-protect. */
const SLOT = 5;

export const patWriteProtect: PatchPart = {
  patch: 1,
  hunks: [
    {
      id: '01/pat_init',
      file: 'arch/x86/mm/pat.c',
      what: 'PAT slot 5 is write-protect on AMD processors',
      replaces: {
        'pat_init:slots': (previous) => (k) => {
          const slots = previous(k);
          const vendor = k.readU8(va(k.sym('boot_cpu_data') + CPUINFO.x86_vendor));
          slots[SLOT] = vendor === X86_VENDOR.AMD ? MEMTYPE.WP : MEMTYPE.WC;
          return slots;
        },
      },
    },
  ],
};
