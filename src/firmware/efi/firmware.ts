/** EFI firmware: all its tables and images with their addresses, and the hand-over to a loader. */
import { alignUp, PAGE_SIZE } from '../../machine/address.js';
import { InputError } from '../../base/errors.js';
import { acpiTables } from '../acpi/acpi.js';
import { VIDEO_ROM, videoRom } from '../option-rom.js';
import { ALL_TABLES } from '../placed.js';
import type {
  Firmware,
  HandOver,
  LoaderMemory,
  MachineDescription,
  Region,
  Blob,
} from '../placed.js';
import { smbios3Entry, smbiosEntry, smbiosTable } from '../smbios.js';
import { noiseBytes } from '../struct.js';
import { without, type GivenMap } from './given-map.js';
import { EFI_MEMORY_DESCRIPTOR_STRIDE, type EFI_GUID } from './layout.js';
import { describeMemory, efiInfo, memoryMapBytes, ramRanges, setup_e820 } from './memory-map.js';
import { efiPlaces, MEMORY_MAP_ROOM, MEMORY_MAP_ROOM_MAX, type EfiPlaces } from './places.js';
import {
  runtimeCode,
  RUNTIME_CODE_SIZE,
  runtimeData,
  SERVICE_OFFSET,
  variableStore,
} from './runtime-image.js';
import {
  configurationTables,
  esrt,
  firmwareVendor,
  propertiesTable,
  RUNTIME_SERVICE_NAMES,
  runtimeServicesTable,
  systemTable,
  type RuntimeServiceName,
} from './tables.js';

/** Offsets in the runtime data (our choice: as pool allocations, none across a page). */
const IN_RUNTIME_DATA = {
  driver: 0,
  systemTable: 0x2f18,
  runtimeServices: 0x3b98,
  configuration: 0x4c18,
  vendor: 0x5e98,
  variableStore: 0x8000,
  smbiosEntry: 0x1_0018,
  smbios3Entry: 0x1_0058,
  smbios: 0x1_1000,
} as const;
/** Offsets in the boot services data. */
const IN_BOOT_DATA = { esrt: 0x1_1818, properties: 0x1_2698, bgrtImage: 0x2_0018 } as const;
/** Offsets in the region of the ACPI tables. */
const IN_ACPI = { rsdp: 0x14, tables: 0x1000 } as const;

const BOOT_CODE_SEED = 0xb007_c0de;

/** The RAM of the machine, in bytes. */
export interface EfiMachine {
  /** End of the RAM below 4 GiB. */
  readonly lowTop: number;
  /** Size of the RAM above 4 GiB. */
  readonly highSize: number;
  /** A memory map from the scenario; absent: the firmware's own. */
  readonly given?: GivenMap;
}

/**
 * The firmware of a machine with EFI.
 *
 * @throws InputError E_EFI_RAM if the machine has too little memory.
 */
export function efiFirmware(
  machine: EfiMachine,
  described: MachineDescription,
): Firmware & { readonly places: EfiPlaces } {
  const places = efiPlaces(machine.lowTop);
  const data = places.at('EFI runtime data').base;
  const system = data + IN_RUNTIME_DATA.systemTable;
  const others = otherTables(places, described);
  return {
    places,
    blobs: [...runtimeBlobs(places, others.published), ...others.blobs],
    regions: [
      ...places.regions.filter(({ name }) => !SHARED.has(name)),
      mapRegion(places, machine.given),
    ],
    handOver: (loader): HandOver => handOver(machine, places, system, loader),
  };
}

/** The targets of the configuration tables, in order. */
type Published = readonly { readonly guid: keyof typeof EFI_GUID; readonly at: number }[];

/** ACPI, SMBIOS, ESRT, properties table; boot services code and the video BIOS. */
function otherTables(
  places: EfiPlaces,
  described: MachineDescription,
): { blobs: Blob[]; published: Published } {
  const { tables = ALL_TABLES } = described;
  const data = places.at('EFI runtime data').base;
  const bootData = places.at('EFI boot services data').base;
  const acpi = places.at('ACPI tables').base;
  const smbios = smbiosTable(described);
  const bootCode = places.at('EFI boot services code');
  const at = {
    rsdp: acpi + IN_ACPI.rsdp,
    smbios: data + IN_RUNTIME_DATA.smbios,
    entry: data + IN_RUNTIME_DATA.smbiosEntry,
    entry3: data + IN_RUNTIME_DATA.smbios3Entry,
    esrt: bootData + IN_BOOT_DATA.esrt,
    properties: bootData + IN_BOOT_DATA.properties,
  };
  const blobs = [
    ...(tables.acpi
      ? acpiTables({
          cpus: described.cpus,
          iommu: described.iommu,
          madt: tables.madt,
          rsdpAt: at.rsdp,
          tablesAt: acpi + IN_ACPI.tables,
          facsAt: places.at('ACPI NVS').base,
          imageAt: bootData + IN_BOOT_DATA.bgrtImage,
        })
      : []),
    blob('SMBIOS', at.entry, smbiosEntry(smbios, at.smbios)),
    blob('SMBIOS 3', at.entry3, smbios3Entry(smbios, at.smbios)),
    blob('SMBIOS structures', at.smbios, smbios.bytes),
    blob('ESRT', at.esrt, esrt()),
    blob('properties table', at.properties, propertiesTable()),
    blob('EFI boot services code', bootCode.base, noiseBytes(bootCode.size, BOOT_CODE_SEED)),
    blob('option ROM', VIDEO_ROM, videoRom()),
  ];
  const published: Published = [
    ...(tables.acpi ? [{ guid: 'ACPI_20_TABLE', at: at.rsdp } as const] : []),
    { guid: 'SMBIOS_TABLE', at: at.entry },
    { guid: 'SMBIOS3_TABLE', at: at.entry3 },
    { guid: 'ESRT', at: at.esrt },
    { guid: 'PROPERTIES_TABLE', at: at.properties },
  ];
  return { blobs, published };
}

/** The runtime driver, its tables and its variables. */
function runtimeBlobs(places: EfiPlaces, published: Published): Blob[] {
  const code = places.at('EFI runtime code').base;
  const data = places.at('EFI runtime data').base;
  if (data !== code + RUNTIME_CODE_SIZE) {
    throw new RangeError('runtime data does not follow runtime code');
  }
  const at = (what: keyof typeof IN_RUNTIME_DATA): number => data + IN_RUNTIME_DATA[what];
  const entries = Object.fromEntries(
    RUNTIME_SERVICE_NAMES.map((name) => [name, code + SERVICE_OFFSET[name]]),
  ) as Record<RuntimeServiceName, number>;
  const pointers = {
    SystemTable: at('systemTable'),
    RuntimeServices: at('runtimeServices'),
    VariableStore: at('variableStore'),
    ImageBase: code,
    FlashBase: places.at('flash').base,
  };
  const system = systemTable({
    vendor: at('vendor'),
    runtimeServices: at('runtimeServices'),
    configuration: at('configuration'),
    configurationCount: published.length,
  });
  return [
    blob('EFI runtime code', code, runtimeCode()),
    blob('EFI runtime data', at('driver'), runtimeData(pointers)),
    blob('EFI system table', at('systemTable'), system),
    blob('EFI runtime services', at('runtimeServices'), runtimeServicesTable(entries)),
    blob('EFI configuration tables', at('configuration'), configurationTables(published)),
    blob('EFI vendor', at('vendor'), firmwareVendor()),
    blob('EFI variable store', at('variableStore'), variableStore()),
  ];
}

const blob = (name: string, base: number, bytes: Uint8Array): Blob => ({ name, base, bytes });

/** Entries of the map that are not DRAM, or DRAM that others use too. */
const SHARED: ReadonlySet<string> = new Set(['FCH registers', 'flash', 'EFI boot services page 0']);

/** The most descriptors beyond those of a given map, and the most parts that a region splits a given range into. */
const OWN_DESCRIPTORS = 64;
const PARTS = 2;

/** The loader's buffer for the memory map: MEMORY_MAP_ROOM, or more for a long given map. */
const mapRegion = (places: EfiPlaces, given: GivenMap | undefined): Region => {
  const ranges = (given?.ram.length ?? 0) + (given?.reserved.length ?? 0);
  const size = (OWN_DESCRIPTORS + PARTS * ranges) * EFI_MEMORY_DESCRIPTOR_STRIDE;
  return {
    name: 'EFI memory map',
    base: places.memoryMapAt,
    size: Math.min(Math.max(MEMORY_MAP_ROOM, alignUp(size, PAGE_SIZE)), MEMORY_MAP_ROOM_MAX),
  };
};

/** GetMemoryMap(), ExitBootServices(), and the data that the stub puts in the zero page (eboot.c, exit_boot). */
function handOver(
  machine: EfiMachine,
  places: EfiPlaces,
  systab: number,
  loader: LoaderMemory,
): HandOver {
  const buffer = mapRegion(places, machine.given);
  const data = [...loader.data, buffer];
  const { given } = machine;
  const reserved = without(given?.reserved ?? [], [...places.regions, ...loader.code, ...data]);
  const descriptors = describeMemory(
    given?.ram ?? ramRanges(machine.lowTop, machine.highSize),
    [...places.regions, ...reserved],
    { code: loader.code, data },
  );
  const bytes = memoryMapBytes(descriptors);
  if (bytes.length > buffer.size) {
    throw new InputError({
      code: 'E_EFI_MEMORY_MAP',
      reason: 'the memory map does not fit the buffer for it',
      expected: `at most ${buffer.size} bytes`,
      found: `${bytes.length} bytes`,
    });
  }
  return {
    e820: setup_e820(descriptors),
    efiInfo: efiInfo({ systab, memmap: buffer.base, memmapSize: bytes.length }),
    blobs: [{ name: buffer.name, base: buffer.base, bytes }],
  };
}
