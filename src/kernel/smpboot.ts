/** arch/x86/kernel/smpboot.c: starting other CPUs. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    native_smp_prepare_cpus(k: Kernel): void;
    smp_init(k: Kernel): void;
  }
}

export const smpboot = kernelFile('arch/x86/kernel/smpboot.c', {
  native_smp_prepare_cpus: label((k: Kernel) => {
    k.fn.enable_IR_x2apic();
  }),
  smp_init: label(() => undefined),
});
