/** kernel/smp.c: calls on every CPU, and the start of the other CPUs. */
import type { Cpu } from '../../machine/cpu/cpu.js';
import { inline, bodies, label } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';
import { onlineCpus } from '../include/linux/cpumask.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Calls a function for each CPU of cpu_online_mask(), and waits until all have returned. */
    on_each_cpu(k: Kernel, func: (cpu: Cpu) => void): void;
    smp_init(k: Kernel): void;
  }
}

export const smp = bodies({
  // Our choice: one CPU after the other, ascending.
  on_each_cpu: inline((k: Kernel, func: (cpu: Cpu) => void) => {
    for (const id of k.fn.cpu_online_mask()) {
      const cpu = k.machine.cpus[id];
      if (cpu !== undefined) func(cpu);
    }
  }),

  // kernel/smp.c; then native_cpu_up() and native_smp_cpus_done().
  smp_init: label((k: Kernel) => {
    const apicIds = k.fn.phys_cpu_present_map();
    if (apicIds.length < 2) return;
    const boot = k.fn.read_apic_id();
    const others = apicIds.filter((id) => id !== boot);
    const { setupMaxCpus, nrCpuIds } = k.state.params;
    for (const [index, apicid] of others.entries()) {
      const cpu = index + 1;
      if (onlineCpus(k).length >= setupMaxCpus) break;
      // do_cpu_up(): cpu_possible_mask
      if (cpu >= nrCpuIds) {
        k.fn.printk(
          `can't online cpu ${String(cpu)} because it is not configured as may-hotadd at boot time`,
        );
        continue;
      }
      if (cpu === 1) k.fn.printk('x86: Booting SMP configuration:');
      const error = k.fn.do_boot_cpu(apicid, cpu);
      if (error !== 0) {
        k.fn.printk(`do_boot_cpu failed(${String(error)}) to wakeup CPU#${String(cpu)}`);
      }
    }
    k.fn.printk(`x86: Booted up 1 node, ${String(onlineCpus(k).length)} CPUs`);
    k.fn.mtrr_aps_init();
  }),
});
