/** kernel/cpu.c: the set of online CPUs. */
import { cpumask, onlineCpus } from '../include/linux/cpumask.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { Variable } from '../../kernel/variables.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Numbers of the CPUs that run the kernel, ascending. */
    cpu_online_mask(k: Kernel): readonly number[];
  }
}

export const cpuC = bodies({
  cpu_online_mask: inline((k: Kernel) => onlineCpus(k)),
});

export const cpuOnlineVariables: readonly Variable[] = [
  {
    ...cpumask('cpu_online_mask', 'kernel/cpu.c'),
    section: '.data',
    // boot_cpu_init(): the boot CPU is online.
    init: () => Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0),
  },
];
