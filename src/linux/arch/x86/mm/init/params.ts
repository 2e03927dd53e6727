/** arch/x86/mm/init.c: gbpages and nogbpages. */
import { always, early_param, type ObsKernelParam } from '../../../../include/linux/init.js';

export const initMmParams: readonly ObsKernelParam[] = [
  // early_param_on_off(): a value is not read, so that gbpages=off is on as well.
  early_param(
    'gbpages',
    always(0, (k) => (k.state.params.directGbpages = true)),
  ),
  early_param(
    'nogbpages',
    always(0, (k) => (k.state.params.directGbpages = false)),
  ),
];
