/** IVRS: the AMD IOMMU and the devices that it translates. */
import { concat } from '../../base/bytes.js';
import { Struct } from '../struct.js';
import { IVHD_10H, IVHD_ENTRY, IVHD_SPECIAL, IVRS } from './layout.js';
import { IO_APIC_ID } from './madt.js';
import { sdt, summed } from './sdt.js';

/** Physical address of the IOMMU's registers, and its device id 00:00.2 (our choice, as on EPYC). */
export const IOMMU_MMIO_BASE = 0xfeb8_0000;
export const IOMMU_DEVICE_ID = 0x0002;
/** The devices that it translates, first and last: 00:01.0 to 03:1f.7 (our choice). */
export const IOMMU_FIRST_DEVICE = 0x0008;
export const IOMMU_LAST_DEVICE = 0x03ff;
/** The FCH's device, which sends the I/O APIC's interrupts. */
const FCH_DEVICE_ID = 0x00a0;

const REVISION = 2;
/** IVinfo: guest virtual 48, physical 48, virtual 64 address bits (pub. 48882, 5.2.1). */
const IV_INFO = (2 << 5) | (48 << 8) | (64 << 15);
const TYPE_10H = 0x10;
/** Coherent, prefetches, translation of remote IOTLBs (pub. 48882, 5.2.2.1: Coherent, PreFSup, IotlbSup). */
const FLAGS = 0x20 | 0x40 | 0x10;
const CAPABILITY_OFFSET = 0x40;
/** IVHD device entry types (pub. 48882, table 96). */
export const IVHD = { RANGE_START: 3, RANGE_END: 4, SPECIAL: 0x48 } as const;
const VARIETY_IO_APIC = 1;
/** Legacy interrupts (LINT0, LINT1, NMI, ExtInt, INIT) pass (pub. 48882, table 97). */
const PASS_LEGACY = 0xd7;

export function ivrs(): Uint8Array {
  const device = (type: number, id: number): Struct =>
    new Struct(IVHD_ENTRY.size).u8(IVHD_ENTRY.Type, type).u16(IVHD_ENTRY.DeviceID, id);
  const entries = concat(
    [
      device(IVHD.RANGE_START, IOMMU_FIRST_DEVICE),
      device(IVHD.RANGE_END, IOMMU_LAST_DEVICE),
      new Struct(IVHD_SPECIAL.size)
        .u8(IVHD_SPECIAL.Type, IVHD.SPECIAL)
        .u8(IVHD_SPECIAL.DTESetting, PASS_LEGACY)
        .u8(IVHD_SPECIAL.Handle, IO_APIC_ID)
        .u16(IVHD_SPECIAL.SourceDeviceID, FCH_DEVICE_ID)
        .u8(IVHD_SPECIAL.Variety, VARIETY_IO_APIC),
    ].map((struct) => struct.bytes),
  );
  const ivhd = new Struct(IVHD_10H.size)
    .u8(IVHD_10H.Type, TYPE_10H)
    .u8(IVHD_10H.Flags, FLAGS)
    .u16(IVHD_10H.Length, IVHD_10H.size + entries.length)
    .u16(IVHD_10H.DeviceID, IOMMU_DEVICE_ID)
    .u16(IVHD_10H.CapabilityOffset, CAPABILITY_OFFSET)
    .u64(IVHD_10H.IOMMUBaseAddress, IOMMU_MMIO_BASE).bytes;
  return summed(
    sdt('IVRS', REVISION, IVRS.size + ivhd.length + entries.length)
      .u32(IVRS.IVinfo, IV_INFO)
      .put(IVRS.size, ivhd)
      .put(IVRS.size + ivhd.length, entries),
  );
}
