/** drivers/acpi/bus.c: ACPI after early boot. */
import { fn, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    acpi_early_init(k: Kernel): void;
  }
}

export const acpiBus = bodies({
  acpi_early_init: fn((k: Kernel) => {
    if (!k.state.acpi.disabled) k.state.acpi.permanent_mmap = true;
  }, true),
});
