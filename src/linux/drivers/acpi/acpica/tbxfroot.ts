/** drivers/acpi/acpica/tbxfroot.c: the search for the RSDP in the EBDA and the BIOS area. */
import { latin1 } from '../../../../base/bytes.js';
import { search } from '../../../../kernel/searched.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import { ACPI_TABLE_RSDP, readPhysical, sum } from './tbutils.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    acpi_find_root_pointer(k: Kernel): number;
  }
}

/** actbl.h and acconfig.h: RSDP checksums, and the ranges that are searched. */
const RSDP_SIGNATURE = 'RSD PTR ';
const RSDP_CHECKSUM_LENGTH = 20;
const RSDP_SCAN_STEP = 16;
const SEARCH = {
  what: 'RSDP',
  by: 'acpi_find_root_pointer',
  signature: RSDP_SIGNATURE,
  step: RSDP_SCAN_STEP,
} as const;
const EBDA_PTR_LOCATION = 0x40e;
const EBDA_WINDOW_SIZE = 1024;
const HI_RSDP_WINDOW_BASE = 0xe_0000;
const HI_RSDP_WINDOW_SIZE = 0x2_0000;

/** acpi_tb_validate_rsdp() */
function isRsdp(bytes: Uint8Array): boolean {
  if (latin1(bytes.subarray(0, RSDP_SIGNATURE.length)) !== RSDP_SIGNATURE) return false;
  if (sum(bytes.subarray(0, RSDP_CHECKSUM_LENGTH)) !== 0) return false;
  return (
    (bytes[ACPI_TABLE_RSDP.revision] ?? 0) < 2 || sum(bytes.subarray(0, ACPI_TABLE_RSDP.size)) === 0
  );
}

/** acpi_tb_scan_memory_for_rsdp(): maps the window and checks each paragraph. */
function scan(k: Kernel, phys: number, size: number): number | undefined {
  const at = k.fn.acpi_os_map_memory(phys, size);
  if (at === 0) return undefined;
  const ended = search(k, { ...SEARCH, at, length: size });
  const bytes = k.readBytes(at, size);
  let found: number | undefined;
  for (let offset = 0; offset < size && found === undefined; offset += RSDP_SCAN_STEP) {
    if (isRsdp(bytes.subarray(offset))) found = phys + offset;
  }
  ended(found !== undefined);
  k.fn.acpi_os_unmap_memory(at, size);
  return found;
}

export const acpiRoot = bodies({
  acpi_find_root_pointer: inline((k: Kernel) => {
    const pointer = readPhysical(k, EBDA_PTR_LOCATION, 2);
    if (pointer === undefined) return 0;
    const ebda = new DataView(pointer.buffer).getUint16(0, true) * 16;
    const found =
      (ebda > 0x400 ? scan(k, ebda, EBDA_WINDOW_SIZE) : undefined) ??
      scan(k, HI_RSDP_WINDOW_BASE, HI_RSDP_WINDOW_SIZE);
    if (found !== undefined) return found;
    k.fn.printk('ACPI BIOS Error (bug): A valid RSDP was not found');
    return 0;
  }),
});
