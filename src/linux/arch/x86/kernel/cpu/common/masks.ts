/** arch/x86/kernel/cpu/common.c: CPU masks of the bring-up. */
import { cpumask } from '../../../../../include/linux/cpumask.js';
import type { Variable } from '../../../../../../kernel/variables.js';

const COMMON_C = 'arch/x86/kernel/cpu/common.c';

export const smpVariables: readonly Variable[] = [
  cpumask('cpu_initialized_mask', COMMON_C),
  cpumask('cpu_callout_mask', COMMON_C),
  cpumask('cpu_callin_mask', COMMON_C),
];
