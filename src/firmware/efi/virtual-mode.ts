/** SetVirtualAddressMap() (UEFI 8.4), in the order of EDK2's runtime driver (MdeModulePkg/Core/RuntimeDxe/Runtime.c). */
import { PAGE_SHIFT, vaAdd, type Va } from '../../machine/address.js';
import { crc32 } from '../crc32.js';
import {
  EFI_MEMORY,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_DESCRIPTOR_VERSION,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_TABLE,
  EFI_TABLE_HDR,
} from './layout.js';
import type { RuntimeCall } from './runtime-call.js';
import { RUNTIME_DATA } from './runtime-image.js';
import { EFI_STATUS } from './status.js';
import { RUNTIME_SERVICE_NAMES } from './tables.js';

/** The caller's map: descriptors with virtual addresses, with the caller's descriptor size. */
interface VirtualMap {
  readonly at: Va;
  readonly stride: number;
  readonly count: number;
}

/** SetVirtualAddressMap(MemoryMapSize, DescriptorSize, DescriptorVersion, *VirtualMap). */
export function setVirtualAddressMap(call: RuntimeCall): bigint {
  const { data } = call;
  // Only once, and only at runtime (UEFI 8.4: EFI_UNSUPPORTED).
  const atRuntime = call.u32(vaAdd(data, RUNTIME_DATA.AtRuntime));
  const virtual = call.u32(vaAdd(data, RUNTIME_DATA.VirtualMode));
  if (atRuntime !== 1 || virtual !== 0) return EFI_STATUS.UNSUPPORTED;
  const size = call.arg(0);
  const stride = call.arg(1);
  const version = call.arg(2) & 0xffff_ffffn;
  if (version !== BigInt(EFI_MEMORY_DESCRIPTOR_VERSION)) return EFI_STATUS.INVALID_PARAMETER;
  if (stride < BigInt(EFI_MEMORY_DESCRIPTOR.size)) return EFI_STATUS.INVALID_PARAMETER;
  const map = {
    at: call.address(call.arg(3)),
    stride: Number(stride),
    count: Number(size / stride),
  };
  return convertAll(call, map) ? EFI_STATUS.SUCCESS : EFI_STATUS.NO_MAPPING;
}

/** Converts the pointers in the tables and in the driver's data; false if the map lacks an address. */
function convertAll(call: RuntimeCall, map: VirtualMap): boolean {
  const { data } = call;
  const table = (field: number): Va => call.address(call.u64(vaAdd(data, field)));
  // Both tables are still accessed at their physical addresses.
  const runtimeServices = table(RUNTIME_DATA.RuntimeServices);
  const systemTable = table(RUNTIME_DATA.SystemTable);
  for (const name of RUNTIME_SERVICE_NAMES) {
    if (!convert(call, map, vaAdd(runtimeServices, EFI_RUNTIME_SERVICES[name]))) return false;
  }
  updateCrc(call, runtimeServices, EFI_RUNTIME_SERVICES.size);
  for (const field of ['FirmwareVendor', 'ConfigurationTable', 'RuntimeServices'] as const) {
    if (!convert(call, map, vaAdd(systemTable, EFI_SYSTEM_TABLE[field]))) return false;
  }
  updateCrc(call, systemTable, EFI_SYSTEM_TABLE.size);
  const count = call.u32(vaAdd(data, RUNTIME_DATA.RelocationCount));
  for (let index = 0; index < count; index++) {
    const offset = call.u32(vaAdd(data, RUNTIME_DATA.Relocations + 4 * index));
    if (!convert(call, map, vaAdd(data, offset))) return false;
  }
  call.putU32(vaAdd(data, RUNTIME_DATA.VirtualMode), 1);
  return true;
}

/** Replaces the pointer at an address by its virtual address; false if no descriptor covers it (ConvertPointer). */
function convert(call: RuntimeCall, map: VirtualMap, pointerAt: Va): boolean {
  call.execute('ConvertPointer');
  const pointer = call.u64(pointerAt);
  for (let index = 0; index < map.count; index++) {
    const at = vaAdd(map.at, index * map.stride);
    const field = (name: keyof typeof EFI_MEMORY_DESCRIPTOR): bigint =>
      call.u64(vaAdd(at, EFI_MEMORY_DESCRIPTOR[name]));
    if ((field('Attribute') & EFI_MEMORY.RUNTIME) === 0n) continue;
    const start = field('PhysicalStart');
    const size = field('NumberOfPages') << BigInt(PAGE_SHIFT);
    if (pointer < start || pointer >= start + size) continue;
    call.putU64(pointerAt, pointer - start + field('VirtualStart'));
    return true;
  }
  return false;
}

/** Updates the CRC in a table's header. */
function updateCrc(call: RuntimeCall, table: Va, size: number): void {
  call.putU32(vaAdd(table, EFI_TABLE_HDR.CRC32), 0);
  call.putU32(vaAdd(table, EFI_TABLE_HDR.CRC32), crc32(call.bytes(table, size)));
}
