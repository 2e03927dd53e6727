/** arch/x86/mm: noexec= (setup_nx.c), gbpages and nogbpages (init.c), nopat (pat.c). */
import { _PAGE_NX } from '../../../../../kernel/constants.js';
import { EINVAL } from '../../../../include/uapi/asm-generic/errno-base.js';
import {
  always,
  early_param,
  __setup,
  type ObsKernelParam,
} from '../../../../include/linux/init.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Whether NX may be set in entries. */
    x86_configure_nx(k: Kernel): void;
    x86_report_nx(k: Kernel): void;
    /** No PAT from now on: the cache modes are those of the register as it was found. */
    pat_disable(k: Kernel, reason: string): void;
  }
}

export const setupNx = bodies({
  x86_configure_nx: inline((k: Kernel) => {
    const mask = k.sym('__supported_pte_mask');
    const now = k.readU64(mask);
    const nx = k.fn.cpu_has('X86_FEATURE_NX') && !k.state.params.disableNx;
    k.writeU64(mask, nx ? now | _PAGE_NX : now & ~_PAGE_NX);
  }),
  // The line of a boot without the option is left out (our choice).
  x86_report_nx: inline((k: Kernel) => {
    if (!k.state.params.disableNx || !k.fn.cpu_has('X86_FEATURE_NX')) return;
    k.trace.console('NX (Execute Disable) protection: disabled by kernel command line option');
  }),
});

export const patOptions = bodies({
  // As the series' base has it (tip of April 2016): the register's own types are taken. 4.6 makes up those of its reset
  // value in pat_init(), which is the same unless the register was written.
  pat_disable: inline((k: Kernel, reason: string) => {
    if (!k.state.params.patEnabled) return;
    k.state.params.patEnabled = false;
    k.trace.console(`x86/PAT: ${reason}`);
    k.fn.init_cache_modes();
  }),
});

/** Only the beginning of the word counts; another value leaves things as they are. */
function noexec_setup(k: Kernel, str: string | undefined): number {
  if (str === undefined) return -EINVAL;
  if (str.startsWith('on')) k.state.params.disableNx = false;
  else if (str.startsWith('off')) k.state.params.disableNx = true;
  k.fn.x86_configure_nx();
  return 0;
}

export const mmParams: readonly ObsKernelParam[] = [
  early_param('noexec', noexec_setup),
  // early_param_on_off(): a value is not looked at, so that gbpages=off is on as well.
  early_param(
    'gbpages',
    always(0, (k) => (k.state.params.directGbpages = true)),
  ),
  early_param(
    'nogbpages',
    always(0, (k) => (k.state.params.directGbpages = false)),
  ),
  early_param(
    'nopat',
    always(0, (k) => {
      k.fn.pat_disable('PAT support disabled.');
    }),
  ),
  // arch/x86/kernel/cpu/common.c: setup_clear_cpu_cap()
  __setup(
    'noclflush',
    always(1, (k) => (k.state.bootCpuData.capability['X86_FEATURE_CLFLUSH'] = 0)),
  ),
];
