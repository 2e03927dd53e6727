/** drivers/firmware/dmi_scan.c: the SMBIOS tables. */
import { latin1 } from '../../../base/bytes.js';
import { va } from '../../../machine/address.js';
import { printable } from '../../arch/x86/kernel/setup/setup.js';
import { search } from '../../../kernel/searched.js';
import { stateSlice } from '../../../kernel/state.js';
import { fn, inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

/** Result of the scan: dmi_available, dmi_ver, and dmi_ident's strings. */
export interface DmiState {
  available: boolean;
  version: number;
  ident: Partial<Record<DmiIdent, string>>;
}

/** Slots of dmi_ident (include/linux/mod_devicetable.h, enum dmi_field), as far as the model reads them. */
export type DmiIdent =
  | 'DMI_BIOS_VENDOR'
  | 'DMI_BIOS_VERSION'
  | 'DMI_BIOS_DATE'
  | 'DMI_SYS_VENDOR'
  | 'DMI_PRODUCT_NAME'
  | 'DMI_BOARD_VENDOR'
  | 'DMI_BOARD_NAME';

declare module '../../../kernel/table.js' {
  interface Entries {
    dmi_scan_machine(k: Kernel): void;
    /** Each takes 32 bytes; true where they are an entry point whose table was walked. */
    dmi_present(k: Kernel, entry: Uint8Array): boolean;
    dmi_smbios3_present(k: Kernel, entry: Uint8Array): boolean;
    /** Walks a table of structures; false where it cannot be mapped. */
    dmi_walk_early(k: Kernel, table: DmiTable): boolean;
  }
}

declare module '../../../kernel/state.js' {
  interface KernelState {
    dmi: DmiState;
  }
}
export const dmiState = stateSlice(() => ({ dmi: { available: false, version: 0, ident: {} } }));

/** Where a table of structures is: physical address, bytes, number of structures (0: until the end marker). */
export interface DmiTable {
  readonly base: number;
  readonly length: number;
  readonly count: number;
}

/** 32-bit entry point (SMBIOS 3.0, 5.2.1); the part from _DMI_ on is its intermediate header. */
const ENTRY = { anchor: '_SM_', length: 5, major: 6, minor: 7, size: 31 } as const;
const INTERMEDIATE = { anchor: '_DMI_', at: 16, bytes: 15, length: 6, base: 8, count: 12, bcd: 14 };
/** 64-bit entry point (SMBIOS 3.0, 5.2.2). */
const ENTRY3 = {
  anchor: '_SM3_',
  length: 6,
  major: 7,
  minor: 8,
  docrev: 9,
  maximum: 12,
  base: 16,
  size: 24,
} as const;
/** struct dmi_header. */
const HEADER = { type: 0, length: 1, size: 4 } as const;
const DMI_ENTRY_END_OF_TABLE = 127;
const ENTRY_BYTES = 32;
const SCAN_BASE = 0xf_0000;
const SCAN_SIZE = 0x1_0000;
const SCAN_STEP = 16;
const SEARCH = {
  what: 'SMBIOS',
  by: 'dmi_scan_machine',
  length: SCAN_SIZE,
  signature: ENTRY.anchor,
  step: SCAN_STEP,
} as const;

/** Strings that dmi_decode() stores: type of structure, slot, offset of the string's number. */
const IDENTS: readonly (readonly [number, DmiIdent, number])[] = [
  [0, 'DMI_BIOS_VENDOR', 4],
  [0, 'DMI_BIOS_VERSION', 5],
  [0, 'DMI_BIOS_DATE', 8],
  [1, 'DMI_SYS_VENDOR', 4],
  [1, 'DMI_PRODUCT_NAME', 5],
  [2, 'DMI_BOARD_VENDOR', 4],
  [2, 'DMI_BOARD_NAME', 5],
];

const has = (bytes: Uint8Array, anchor: string): boolean =>
  latin1(bytes.subarray(0, anchor.length)) === anchor;
/** dmi_checksum() */
const checksumOk = (bytes: Uint8Array, length: number): boolean =>
  (bytes.subarray(0, length).reduce((sum, byte) => sum + byte, 0) & 0xff) === 0;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);

/** dmi_string_nosave(): the n-th string after a structure's formatted part. */
function stringOf(table: Uint8Array, strings: number, number: number): string {
  if (number === 0) return '';
  let at = strings;
  for (let n = 1; ; n++) {
    const end = table.indexOf(0, at);
    if (end < 0 || end === at) return '';
    if (n === number) return latin1(table.subarray(at, end));
    at = end + 1;
  }
}

/** dmi_decode_table() with dmi_decode(): every structure that ends within the table. */
function decode(k: Kernel, table: Uint8Array, count: number): void {
  const { ident } = k.state.dmi;
  const end = table.length;
  let at = 0;
  for (let i = 0; (count === 0 || i < count) && at + HEADER.size <= end; i++) {
    const start = at;
    const type = table[start + HEADER.type] ?? 0;
    const strings = start + (table[start + HEADER.length] ?? 0);
    at = strings;
    while (at < end - 1 && (table[at] !== 0 || table[at + 1] !== 0)) at++;
    if (at < end - 1) {
      for (const [structure, slot, offset] of IDENTS) {
        if (structure === type)
          ident[slot] ??= stringOf(table, strings, table[start + offset] ?? 0);
      }
    }
    at += 2;
    if (count === 0 && type === DMI_ENTRY_END_OF_TABLE) break;
  }
}

/** dmi_format_ids() */
function printIds(k: Kernel): void {
  const { ident } = k.state.dmi;
  // print_filtered()
  const text = (slot: DmiIdent): string => printable(ident[slot] ?? '');
  const board = ident.DMI_BOARD_NAME === undefined ? '' : `/${text('DMI_BOARD_NAME')}`;
  const system = `${text('DMI_SYS_VENDOR')} ${text('DMI_PRODUCT_NAME')}${board}`;
  k.fn.printk(`DMI: ${system}, BIOS ${text('DMI_BIOS_VERSION')} ${text('DMI_BIOS_DATE')}`);
}

/** The 32 bytes at an entry point; undefined where the mapping fails. */
function entryAt(k: Kernel, phys: number): Uint8Array | undefined {
  const at = k.fn.early_ioremap(phys, ENTRY_BYTES);
  if (at === 0) return undefined;
  const bytes = k.readBytes(at, ENTRY_BYTES);
  k.fn.early_iounmap(at, ENTRY_BYTES);
  return bytes;
}

/** With EFI: checks the entry points whose addresses are in the configuration tables. */
function byEfi(k: Kernel): boolean {
  const { smbios3, smbios } = k.state.efi.tables;
  if (smbios3 !== undefined) {
    const bytes = entryAt(k, smbios3);
    if (bytes === undefined) return false;
    k.trace.recorder.consumed('SMBIOS 3', 'dmi_scan_machine', bytes.slice(0, ENTRY3.size));
    if (k.fn.dmi_smbios3_present(bytes)) return true;
  }
  if (smbios === undefined) return false;
  const bytes = entryAt(k, smbios);
  if (bytes === undefined) return false;
  k.trace.recorder.consumed('SMBIOS', 'dmi_scan_machine', bytes.slice(0, ENTRY.size));
  return k.fn.dmi_present(bytes);
}

/** Without EFI: checks the 32 bytes at every 16th byte of the BIOS area. */
function byScan(k: Kernel): boolean {
  const at = k.fn.early_ioremap(SCAN_BASE, SCAN_SIZE);
  if (at === 0) return false;
  const ended = search(k, { ...SEARCH, at });
  const entry = new Uint8Array(ENTRY_BYTES);
  let found = false;
  for (let offset = 0; offset < SCAN_SIZE && !found; offset += SCAN_STEP) {
    // `entry` is the previous paragraph and this one; nothing after the entry point is read.
    entry.set(k.readBytes(va(at + offset), SCAN_STEP), SCAN_STEP);
    found = k.fn.dmi_smbios3_present(entry) || k.fn.dmi_present(entry);
    entry.copyWithin(0, SCAN_STEP);
  }
  ended(found);
  k.fn.early_iounmap(at, SCAN_SIZE);
  return found;
}

export const dmiScan = bodies({
  dmi_walk_early: inline((k: Kernel, { base, length, count }: DmiTable) => {
    const at = k.fn.early_ioremap(base, length);
    if (at === 0) return false;
    const bytes = k.readBytes(va(at), length);
    k.trace.recorder.consumed('SMBIOS structures', 'dmi_walk_early', bytes);
    decode(k, bytes, count);
    k.fn.early_iounmap(at, length);
    return true;
  }),

  dmi_smbios3_present: inline((k: Kernel, entry: Uint8Array) => {
    const length = entry[ENTRY3.length] ?? 0;
    if (!has(entry, ENTRY3.anchor) || length >= ENTRY_BYTES || !checksumOk(entry, length))
      return false;
    const view = viewOf(entry);
    const table = {
      base: Number(view.getBigUint64(ENTRY3.base, true)),
      length: view.getUint32(ENTRY3.maximum, true),
      count: 0,
    };
    if (!k.fn.dmi_walk_early(table)) return false;
    const [major, minor] = [entry[ENTRY3.major] ?? 0, entry[ENTRY3.minor] ?? 0];
    const docrev = entry[ENTRY3.docrev] ?? 0;
    k.state.dmi.version = (major << 16) | (minor << 8) | docrev;
    // The line with the system's names is a pr_debug() here (always printed since 4.13).
    k.fn.printk(`SMBIOS ${String(major)}.${String(minor)}.${String(docrev)} present.`);
    return true;
  }),

  dmi_present: inline((k: Kernel, entry: Uint8Array) => {
    const size = entry[ENTRY.length] ?? 0;
    const smbios = has(entry, ENTRY.anchor) && size < ENTRY_BYTES && checksumOk(entry, size);
    const dmi = entry.subarray(INTERMEDIATE.at);
    if (!has(dmi, INTERMEDIATE.anchor) || !checksumOk(dmi, INTERMEDIATE.bytes)) return false;
    const view = viewOf(dmi);
    const table = {
      base: view.getUint32(INTERMEDIATE.base, true),
      length: view.getUint16(INTERMEDIATE.length, true),
      count: view.getUint16(INTERMEDIATE.count, true),
    };
    if (!k.fn.dmi_walk_early(table)) return false;
    const bcd = dmi[INTERMEDIATE.bcd] ?? 0;
    const [major, minor] = smbios
      ? [entry[ENTRY.major] ?? 0, entry[ENTRY.minor] ?? 0]
      : [bcd >> 4, bcd & 0xf];
    k.state.dmi.version = (major << 16) | (minor << 8);
    const what = smbios ? 'SMBIOS' : 'Legacy DMI';
    k.fn.printk(`${what} ${String(major)}.${String(minor)} present.`);
    printIds(k);
    return true;
  }),

  dmi_scan_machine: fn((k: Kernel) => {
    const found = k.fn.efi_enabled('EFI_CONFIG_TABLES') ? byEfi(k) : byScan(k);
    k.state.dmi.available = found;
    if (!found) k.fn.printk('DMI not present or invalid.');
  }),
});
