/** drivers/acpi/osl.c: the RSDP's address, and mappings of ACPI tables. */
import { alignDown, alignUp, PAGE_SIZE, va, type Va } from '../../../machine/address.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Physical address of the RSDP; 0 where there is none. */
    acpi_os_get_root_pointer(k: Kernel): number;
    acpi_os_map_memory(k: Kernel, phys: number, size: number): Va | 0;
    /** Unmaps a table that acpi_get_table() mapped, while mappings are early ones; later mappings are permanent. */
    early_acpi_os_unmap_memory(k: Kernel, address: Va, size: number): void;
    acpi_os_unmap_memory(k: Kernel, address: Va, size: number): void;
  }
}

export const acpiOsl = bodies({
  acpi_os_get_root_pointer: inline((k: Kernel) => {
    if (k.state.params.acpiRsdp !== 0) return k.state.params.acpiRsdp;
    if (!k.fn.efi_enabled('EFI_CONFIG_TABLES')) return k.fn.acpi_find_root_pointer();
    const { acpi20, acpi } = k.state.efi.tables;
    const found = acpi20 ?? acpi;
    if (found === undefined) k.fn.printk('ACPI: System description tables not found');
    return found ?? 0;
  }),

  acpi_os_map_memory: inline((k: Kernel, phys: number, size: number): Va | 0 => {
    if (!k.state.acpi.permanent_mmap) return k.fn.__acpi_map_table(phys, size);
    const start = alignDown(phys, PAGE_SIZE);
    const length = alignUp(phys + size, PAGE_SIZE) - start;
    // acpi_map(): kmap() for RAM, that is the direct map, and one page at most.
    if (k.fn.page_is_ram(start / PAGE_SIZE)) return length > PAGE_SIZE ? 0 : k.__va(phys);
    const at = k.fn.ioremap_cache(start, length);
    return at === 0 ? 0 : va(at + (phys - start));
  }),

  early_acpi_os_unmap_memory: inline((k: Kernel, address: Va, size: number) => {
    if (!k.state.acpi.permanent_mmap) k.fn.__acpi_unmap_table(address, size);
  }),

  acpi_os_unmap_memory: inline((k: Kernel, address: Va, size: number) => {
    if (!k.state.acpi.permanent_mmap) k.fn.__acpi_unmap_table(address, size);
    else k.fn.memunmap(va(alignDown(address, PAGE_SIZE)));
  }),
});
