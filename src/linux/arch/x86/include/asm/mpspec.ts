/** What arch/x86/kernel/mpparse.c keeps of the MP table. */
import { stateSlice } from '../../../../../kernel/state.js';

export interface MpConfig {
  /** mpf_found: the floating pointer's address in the direct map. */
  mpfFound: number | null;
  /** smp_found_config. */
  foundConfig: boolean;
  /** Local APIC IDs of the enabled processors (generic_processor_info), in the table's order. */
  processors: { apicid: number; bootup: boolean }[];
  /** mp_lapic_addr. */
  lapic: number;
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    mp: MpConfig;
  }
}
export const mpState = stateSlice(() => ({
  mp: { mpfFound: null, foundConfig: false, processors: [], lapic: 0 },
}));
