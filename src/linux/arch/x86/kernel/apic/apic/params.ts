/** arch/x86/kernel/apic/apic.c: options that disable local APICs, and which CPUs are registered. */
import { get_option } from '../../../../../lib/cmdline.js';
import { EINVAL } from '../../../../../include/uapi/asm-generic/errno-base.js';
import { always, early_param, type ObsKernelParam } from '../../../../../include/linux/init.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    /** Whether to register a CPU that a table lists: nr_cpus= and disable_cpu_apicid= can exclude it. */
    generic_processor_info(k: Kernel, apicid: number): boolean;
  }
}

/** Local APIC ids of the CPUs registered so far: those of the MADT, or of the MP table. */
const registeredIds = ({ madt, mp }: Kernel['state']): number[] => [
  ...madt.apicIds,
  ...mp.processors.map(({ apicid }) => apicid),
];

export const apicOptions = bodies({
  generic_processor_info: inline((k: Kernel, apicid: number) => {
    const { params } = k.state;
    const registered = registeredIds(k.state);
    // read_apic_id(), of an APIC that the kernel has mapped by now; the boot CPU runs this.
    const boot = k.cpu.id;
    const ignored = (thiscpu: number, why: string): false => {
      const id = `${String(thiscpu)}/0x${apicid.toString(16)}`;
      k.fn.printk(`${why} Processor ${id} ignored.`);
      params.disabledCpus++;
      return false;
    };
    const limit = `ACPI: NR_CPUS/possible_cpus limit of ${String(params.nrCpuIds)}`;
    if (params.disabledCpuApicid === apicid && apicid !== boot) {
      return ignored(registered.length + params.disabledCpus, 'APIC: Disabling requested cpu.');
    }
    const last = params.nrCpuIds + params.disabledCpus;
    if (!registered.includes(boot) && registered.length >= params.nrCpuIds - 1 && apicid !== boot) {
      return ignored(last - 1, `${limit} almost reached. Keeping one slot for boot cpu. `);
    }
    if (registered.length >= params.nrCpuIds) return ignored(last, `${limit} reached. `);
    return true;
  }),
});

/** setup_disableapic(), setup_nolapic() */
const setup_disableapic = always(0, (k) => {
  k.state.params.disableApic = true;
  // setup_clear_cpu_cap()
  k.state.bootCpuData.capability['X86_FEATURE_APIC'] = 0;
});

function apic_set_disabled_cpu_apicid(k: Kernel, arg: string | undefined): number {
  const id = get_option(arg);
  if (id === undefined) return -EINVAL;
  k.state.params.disabledCpuApicid = id;
  return 0;
}

export const apicParams: readonly ObsKernelParam[] = [
  early_param('disableapic', setup_disableapic),
  early_param('nolapic', setup_disableapic),
  early_param('disable_cpu_apicid', apic_set_disabled_cpu_apicid),
];
