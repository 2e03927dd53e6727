/** arch/x86/kernel/cpu/mtrr/main.c: memory types at boot, on the boot CPU and on all CPUs. */
import { MTRR_DEF_TYPE } from '../../../../../../machine/cpu/mtrr.js';
import { MSR_MTRRdefType } from '../../../../../../kernel/constants.js';
import { rdmsr } from '../../../../../../kernel/cpu-ops.js';
import { stateSlice } from '../../../../../../kernel/state.js';
import { fn, bodies, inline } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';
import { onlineCpus } from '../../../../../include/linux/cpumask.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    mtrr_bp_init(k: Kernel): void;
    set_mtrr_aps_delayed_init(k: Kernel): void;
    /** Sets the memory types of all online CPUs, those of the boot CPU again. */
    mtrr_aps_init(k: Kernel): void;
  }
}

declare module '../../../../../../kernel/state.js' {
  interface KernelState {
    /** mtrr_enabled(): MTRRdefType.E was set when the boot CPU read it. */
    mtrrEnabled: boolean;
    /** mtrr_aps_delayed_init. */
    mtrrApsDelayedInit: boolean;
  }
}
export const mtrrState = stateSlice(() => ({ mtrrEnabled: false, mtrrApsDelayedInit: false }));

export const mtrrMain = bodies({
  // generic_set_all(), which calls pat_init(); with MTRRs disabled, the PAT as firmware left it.
  mtrr_bp_init: fn((k: Kernel) => {
    const deftype = rdmsr(k, MSR_MTRRdefType);
    k.state.mtrrEnabled = (deftype & MTRR_DEF_TYPE.E) !== 0n;
    if (!k.state.mtrrEnabled) {
      if (k.state.params.patEnabled) k.fn.init_cache_modes();
      return;
    }
    k.fn.generic_set_all();
  }),

  set_mtrr_aps_delayed_init: inline((k: Kernel) => {
    if (k.state.mtrrEnabled) k.state.mtrrApsDelayedInit = true;
  }),

  // set_mtrr(~0U): mtrr_rendezvous_handler() on each CPU, in the order of their numbers (our choice).
  mtrr_aps_init: inline((k: Kernel) => {
    if (!k.state.mtrrEnabled || !k.state.mtrrApsDelayedInit) return;
    for (const cpu of onlineCpus(k)) k.on(cpu, () => k.fn.generic_set_all());
    k.state.mtrrApsDelayedInit = false;
  }),
});
