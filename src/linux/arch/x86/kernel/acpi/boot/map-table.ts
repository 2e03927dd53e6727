/** arch/x86/kernel/acpi/boot.c: early mappings of ACPI tables. */
import type { Va } from '../../../../../../machine/address.js';
import { inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    __acpi_map_table(k: Kernel, phys: number, size: number): Va | 0;
    __acpi_unmap_table(k: Kernel, address: Va, size: number): void;
  }
}

export const acpiMapTable = bodies({
  __acpi_map_table: inline((k: Kernel, phys: number, size: number): Va | 0 =>
    phys === 0 || size === 0 ? 0 : k.fn.early_ioremap(phys, size),
  ),

  __acpi_unmap_table: inline((k: Kernel, address: Va, size: number) => {
    if (size !== 0) k.fn.early_iounmap(address, size);
  }),
});
