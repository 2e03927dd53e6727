/** drivers/acpi/acpica/tbutils.c, tbinstal.c and tbfadt.c: listing the tables that the RSDP points to. */
import { own } from '../../../../base/own.js';
import { latin1 } from '../../../../base/bytes.js';
import { hex } from '../../../../machine/address.js';
import { stateSlice } from '../../../../kernel/state.js';
import { fn, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

/** An entry of acpi_gbl_root_table_list (struct acpi_table_desc, actbl.h). */
export interface TableDesc {
  /** Physical address. */
  readonly address: number;
  /** Bytes, from the header when the table was installed: it is not read again. */
  readonly length: number;
  /** Virtual address of the permanent mapping; 0 without one. */
  pointer: number;
}

/** ACPI state of the kernel outside simulated memory. */
export interface AcpiState {
  disabled: boolean;
  /** acpi_gbl_permanent_mmap: early mappings are no longer used. */
  permanent_mmap: boolean;
  /** Tables by signature; of several with one signature, the first. */
  tables: Record<string, TableDesc>;
}

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Lists the tables; false where the kernel continues without ACPI. */
    acpi_tb_parse_root_table(k: Kernel, rsdp: number): boolean;
  }
}

declare module '../../../../kernel/state.js' {
  interface KernelState {
    acpi: AcpiState;
  }
}
export const acpiState = stateSlice(() => ({
  acpi: { disabled: false, permanent_mmap: false, tables: {} },
}));

/** struct acpi_table_rsdp (actbl.h). */
export const ACPI_TABLE_RSDP = {
  signature: 0,
  checksum: 8,
  oem_id: 9,
  revision: 15,
  rsdt_physical_address: 16,
  length: 20,
  xsdt_physical_address: 24,
  extended_checksum: 32,
  size: 36,
} as const;
/** struct acpi_table_header (actbl.h). */
export const ACPI_TABLE_HEADER = {
  signature: 0,
  length: 4,
  revision: 8,
  checksum: 9,
  oem_id: 10,
  oem_table_id: 16,
  size: 36,
} as const;
/** struct acpi_table_fadt (actbl.h), the fields read here; `size` is the end of Xdsdt. */
export const ACPI_TABLE_FADT = { facs: 36, dsdt: 40, Xfacs: 132, Xdsdt: 140, size: 148 } as const;
const SIGNATURE_SIZE = 4;

const XSDT_ENTRY_SIZE = 8;
const RSDT_ENTRY_SIZE = 4;

export const sum = (bytes: Uint8Array): number =>
  bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
/** acpi_tb_fix_string() */
const printed = (bytes: Uint8Array): string => latin1(bytes).replace(/[^\x20-\x7e]/g, '?');

function printHeader(k: Kernel, phys: number, header: Uint8Array): void {
  const view = new DataView(header.buffer, header.byteOffset);
  const signature = printed(header.subarray(0, SIGNATURE_SIZE));
  const length = view.getUint32(ACPI_TABLE_HEADER.length, true).toString(16).padStart(6, '0');
  // The FACS has a signature and a length only.
  if (signature === 'FACS') {
    k.fn.printk(`ACPI: FACS ${hex(phys)} ${length}`);
    return;
  }
  const revision = String(header[ACPI_TABLE_HEADER.revision]).padStart(2, '0');
  const oem = printed(header.subarray(ACPI_TABLE_HEADER.oem_id, ACPI_TABLE_HEADER.oem_table_id));
  k.fn.printk(`ACPI: ${signature} ${hex(phys)} ${length} (v${revision} ${oem})`);
}

/** Maps `size` bytes at `phys`, copies and unmaps them; undefined where the mapping fails. */
export function readPhysical(k: Kernel, phys: number, size: number): Uint8Array | undefined {
  const at = k.fn.acpi_os_map_memory(phys, size);
  if (at === 0) return undefined;
  const bytes = k.readBytes(at, size);
  k.fn.acpi_os_unmap_memory(at, size);
  return bytes;
}

/** acpi_tb_install_standard_table(), without checksums: they are not verified this early. */
function install(k: Kernel, phys: number, expected?: string): void {
  const header = readPhysical(k, phys, ACPI_TABLE_HEADER.size);
  if (header === undefined) return;
  const signature = latin1(header.subarray(0, SIGNATURE_SIZE));
  if (expected !== undefined && signature !== expected) {
    const found = printed(header.subarray(0, SIGNATURE_SIZE));
    k.fn.printk(`ACPI BIOS Error (bug): Invalid signature [${found}], expected [${expected}]`);
    return;
  }
  printHeader(k, phys, header);
  // acpi_tb_init_table_descriptor()
  const length = new DataView(header.buffer).getUint32(ACPI_TABLE_HEADER.length, true);
  if (own(k.state.acpi.tables, signature) === undefined) {
    k.state.acpi.tables[signature] = { address: phys, length, pointer: 0 };
  }
  if (signature === 'FACP') parseFadt(k, phys, header);
}

/** acpi_tb_parse_fadt(): installs the tables that only the FADT points to. */
function parseFadt(k: Kernel, phys: number, header: Uint8Array): void {
  const length = new DataView(header.buffer).getUint32(ACPI_TABLE_HEADER.length, true);
  const bytes = readPhysical(k, phys, length);
  if (bytes === undefined || length < ACPI_TABLE_FADT.size) return;
  k.trace.recorder.consumed('FADT', 'acpi_tb_parse_fadt', bytes);
  const view = new DataView(bytes.buffer);
  const low = (at: number): number => view.getUint32(at, true);
  const high = (at: number): number => Number(view.getBigUint64(at, true));
  // acpi_tb_convert_fadt(): the 64-bit pointer, if it is not 0.
  const dsdt = high(ACPI_TABLE_FADT.Xdsdt) || low(ACPI_TABLE_FADT.dsdt);
  if (dsdt !== 0) install(k, dsdt, 'DSDT');
  const facs = [low(ACPI_TABLE_FADT.facs), high(ACPI_TABLE_FADT.Xfacs)];
  for (const each of facs) if (each !== 0) install(k, each, 'FACS');
}

export const acpiTables = bodies({
  // EFI's pointer is used without a check of the RSDP's signature or checksum.
  acpi_tb_parse_root_table: fn((k: Kernel, phys: number) => {
    const rsdp = readPhysical(k, phys, ACPI_TABLE_RSDP.size);
    if (rsdp === undefined) return false;
    k.trace.recorder.consumed('RSDP', 'acpi_tb_parse_root_table', rsdp);
    const view = new DataView(rsdp.buffer);
    const revision = rsdp[ACPI_TABLE_RSDP.revision] ?? 0;
    const oem = printed(rsdp.subarray(ACPI_TABLE_RSDP.oem_id, ACPI_TABLE_RSDP.revision));
    k.fn.printk(`ACPI: RSDP ${hex(phys)} (v${String(revision).padStart(2, '0')} ${oem})`);
    const xsdt = Number(view.getBigUint64(ACPI_TABLE_RSDP.xsdt_physical_address, true));
    const [root, entry] =
      revision > 1 && xsdt !== 0 && !k.state.params.doNotUseXsdt
        ? [xsdt, XSDT_ENTRY_SIZE]
        : [view.getUint32(ACPI_TABLE_RSDP.rsdt_physical_address, true), RSDT_ENTRY_SIZE];
    const header = readPhysical(k, root, ACPI_TABLE_HEADER.size);
    if (header === undefined) return false;
    printHeader(k, root, header);
    const length = new DataView(header.buffer).getUint32(ACPI_TABLE_HEADER.length, true);
    if (length < ACPI_TABLE_HEADER.size + entry) {
      k.fn.printk(`ACPI BIOS Error (bug): Invalid table length ${hex(length)} in RSDT/XSDT`);
      return false;
    }
    const at = k.fn.acpi_os_map_memory(root, length);
    if (at === 0) return false;
    const bytes = k.readBytes(at, length);
    const name = entry === XSDT_ENTRY_SIZE ? 'XSDT' : 'RSDT';
    k.trace.recorder.consumed(name, 'acpi_tb_parse_root_table', bytes);
    if (sum(bytes) !== 0) {
      // A warning only: ACPI_CHECKSUM_ABORT is off.
      const signature = printed(bytes.subarray(0, SIGNATURE_SIZE));
      k.fn.printk(`ACPI BIOS Warning (bug): Incorrect checksum in table [${signature}]`);
    }
    const entries = new DataView(bytes.buffer);
    for (let offset: number = ACPI_TABLE_HEADER.size; offset + entry <= length; offset += entry) {
      const table =
        entry === XSDT_ENTRY_SIZE
          ? Number(entries.getBigUint64(offset, true))
          : entries.getUint32(offset, true);
      if (table !== 0) install(k, table);
    }
    k.fn.acpi_os_unmap_memory(at, length);
    return true;
  }),
});
