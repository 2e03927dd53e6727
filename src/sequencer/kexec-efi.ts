/**
 * The EFI data that kexec-tools pass to the second kernel, from what the running kernel exports: the runtime map and the
 * firmware's addresses (sysfs), efi_info and the memory map of its boot_params (kexec/arch/i386/x86-linux-setup.c,
 * setup_efi_info, setup_efi_data; arch/x86/kernel/kexec-bzimage64.c does the same).
 */
import { BOOT_PARAMS } from '../firmware/boot-params.js';
import {
  EFI64_LOADER_SIGNATURE,
  EFI_INFO,
  EFI_MEMORY_DESCRIPTOR,
  EFI_SETUP_DATA,
  SETUP_DATA,
  SETUP_TYPE,
} from '../firmware/efi/layout.js';
import type { E820Range, Region } from '../firmware/placed.js';
import { Struct } from '../firmware/struct.js';
import type { Kernel } from '../kernel/kernel.js';
import { alignUp, KEY_PLAIN, pa, PAGE_SIZE, va } from '../machine/address.js';
import { readUnder } from '../machine/quiet.js';
import type { Machine } from '../machine/machine.js';
import type { Recorder } from '../trace/recorder.js';

/** The EFI data that is passed, as plain data. */
export interface PassedEfi {
  /** Descriptors of the runtime regions, with their virtual addresses, in the firmware's descriptor size. */
  readonly map: Uint8Array;
  readonly stride: number;
  readonly version: number;
  readonly systab: number;
  /** Physical addresses of vendor, runtime services, configuration tables and SMBIOS entry point. */
  readonly setup: Readonly<Record<'fw_vendor' | 'runtime' | 'tables' | 'smbios', bigint>>;
  /** The firmware's memory map from the running kernel's boot_params. */
  readonly e820: readonly E820Range[];
}

const HIGH = 2 ** 32;

/**
 * The EFI data of the running kernel; null without EFI or without a runtime map: kexec-tools then continue without EFI.
 */
export function passedEfi(k: Kernel): PassedEfi | null {
  const { systab, memmap, physSystab, runtimeMap, tables } = k.state.efi;
  if (systab === null || runtimeMap.length === 0) return null;
  const map = new Struct(runtimeMap.length * memmap.desc_size);
  for (const [index, md] of runtimeMap.entries()) {
    const at = index * memmap.desc_size;
    map
      .u32(at + EFI_MEMORY_DESCRIPTOR.Type, md.type)
      .u64(at + EFI_MEMORY_DESCRIPTOR.PhysicalStart, md.phys_addr)
      .u64(at + EFI_MEMORY_DESCRIPTOR.VirtualStart, md.virt_addr)
      .u64(at + EFI_MEMORY_DESCRIPTOR.NumberOfPages, md.num_pages)
      .u64(at + EFI_MEMORY_DESCRIPTOR.Attribute, md.attribute);
  }
  const count = k.readU8(va(k.sym('boot_params') + BOOT_PARAMS.e820_entries));
  return {
    map: map.bytes,
    stride: memmap.desc_size,
    version: memmap.desc_version,
    systab: physSystab,
    setup: {
      fw_vendor: systab.fw_vendor,
      runtime: systab.runtime,
      tables: systab.tables,
      smbios: BigInt(tables.smbios ?? 0),
    },
    e820: k.fn['boot_params:e820_map'](count).map(({ addr, size, type }) => ({
      base: Number(addr),
      size: Number(size),
      type,
    })),
  };
}

/** The passed data as a segment: the map, then the node of the setup_data chain. */
export interface EfiSegment {
  readonly bytes: Uint8Array;
  readonly memsz: number;
  readonly setupDataAt: number;
  readonly efiInfo: Uint8Array;
  readonly regions: readonly Region[];
  /** The node without its header. */
  readonly data: Uint8Array;
  readonly header: Uint8Array;
}

/** Bytes of the segment, in whole pages. */
export const efiRoom = ({ map }: PassedEfi): number =>
  alignUp(alignUp(map.length, 16) + SETUP_DATA.data + EFI_SETUP_DATA.size, PAGE_SIZE);

/** Builds the segment for a physical address. */
export function efiSegment(passed: PassedEfi, at: number): EfiSegment {
  const { map, setup, systab, stride, version } = passed;
  const node = alignUp(map.length, 16);
  const data = new Struct(EFI_SETUP_DATA.size);
  for (const name of ['fw_vendor', 'runtime', 'tables', 'smbios'] as const) {
    data.u64(EFI_SETUP_DATA[name], setup[name]);
  }
  const header = new Struct(SETUP_DATA.data)
    .u32(SETUP_DATA.type, SETUP_TYPE.EFI)
    .u32(SETUP_DATA.len, EFI_SETUP_DATA.size);
  const all = new Struct(node + SETUP_DATA.data + EFI_SETUP_DATA.size)
    .put(0, map)
    .put(node, header.bytes)
    .put(node + SETUP_DATA.data, data.bytes);
  const high = (address: number): number => Math.floor(address / HIGH);
  const efiInfo = new Struct(EFI_INFO.size)
    .u32(EFI_INFO.efi_loader_signature, EFI64_LOADER_SIGNATURE)
    .u32(EFI_INFO.efi_systab, systab % HIGH)
    .u32(EFI_INFO.efi_systab_hi, high(systab))
    .u32(EFI_INFO.efi_memdesc_size, stride)
    .u32(EFI_INFO.efi_memdesc_version, version)
    .u32(EFI_INFO.efi_memmap, at % HIGH)
    .u32(EFI_INFO.efi_memmap_hi, high(at))
    .u32(EFI_INFO.efi_memmap_size, map.length);
  return {
    bytes: all.bytes,
    memsz: efiRoom(passed),
    setupDataAt: at + node,
    efiInfo: efiInfo.bytes,
    regions: [
      { name: 'EFI runtime map', base: at, size: map.length },
      { name: 'EFI setup data', base: at + node, size: SETUP_DATA.data + EFI_SETUP_DATA.size },
    ],
    data: data.bytes,
    header: header.bytes,
  };
}

/** Firmware tables that SetVirtualAddressMap() changes: the second kernel should get their present bytes. */
const CHANGED = ['EFI system table', 'EFI runtime services', 'EFI configuration tables'] as const;

/** Records the EFI data for the second kernel as produced. */
export function produceEfi(
  recorder: Recorder,
  machine: Machine,
  segment: EfiSegment,
  map: Uint8Array,
  blobs: readonly { readonly name: string; readonly base: number; readonly bytes: Uint8Array }[],
): void {
  recorder.produced('EFI memory map', map);
  recorder.produced('setup_data[0]', segment.header);
  recorder.produced('EFI setup data', segment.data);
  for (const name of CHANGED) {
    const blob = blobs.find((each) => each.name === name);
    if (blob !== undefined) {
      recorder.produced(name, readUnder(machine, pa(blob.base), blob.bytes.length, KEY_PLAIN));
    }
  }
}
