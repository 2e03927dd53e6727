/** kernel/smp.c and arch/x86/kernel/smpboot.c: options that limit the number of CPUs. */
import { get_option } from '../../../../lib/cmdline.js';
import { always, early_param, type ObsKernelParam } from '../../../../include/linux/init.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Disables I/O APICs, as nosmp and maxcpus=0 do. */
    arch_disable_smp_support(k: Kernel): void;
    /** Sets nr_cpu_ids to the number of possible CPUs. */
    prefill_possible_map(k: Kernel): void;
    /** Removes all CPUs but the boot CPU from those that the tables list. */
    disable_smp(k: Kernel): void;
    /** Whether other CPUs may be started; prints the reason where not. */
    smp_sanity_check(k: Kernel, maxCpus: number): SmpSanity;
  }
}

export type SmpSanity = 'SMP_OK' | 'SMP_NO_CONFIG' | 'SMP_NO_APIC' | 'SMP_FORCE_UP';

export const smpOptions = bodies({
  arch_disable_smp_support: inline((k: Kernel) => {
    k.fn.disable_ioapic_support();
  }),

  prefill_possible_map: inline((k: Kernel) => {
    const { params } = k.state;
    const processors = k.fn.phys_cpu_present_map().length || 1;
    let possible = params.setupPossibleCpus;
    if (possible === -1) {
      // CONFIG_HOTPLUG_CPU
      possible = processors + (params.setupMaxCpus === 0 ? 0 : params.disabledCpus);
    }
    if (possible > params.nrCpuIds) {
      const limit = `NR_CPUS limit of ${String(params.nrCpuIds)}`;
      k.fn.printk(`smpboot: ${String(possible)} Processors exceeds ${limit}`);
      possible = params.nrCpuIds;
    }
    if (params.setupMaxCpus === 0 && possible > 1) {
      k.fn.printk(`smpboot: ${String(possible)} Processors exceeds max_cpus limit of 0`);
      possible = 1;
    }
    // The line is printed only with possible_cpus= (our choice).
    if (params.setupPossibleCpus !== -1) {
      const spare = String(Math.max(possible - processors, 0));
      k.fn.printk(`smpboot: Allowing ${String(possible)} CPUs, ${spare} hotplug CPUs`);
    }
    params.nrCpuIds = possible;
  }),

  disable_smp: inline((k: Kernel) => {
    k.fn.printk('smpboot: SMP disabled');
    k.fn.disable_ioapic_support();
    // init_cpu_present(cpumask_of(0))
    k.state.madt.apicIds = k.state.madt.apicIds.filter((id) => id === k.cpu.id);
    k.state.mp.processors = k.state.mp.processors.filter(({ apicid }) => apicid === k.cpu.id);
  }),

  smp_sanity_check: inline((k: Kernel, maxCpus: number): SmpSanity => {
    if (k.fn.phys_cpu_present_map().length === 0) {
      k.fn.printk('smpboot: SMP motherboard not detected');
      return 'SMP_NO_CONFIG';
    }
    if (k.state.params.disableApic) return 'SMP_NO_APIC';
    if (maxCpus === 0) {
      k.fn.printk('smpboot: SMP mode deactivated');
      return 'SMP_FORCE_UP';
    }
    return 'SMP_OK';
  }),
});

function maxcpus(k: Kernel, str: string | undefined): number {
  const { params } = k.state;
  // A signed int is stored in an unsigned variable.
  params.setupMaxCpus = (get_option(str) ?? params.setupMaxCpus) >>> 0;
  if (params.setupMaxCpus === 0) k.fn.arch_disable_smp_support();
  return 0;
}

function nrcpus(k: Kernel, str: string | undefined): number {
  const { params } = k.state;
  const nr = get_option(str);
  // Without a number the kernel's local variable is uninitialized; here nothing is set (our choice).
  if (nr !== undefined && nr > 0 && nr < params.nrCpuIds) params.nrCpuIds = nr;
  return 0;
}

function _setup_possible_cpus(k: Kernel, str: string | undefined): number {
  const { params } = k.state;
  params.setupPossibleCpus = get_option(str) ?? params.setupPossibleCpus;
  return 0;
}

export const smpParams: readonly ObsKernelParam[] = [
  early_param(
    'nosmp',
    always(0, (k) => {
      k.state.params.setupMaxCpus = 0;
      k.fn.arch_disable_smp_support();
    }),
  ),
  early_param('nr_cpus', nrcpus),
  early_param('maxcpus', maxcpus),
  early_param('possible_cpus', _setup_possible_cpus),
];
