/**
 * arch/x86/kernel/smpboot.c and cpu/common.c, as an AP runs them: start_secondary() up to the wait for the boot CPU,
 * and from the wait to the idle loop. Per-CPU GDT, TSS, system-call registers and FPU are not modelled.
 */
import { alignDown, va } from '../../../../../machine/address.js';
import { THREAD_SIZE } from '../../../../../kernel/constants.js';
import { CpuLost } from '../../../../../kernel/ends.js';
import { cpumask_set_cpu, cpumask_test_cpu } from '../../../../include/linux/cpumask.js';
import { bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** start_secondary() up to the wait in cpu_init() (wait_for_master_cpu). */
    start_secondary(k: Kernel): void;
    /** After the wait: the rest of cpu_init(), smp_callin() and so on, to the idle loop. */
    'start_secondary:callout'(k: Kernel): void;
  }
}

/** Offset of `cpu` in struct thread_info, which is at the lowest address of a stack (asm/thread_info.h). */
export const THREAD_INFO_CPU = 16;
/** Offset of the CPU number in the recorded startup data of an AP, after three 8-byte variables of head_64.S. */
export const AP_CPU_OFFSET = 24;

/** stack_smp_processor_id(): the CPU's number, from the thread_info of its stack. */
function stack_smp_processor_id(k: Kernel): number {
  const info = va(alignDown(k.cpu.rsp, THREAD_SIZE) + THREAD_INFO_CPU);
  const bytes = k.readBytes(info, 4);
  k.trace.recorder.consumedPart(`AP ${String(k.cpu.id)}`, 'cpu_init', AP_CPU_OFFSET, bytes);
  return new DataView(bytes.buffer).getUint32(0, true);
}

export const startSecondary = bodies({
  start_secondary: label((k: Kernel) => {
    k.enter('cpu_init');
    cpumask_set_cpu(k, stack_smp_processor_id(k), 'cpu_initialized_mask');
  }),

  'start_secondary:callout': label((k: Kernel) => {
    const cpu = stack_smp_processor_id(k);
    // wait_for_master_cpu() loops until the bit is set.
    if (!cpumask_test_cpu(k, cpu, 'cpu_callout_mask')) {
      throw new CpuLost(k.cpu.id, 'cpu_init', 'waits for cpu_callout_mask');
    }
    k.cpu.lidt(k.sym('idt_table'), 256 * 16 - 1);
    k.leave();
    k.fn.setup_local_APIC();
    // smp_callin(): identify_secondary_cpu() does not set memory types; mtrr_aps_init() does later.
    cpumask_set_cpu(k, cpu, 'cpu_callin_mask');
    cpumask_set_cpu(k, cpu, 'cpu_online_mask');
  }),
});
