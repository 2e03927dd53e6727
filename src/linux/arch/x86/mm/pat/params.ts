/** arch/x86/mm/pat.c: nopat. */
import { always, early_param, type ObsKernelParam } from '../../../../include/linux/init.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Disables the PAT: the cache modes become those of the register's current value. */
    pat_disable(k: Kernel, reason: string): void;
  }
}

export const patOptions = bodies({
  // As in the series' base (tip of April 2016): the types are read from the register. 4.6 uses those of the reset value,
  // in pat_init(): the same unless the register was written.
  pat_disable: inline((k: Kernel, reason: string) => {
    if (!k.state.params.patEnabled) return;
    k.state.params.patEnabled = false;
    k.fn.printk(`x86/PAT: ${reason}`);
    k.fn.init_cache_modes();
  }),
});

export const patParams: readonly ObsKernelParam[] = [
  early_param(
    'nopat',
    always(0, (k) => {
      k.fn.pat_disable('PAT support disabled.');
    }),
  ),
];
