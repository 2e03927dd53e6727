/** kernel/smp.c: what runs on every CPU. */
import type { Cpu } from '../../machine/cpu/cpu.js';
import { inline, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Numbers of the CPUs that run the kernel, ascending (include/linux/cpumask.h). */
    cpu_online_mask(k: Kernel): readonly number[];
    /** Does something on each CPU that runs the kernel, and waits for it. */
    on_each_cpu(k: Kernel, what: (cpu: Cpu) => void): void;
  }
}

export const smp = bodies({
  cpu_online_mask: inline((k: Kernel) => [k.cpu.id]),
  // Our choice: one CPU after the other, ascending.
  on_each_cpu: inline((k: Kernel, what: (cpu: Cpu) => void) => {
    for (const id of k.fn.cpu_online_mask()) {
      const cpu = k.machine.cpus[id];
      if (cpu !== undefined) what(cpu);
    }
  }),
});
