/** drivers/acpi/acpica/tbxface.c: mapping a table by its signature. */
import { own } from '../../../../base/own.js';
import { va, type Va } from '../../../../machine/address.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Maps a table by its signature; undefined where there is none, or the mapping fails. */
    acpi_get_table(k: Kernel, signature: string): MappedTable | undefined;
  }
}

/** A mapped table: virtual address, and length in bytes. */
export interface MappedTable {
  readonly address: Va;
  readonly size: number;
}

export const acpiGetTable = bodies({
  // acpi_get_table_with_size(): the length is the descriptor's; the header is not read again.
  acpi_get_table: inline((k: Kernel, signature: string): MappedTable | undefined => {
    const desc = k.state.acpi.disabled ? undefined : own(k.state.acpi.tables, signature);
    if (desc === undefined) return undefined;
    const address = desc.pointer || k.fn.acpi_os_map_memory(desc.address, desc.length);
    if (address === 0) return undefined;
    if (k.state.acpi.permanent_mmap) desc.pointer = address;
    return { address: va(address), size: desc.length };
  }),
});
