/** arch/x86/kernel/smpboot.c and kernel/smp.c, as the boot CPU runs them: starting other CPUs. */
import { va } from '../../../../../machine/address.js';
import { ACTIVITY } from '../../../../../machine/cpu/cpu-core.js';
import {
  APIC_REGISTER,
  ICR,
  LOCAL_APIC_BASE,
  MESSAGE_TYPE,
} from '../../../../../machine/devices/apic-registers.js';
import { THREAD_SIZE } from '../../../../../kernel/constants.js';
import { __flush_tlb } from '../../../../../kernel/cpu-ops.js';
import { BootEnd, CpuLost } from '../../../../../kernel/ends.js';
import { SECONDARY_VARIABLES } from '../head_64/head_64.js';
import { GFP } from '../../../../mm/page_alloc/page_alloc.js';
import { realModeField } from '../../realmode/init.js';
import {
  cpumask_clear_cpu,
  cpumask_set_cpu,
  cpumask_test_cpu,
} from '../../../../include/linux/cpumask.js';
import { AP_CPU_OFFSET, THREAD_INFO_CPU } from './start-secondary.js';
import { fn, inline, bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    native_smp_prepare_cpus(k: Kernel): void;
    /** Starts one CPU; returns 0, or -1 where it does not come up. */
    do_boot_cpu(k: Kernel, apicid: number, cpu: number): number;
    smpboot_setup_warm_reset_vector(k: Kernel, startEip: number): void;
    smpboot_restore_warm_reset_vector(k: Kernel): void;
    wakeup_secondary_cpu_via_init(k: Kernel, apicid: number, startEip: number): void;
    /** schedule() in the boot CPU's wait loops: `go` runs on the CPU `apicid` until that CPU waits. */
    'do_boot_cpu:schedule'(k: Kernel, apicid: number, go: () => void): void;
  }
}

/** The warm-reset vector in the BIOS data area: offset and segment (mach_traps.h: TRAMPOLINE_PHYS_LOW, _HIGH). */
const TRAMPOLINE_PHYS_LOW = 0x467;
const TRAMPOLINE_PHYS_HIGH = 0x469;
const PARAGRAPH_SHIFT = 4;
const PARAGRAPH_MASK = 0xf;
/** Order of a kernel stack in pages, and bytes of struct pt_regs at its top (asm/ptrace.h). */
const THREAD_SIZE_ORDER = 2;
const PT_REGS_SIZE = 168;
const STARTUPS = 2;

const icr = (fields: Partial<Record<keyof typeof ICR, number>>): number =>
  Object.entries(fields).reduce(
    (value, [name, field]) => value | (field << ICR[name as keyof typeof ICR].shift),
    0,
  );

export const smpboot = bodies({
  native_smp_prepare_cpus: label((k: Kernel) => {
    const sanity = k.fn.smp_sanity_check(k.state.params.setupMaxCpus);
    if (sanity !== 'SMP_OK') k.fn.disable_smp();
    if (sanity === 'SMP_NO_APIC' || sanity === 'SMP_FORCE_UP') return;
    if (sanity === 'SMP_NO_CONFIG' && k.state.params.disableApic) {
      // APIC_init_uniprocessor()
      k.fn.printk('Apic disabled');
      k.fn.printk('smpboot: Local APIC not detected. Using dummy APIC emulation.');
      return;
    }
    // default_setup_apic_routing()
    k.fn.enable_IR_x2apic();
    const apicIds = k.fn.phys_cpu_present_map();
    // Our choice: the local APIC of a machine with one CPU is not set up; nothing uses it.
    if (apicIds.length < 2) return;
    // The kernel sets the fixmap in acpi_boot_init(); here this step does, the first to access the APIC (our choice).
    const { madt, mp } = k.state;
    k.fn.register_lapic_address(madt.lapicAddress || mp.lapic || LOCAL_APIC_BASE);
    const id = k.fn.read_apic_id();
    if (!apicIds.includes(id)) {
      k.fn.printk(`weird, boot CPU (#${String(id)}) not listed by the BIOS.`);
    }
    k.fn.setup_local_APIC();
    cpumask_set_cpu(k, 0, 'cpu_callin_mask');
    cpumask_set_cpu(k, 0, 'cpu_callout_mask');
    k.fn.set_mtrr_aps_delayed_init();
  }),

  do_boot_cpu: fn((k: Kernel, apicid: number, cpu: number) => {
    const status = k.__va(realModeField(k, 'trampoline_status'));
    const start = realModeField(k, 'trampoline_start');
    // fork_idle(): a stack with its thread_info.
    const stack = k.fn.__get_free_pages(GFP.KERNEL, THREAD_SIZE_ORDER);
    if (stack === 0) return k.fn.panic('fork_idle: no memory for a stack');
    k.memset(stack, 0, THREAD_SIZE);
    const cpuField = va(stack + THREAD_INFO_CPU);
    k.writeU32(cpuField, cpu);
    const values = [k.sym('start_secondary'), 0, stack + THREAD_SIZE - PT_REGS_SIZE];
    const bytes = new Uint8Array(AP_CPU_OFFSET + 4);
    const view = new DataView(bytes.buffer);
    for (const [index, name] of SECONDARY_VARIABLES.entries()) {
      const value = BigInt(values[index] ?? 0);
      k.writeU64(k.sym(name), value);
      view.setBigInt64(index * 8, value, true);
    }
    view.setUint32(AP_CPU_OFFSET, cpu, true);
    k.trace.recorder.produced(`AP ${String(cpu)}`, bytes);
    k.fn.init_espfix_ap(cpu);
    k.fn.printk(`.... node  #0, CPUs: #${String(cpu)}`);

    k.fn.smpboot_setup_warm_reset_vector(start);
    k.fn.apic_write(APIC_REGISTER.ESR, 0);
    cpumask_clear_cpu(k, cpu, 'cpu_initialized_mask');
    k.fn.wakeup_secondary_cpu_via_init(apicid, start);
    let error = -1;
    k.fn['do_boot_cpu:schedule'](apicid, () => {
      k.fn.trampoline_start();
    });
    // The kernel polls for ten seconds; a CPU that has not set its bit after one run never does (our choice).
    if (cpumask_test_cpu(k, cpu, 'cpu_initialized_mask')) {
      cpumask_set_cpu(k, cpu, 'cpu_callout_mask');
      error = 0;
      k.fn['do_boot_cpu:schedule'](apicid, () => {
        k.fn['start_secondary:callout']();
      });
      if (!cpumask_test_cpu(k, cpu, 'cpu_callin_mask')) {
        throw new BootEnd('hung', 'do_boot_cpu', `CPU ${String(cpu)} is not in cpu_callin_mask`);
      }
    }
    k.writeU32(status, 0);
    k.fn.smpboot_restore_warm_reset_vector();
    return error;
  }),

  'do_boot_cpu:schedule': inline((k: Kernel, apicid: number, go: () => void) => {
    // Only a CPU that the machine has running executes: the IPIs may not have reached it.
    if (apicid === k.cpu.id || k.machine.cpus[apicid]?.activity !== ACTIVITY.running) return;
    try {
      k.on(apicid, go);
    } catch (error) {
      if (!(error instanceof CpuLost)) throw error;
    }
  }),

  smpboot_setup_warm_reset_vector: inline((k: Kernel, startEip: number) => {
    __flush_tlb(k);
    k.writeU16(k.__va(TRAMPOLINE_PHYS_HIGH), startEip >> PARAGRAPH_SHIFT);
    k.writeU16(k.__va(TRAMPOLINE_PHYS_LOW), startEip & PARAGRAPH_MASK);
  }),
  smpboot_restore_warm_reset_vector: inline((k: Kernel) => {
    __flush_tlb(k);
    k.writeU32(k.__va(TRAMPOLINE_PHYS_LOW), 0);
  }),

  wakeup_secondary_cpu_via_init: fn((k: Kernel, apicid: number, startEip: number) => {
    const send = (low: number, what: string, at?: number): void => {
      const vector = at === undefined ? {} : { vector: Math.floor(at / 4096) & 0xff };
      k.trace.emit('ipi', { to: apicid, ...vector, what });
      k.fn.apic_icr_write(low, apicid);
    };
    const init = { MESSAGE_TYPE: MESSAGE_TYPE.INIT, LEVEL_TRIGGERED: 1 };
    send(icr({ ...init, ASSERT: 1 }), 'INIT');
    send(icr(init), 'INIT deassert');
    for (let i = 0; i < STARTUPS; i++) {
      k.fn.apic_write(APIC_REGISTER.ESR, 0);
      const startup = { MESSAGE_TYPE: MESSAGE_TYPE.STARTUP, VECTOR: Math.floor(startEip / 4096) };
      send(icr(startup), 'STARTUP', startEip);
    }
  }, true),
});
