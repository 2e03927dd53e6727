/** arch/x86/mm/setup_nx.c: whether NX may be set in entries; noexec=. */
import { _PAGE_NX } from '../../../../kernel/constants.js';
import { early_param, type ObsKernelParam } from '../../../include/linux/init.js';
import { EINVAL } from '../../../include/uapi/asm-generic/errno-base.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Sets or clears NX in __supported_pte_mask. */
    x86_configure_nx(k: Kernel): void;
    x86_report_nx(k: Kernel): void;
  }
}

/** Compares prefixes only, like the kernel's strncmp(); any other value changes nothing. */
function noexec_setup(k: Kernel, str: string | undefined): number {
  if (str === undefined) return -EINVAL;
  if (str.startsWith('on')) k.state.params.disableNx = false;
  else if (str.startsWith('off')) k.state.params.disableNx = true;
  k.fn.x86_configure_nx();
  return 0;
}

export const setupNx = bodies({
  x86_configure_nx: inline((k: Kernel) => {
    const mask = k.sym('__supported_pte_mask');
    const bits = k.readU64(mask);
    const nx = k.fn.cpu_has('X86_FEATURE_NX') && !k.state.params.disableNx;
    k.writeU64(mask, nx ? bits | _PAGE_NX : bits & ~_PAGE_NX);
  }),

  // The lines for active and for missing NX are left out (our choice).
  x86_report_nx: inline((k: Kernel) => {
    if (!k.state.params.disableNx || !k.fn.cpu_has('X86_FEATURE_NX')) return;
    k.fn.printk('NX (Execute Disable) protection: disabled by kernel command line option');
  }),
});

export const setupNxParams: readonly ObsKernelParam[] = [early_param('noexec', noexec_setup)];
