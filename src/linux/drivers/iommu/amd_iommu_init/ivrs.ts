/** drivers/iommu/amd_iommu_init.c, parsing the IVRS: the devices, and the IOMMU that translates for each. */
import { PAGE_SIZE, va, type Va } from '../../../../machine/address.js';
import { ACPI_TABLE_HEADER } from '../../acpi/acpica/tbutils.js';
import { tableOf } from '../amd_iommu/domain.js';
import {
  ALIAS_TABLE_ENTRY_SIZE,
  DEV_ENTRY,
  DEV_TABLE_ENTRY_SIZE,
  CMD_BUFFER_SIZE,
  EVT_BUFFER_SIZE,
  MMIO,
  RLOOKUP_TABLE_ENTRY_SIZE,
  type AmdIommuInstance,
} from '../amd_iommu_types.js';
import { BootEnd } from '../../../../kernel/ends.js';
import { EINVAL, ENODEV, ENOMEM } from '../../../include/uapi/asm-generic/errno-base.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { get_order } from '../../../arch/x86/kernel/pci-dma/pci-dma.js';
import { inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

/** IVRS_HEADER_LENGTH */
export const IVRS_HEADER_LENGTH = 48;
/** struct ivhd_header. */
export const IVHD_HEADER = {
  type: 0,
  flags: 1,
  length: 2,
  devid: 4,
  cap_ptr: 6,
  mmio_phys: 8,
  pci_seg: 16,
  info: 18,
  efr: 20,
  size: 24,
} as const;
/** struct ivhd_entry. */
export const IVHD_ENTRY = { type: 0, devid: 1, flags: 3, ext: 4 } as const;
const ACPI_IVHD_TYPE = 0x10;
export const IVHD_DEV = {
  ALL: 0x01,
  SELECT: 0x02,
  SELECT_RANGE_START: 0x03,
  RANGE_END: 0x04,
  ALIAS: 0x42,
  ALIAS_RANGE: 0x43,
  EXT_SELECT: 0x46,
  EXT_SELECT_RANGE: 0x47,
  SPECIAL: 0x48,
} as const;
const IVHD_SPECIAL_IOAPIC = 1;
const IVHD_SPECIAL_HPET = 2;
const SPECIALS: readonly number[] = [IVHD_SPECIAL_IOAPIC, IVHD_SPECIAL_HPET];
/** Performance counters: counters and banks in the extended features of an IVHD. */
const EFR_COUNTERS = 0xf << 13;
const EFR_BANKS = 0x3f << 17;

/** ACPI_DEVFLAG_*, with the bit of the device table entry that each sets. */
const DEVFLAGS = [
  [0x01, DEV_ENTRY.INIT_PASS],
  [0x02, DEV_ENTRY.EINT_PASS],
  [0x04, DEV_ENTRY.NMI_PASS],
  [0x10, DEV_ENTRY.SYSMGT1],
  [0x20, DEV_ENTRY.SYSMGT2],
  [0x40, DEV_ENTRY.LINT0_PASS],
  [0x80, DEV_ENTRY.LINT1_PASS],
] as const;

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Sets amd_iommu_last_bdf; negative where the table's checksum is wrong. */
    find_last_devid_acpi(k: Kernel, table: Va): number;
    /** Each returns 0 or a negative errno. */
    init_iommu_all(k: Kernel, table: Va): number;
    init_iommu_one(k: Kernel, ivhd: Va): number;
    init_iommu_from_acpi(k: Kernel, iommu: AmdIommuInstance, ivhd: Va): number;
    set_dev_entry_bit(k: Kernel, devid: number, bit: number): void;
    get_dev_entry_bit(k: Kernel, devid: number, bit: number): boolean;
    amd_iommu_apply_erratum_63(k: Kernel, devid: number): void;
    set_dev_entry_from_acpi(k: Kernel, iommu: AmdIommuInstance, devid: number, flags: number): void;
    /** Sets bits in the entries of all devices, from 0 to the last. */
    'for_each_devid:set_dev_entry_bits'(k: Kernel, ...bits: number[]): void;
  }
}

/** Bytes summed per read: chunks before a fault count as read (our choice). */
const CHUNK = PAGE_SIZE;

/** The sum of a table's bytes, over the length in its header. */
function checksum(k: Kernel, table: Va): number {
  const length = k.readU32(va(table + ACPI_TABLE_HEADER.length));
  let sum = 0;
  for (let at = 0; at < length; at += CHUNK) {
    const bytes = k.readBytes(va(table + at), Math.min(CHUNK, length - at));
    // By index: garbage may state a length of gigabytes, and iterating takes five times as long.
    let i = 0;
    while (i < bytes.length) sum = (sum + (bytes[i++] ?? 0)) & 0xff;
  }
  return sum;
}

/** The IVHD blocks of a table, read lazily. */
function* ivhdBlocks(k: Kernel, table: Va): Generator<Va> {
  const end = k.readU32(va(table + ACPI_TABLE_HEADER.length));
  for (let at = IVRS_HEADER_LENGTH; at < end;) {
    const block = va(table + at);
    if (k.readU8(block) === ACPI_IVHD_TYPE) yield block;
    const length = k.readU16(va(block + IVHD_HEADER.length));
    if (length === 0) {
      throw new BootEnd('hung', k.current?.name ?? '?', 'an IVRS block has a length of 0');
    }
    at += length;
  }
}

interface IvhdEntry {
  readonly type: number;
  readonly devid: number;
  readonly flags: number;
  readonly ext: number;
}

/** Entries of a block, read lazily. */
function* ivhdEntries(k: Kernel, ivhd: Va): Generator<IvhdEntry> {
  const end = ivhd + k.readU16(va(ivhd + IVHD_HEADER.length));
  for (let at = ivhd + IVHD_HEADER.size; at < end;) {
    const type = k.readU8(va(at));
    // ivhd_entry_length(): 4 bytes times 2 to the power of the type's two high bits.
    const length = 4 << (type >> 6);
    yield {
      type,
      devid: k.readU16(va(at + IVHD_ENTRY.devid)),
      flags: k.readU8(va(at + IVHD_ENTRY.flags)),
      ext: length > 4 ? k.readU32(va(at + IVHD_ENTRY.ext)) : 0,
    };
    at += length;
  }
}

/** Device id that find_last_devid_from_ivhd() takes from an entry; other entry types do not count. */
const LAST_DEVID: Readonly<Record<number, (entry: IvhdEntry) => number>> = {
  [IVHD_DEV.ALL]: () => 0xffff,
  [IVHD_DEV.SELECT]: ({ devid }) => devid,
  [IVHD_DEV.RANGE_END]: ({ devid }) => devid,
  [IVHD_DEV.ALIAS]: ({ devid }) => devid,
  [IVHD_DEV.EXT_SELECT]: ({ devid }) => devid,
};

/** A range whose RANGE_END entry has not been read yet. */
interface OpenRange {
  readonly start: number;
  readonly flags: number;
  readonly alias?: number;
}

/** Handles an entry in init_iommu_from_acpi(); returns the range that it opens, if any. */
type EntryHandler = (
  k: Kernel,
  iommu: AmdIommuInstance,
  entry: IvhdEntry,
  range: OpenRange,
) => OpenRange | undefined;

const setAlias = (k: Kernel, devid: number, alias: number): void => {
  k.writeU16(va(tableOf(k, 'amd_iommu_alias_table') + devid * ALIAS_TABLE_ENTRY_SIZE), alias);
};
const select: EntryHandler = (k, iommu, { devid, flags }) => {
  k.fn.set_dev_entry_from_acpi(iommu, devid, flags);
  return undefined;
};
const begin: EntryHandler = (_k, _iommu, { devid, flags }) => ({ start: devid, flags });

const ENTRY_HANDLERS: Readonly<Record<number, EntryHandler>> = {
  [IVHD_DEV.ALL]: (k, iommu, { flags }) => {
    for (let devid = 0; devid <= k.state.amdIommu.last_bdf; devid++) {
      k.fn.set_dev_entry_from_acpi(iommu, devid, flags);
    }
    return undefined;
  },
  [IVHD_DEV.SELECT]: select,
  [IVHD_DEV.EXT_SELECT]: select,
  [IVHD_DEV.SELECT_RANGE_START]: begin,
  [IVHD_DEV.EXT_SELECT_RANGE]: begin,
  [IVHD_DEV.ALIAS]: (k, iommu, { devid, flags, ext }) => {
    const alias = (ext >>> 8) & 0xffff;
    k.fn.set_dev_entry_from_acpi(iommu, devid, flags);
    k.fn.set_dev_entry_from_acpi(iommu, alias, flags);
    setAlias(k, devid, alias);
    return undefined;
  },
  [IVHD_DEV.ALIAS_RANGE]: (_k, _iommu, { devid, flags, ext }) => ({
    start: devid,
    flags,
    alias: (ext >>> 8) & 0xffff,
  }),
  [IVHD_DEV.RANGE_END]: (k, iommu, { devid: last }, { start, flags, alias }) => {
    for (let devid = start; devid <= last; devid++) {
      if (alias !== undefined) {
        setAlias(k, devid, alias);
        k.fn.set_dev_entry_from_acpi(iommu, alias, flags);
      }
      k.fn.set_dev_entry_from_acpi(iommu, devid, flags);
    }
    return undefined;
  },
  [IVHD_DEV.SPECIAL]: (k, iommu, { flags, ext }) => {
    const devid = (ext >>> 8) & 0xffff;
    // add_special_device(); HPETs are not modelled.
    if (ext >>> 24 === IVHD_SPECIAL_IOAPIC) {
      k.state.amdIommu.ioapic_map.push({ id: ext & 0xff, devid });
    }
    k.fn.set_dev_entry_from_acpi(iommu, devid, flags);
    return undefined;
  },
};

/** The quadword of a device's entry that a bit is in. */
function quadOf(k: Kernel, devid: number, bit: number): Va {
  const table = tableOf(k, 'amd_iommu_dev_table');
  return va(table + devid * DEV_TABLE_ENTRY_SIZE + (bit >> 6) * 8);
}
const MASKS = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
const maskOf = (bit: number): bigint => MASKS[bit & 0x3f] ?? 0n;

export const amdIommuIvrs = bodies({
  find_last_devid_acpi: inline((k: Kernel, table: Va) => {
    if (checksum(k, table) !== 0) return -ENODEV;
    for (const ivhd of ivhdBlocks(k, table)) {
      for (const entry of ivhdEntries(k, ivhd)) {
        const devid = LAST_DEVID[entry.type]?.(entry) ?? 0;
        k.state.amdIommu.last_bdf = Math.max(k.state.amdIommu.last_bdf, devid);
      }
    }
    return 0;
  }),

  init_iommu_all: inline((k: Kernel, table: Va) => {
    for (const ivhd of ivhdBlocks(k, table)) {
      const ret = k.fn.init_iommu_one(ivhd);
      if (ret !== 0) return ret;
    }
    return 0;
  }),

  init_iommu_one: inline((k: Kernel, ivhd: Va) => {
    const at = k.fn.get_zeroed_page(GFP.KERNEL);
    if (at === 0) return -ENOMEM;
    const efr = k.readU32(va(ivhd + IVHD_HEADER.efr));
    const counters = (efr & EFR_COUNTERS) !== 0 && (efr & EFR_BANKS) !== 0;
    const mmio_phys = Number(k.readU64(va(ivhd + IVHD_HEADER.mmio_phys)));
    const mmio_base = k.fn.ioremap_nocache(mmio_phys, counters ? MMIO.REG_END : MMIO.CNTR_CONF);
    if (mmio_base === 0) return -ENOMEM;
    // alloc_command_buffer(), alloc_event_buffer(): __GFP_ZERO
    const cmd_buf = k.fn.__get_free_pages(GFP.KERNEL, get_order(CMD_BUFFER_SIZE));
    const evt_buf = k.fn.__get_free_pages(GFP.KERNEL, get_order(EVT_BUFFER_SIZE));
    if (cmd_buf === 0 || evt_buf === 0) return -ENOMEM;
    k.memset(cmd_buf, 0, CMD_BUFFER_SIZE);
    k.memset(evt_buf, 0, EVT_BUFFER_SIZE);
    const { iommus } = k.state.amdIommu;
    const iommu: AmdIommuInstance = {
      at,
      index: iommus.length,
      devid: k.readU16(va(ivhd + IVHD_HEADER.devid)),
      cap_ptr: k.readU16(va(ivhd + IVHD_HEADER.cap_ptr)),
      acpi_flags: k.readU8(va(ivhd + IVHD_HEADER.flags)),
      mmio_phys,
      mmio_base,
      cmd_buf,
      evt_buf,
      cap: 0,
      features: 0n,
      need_sync: false,
      int_enabled: false,
    };
    iommus.push(iommu);
    const ret = k.fn.init_iommu_from_acpi(iommu, ivhd);
    if (ret !== 0) return ret;
    // The IOMMU does not translate itself, regardless of the table.
    const table = tableOf(k, 'amd_iommu_rlookup_table');
    k.writeU64(va(table + iommu.devid * RLOOKUP_TABLE_ENTRY_SIZE), 0n);
    return 0;
  }),

  init_iommu_from_acpi: inline((k: Kernel, iommu: AmdIommuInstance, ivhd: Va) => {
    let range: OpenRange = { start: 0, flags: 0 };
    for (const entry of ivhdEntries(k, ivhd)) {
      // add_special_device() accepts I/O APICs and HPETs; what earlier entries set stays.
      if (entry.type === IVHD_DEV.SPECIAL && !SPECIALS.includes(entry.ext >>> 24)) return -EINVAL;
      range = ENTRY_HANDLERS[entry.type]?.(k, iommu, entry, range) ?? range;
    }
    return 0;
  }),

  set_dev_entry_bit: inline((k: Kernel, devid: number, bit: number) => {
    const at = quadOf(k, devid, bit);
    k.writeU64(at, k.readU64(at) | maskOf(bit));
  }),
  get_dev_entry_bit: inline((k: Kernel, devid: number, bit: number) => {
    return (k.readU64(quadOf(k, devid, bit)) & maskOf(bit)) !== 0n;
  }),
  amd_iommu_apply_erratum_63: inline((k: Kernel, devid: number) => {
    const low = k.fn.get_dev_entry_bit(devid, DEV_ENTRY.SYSMGT1);
    const high = k.fn.get_dev_entry_bit(devid, DEV_ENTRY.SYSMGT2);
    if (low && !high) k.fn.set_dev_entry_bit(devid, DEV_ENTRY.IW);
  }),
  set_dev_entry_from_acpi: inline(
    (k: Kernel, iommu: AmdIommuInstance, devid: number, flags: number) => {
      for (const [flag, bit] of DEVFLAGS) {
        if ((flags & flag) !== 0) k.fn.set_dev_entry_bit(devid, bit);
      }
      k.fn.amd_iommu_apply_erratum_63(devid);
      // set_iommu_for_device()
      const table = tableOf(k, 'amd_iommu_rlookup_table');
      k.writeU64(va(table + devid * RLOOKUP_TABLE_ENTRY_SIZE), BigInt(iommu.at));
    },
  ),

  'for_each_devid:set_dev_entry_bits': inline((k: Kernel, ...bits: number[]) => {
    for (let devid = 0; devid <= k.state.amdIommu.last_bdf; devid++) {
      for (const bit of bits) k.fn.set_dev_entry_bit(devid, bit);
    }
  }),
});
