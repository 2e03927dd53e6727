/** drivers/acpi/tables.c: finding the ACPI tables through the root pointer. */
import { EINVAL } from '../../include/uapi/asm-generic/errno-base.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** 0 or a negative errno. */
    acpi_table_init(k: Kernel): number;
  }
}

export const acpiTablesC = bodies({
  acpi_table_init: inline((k: Kernel) => {
    const rsdp = k.fn.acpi_os_get_root_pointer();
    return rsdp !== 0 && k.fn.acpi_tb_parse_root_table(rsdp) ? 0 : -EINVAL;
  }),
});
