/** arch/x86/kernel/acpi/boot.c: ACPI tables at boot. */
import { kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

declare module './table.js' {
  interface Entries {
    acpi_boot_table_init(k: Kernel): void;
  }
}

export const acpiBoot = kernelFile('arch/x86/kernel/acpi/boot.c', {
  acpi_boot_table_init: label(() => undefined),
});
