/** arch/x86/kernel/machine_kexec_64.c: another kernel in this one's place. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    kernel_kexec(k: Kernel): void;
  }
}

export const machineKexec = kernelFile('arch/x86/kernel/machine_kexec_64.c', {
  kernel_kexec: label(() => undefined),
});
