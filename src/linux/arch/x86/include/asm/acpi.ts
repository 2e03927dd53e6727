/** arch/x86/include/asm/acpi.h: disabling ACPI. */
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    disable_acpi(k: Kernel): void;
  }
}

export const asmAcpi = bodies({
  disable_acpi: inline((k: Kernel) => {
    k.state.acpi.disabled = true;
    k.state.params.acpiNoirq = true;
  }),
});
