/** arch/x86/kernel/apic/apic.c: mapping and enabling the local APIC; the APIC ids of the CPUs. */
import { APIC_REGISTER } from '../../../../../../machine/devices/apic-registers.js';
import { FIX_APIC_BASE } from '../../../../../../kernel/constants.js';
import { fn, inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    register_lapic_address(k: Kernel, address: number): void;
    /** Enables the local APIC of the current CPU. */
    setup_local_APIC(k: Kernel): void;
    /** APIC ids of the processors that the firmware's tables list (phys_cpu_present_map), in their order. */
    phys_cpu_present_map(k: Kernel): readonly number[];
  }
}

/** APIC_SPIV (asm/apicdef.h) and the vector of spurious interrupts (asm/irq_vectors.h). */
const APIC_SPIV_APIC_ENABLED = 1 << 8;
const SPURIOUS_APIC_VECTOR = 0xff;

export const apic = bodies({
  register_lapic_address: fn((k: Kernel, address: number) => {
    k.fn.set_fixmap_nocache(FIX_APIC_BASE, address);
  }),
  // Only the enable bit, for sending IPIs: priorities and the local vector table belong to interrupts (not modelled).
  setup_local_APIC: inline((k: Kernel) => {
    const value = k.fn.apic_read(APIC_REGISTER.SPURIOUS) & ~SPURIOUS_APIC_VECTOR;
    k.fn.apic_write(APIC_REGISTER.SPURIOUS, value | APIC_SPIV_APIC_ENABLED | SPURIOUS_APIC_VECTOR);
  }),

  // generic_processor_info(), called for entries of the MADT, or of the MP table where there is none.
  // smp_sanity_check(): empty where neither table is valid.
  phys_cpu_present_map: inline(({ state: { madt, mp } }: Kernel) =>
    mp.foundConfig || madt.lapic
      ? [...madt.apicIds, ...mp.processors.map(({ apicid }) => apicid)]
      : [],
  ),
});
