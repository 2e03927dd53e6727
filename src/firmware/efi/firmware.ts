/** EFI firmware on a machine: every table and image at its place, and the hand-over to a loader. */
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
import { describeMemory, efiInfo, memoryMapBytes, ramStretches, setup_e820 } from './memory-map.js';
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

/** Where things stand in the runtime data (our choice: pool allocations, none across a page). */
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
/** And in the boot services data. */
const IN_BOOT_DATA = { esrt: 0x1_1818, properties: 0x1_2698, bgrtImage: 0x2_0018 } as const;
/** And among the ACPI tables. */
const IN_ACPI = { rsdp: 0x14, tables: 0x1000 } as const;

const BOOT_CODE_SEED = 0xb007_c0de;

/** What a loader asks: sizes of RAM below and above 4 GiB in bytes. */
export interface EfiMachine {
  readonly lowTop: number;
  readonly highSize: number;
  /** The memory map, where it is not ours. */
  readonly given?: GivenMap;
}

/**
 * Lays the firmware out.
 *
 * @throws InputError E_EFI_RAM on a machine with too little memory.
 */
export function efiFirmware(
  machine: EfiMachine,
  described: MachineDescription,
): Firmware & { readonly places: EfiPlaces } {
  const places = efiPlaces(machine.lowTop);
  const data = places.at('EFI runtime data').base;
  const system = data + IN_RUNTIME_DATA.systemTable;
  const shown = shownTables(places, described);
  return {
    places,
    blobs: [...runtimeBlobs(places, shown.published), ...shown.blobs],
    regions: [
      ...places.regions.filter(({ name }) => !SHARED.has(name)),
      mapPlace(places, machine.given),
    ],
    handOver: (loader): HandOver => handOver(machine, places, system, loader),
  };
}

/** What the configuration tables point at, in order. */
type Published = readonly { readonly guid: keyof typeof EFI_GUID; readonly at: number }[];

/** ACPI, SMBIOS, ESRT, properties table; and what else firmware leaves in memory. */
function shownTables(
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
    throw new RangeError('runtime data is not behind its code');
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

/** Entries of the map that are no DRAM, or whose DRAM firmware does not have to itself. */
const SHARED: ReadonlySet<string> = new Set(['FCH registers', 'flash', 'EFI boot services page 0']);

/** Descriptors besides those of a given map, and those that a region in the middle of a given one makes of it. */
const OWN_DESCRIPTORS = 64;
const PARTS = 2;

/** Where the loader asks for the map: what is usual, or more for a given map that is long. */
const mapPlace = (places: EfiPlaces, given: GivenMap | undefined): Region => {
  const ranges = (given?.ram.length ?? 0) + (given?.kept.length ?? 0);
  const size = (OWN_DESCRIPTORS + PARTS * ranges) * EFI_MEMORY_DESCRIPTOR_STRIDE;
  return {
    name: 'EFI memory map',
    base: places.memoryMapAt,
    size: Math.min(Math.max(MEMORY_MAP_ROOM, alignUp(size, PAGE_SIZE)), MEMORY_MAP_ROOM_MAX),
  };
};

/** GetMemoryMap() into the loader's memory, ExitBootServices(), and what a stub makes of it (eboot.c, exit_boot). */
function handOver(
  machine: EfiMachine,
  places: EfiPlaces,
  systab: number,
  loader: LoaderMemory,
): HandOver {
  const place = mapPlace(places, machine.given);
  const data = [...loader.data, place];
  const { given } = machine;
  const kept = without(given?.kept ?? [], [...places.regions, ...loader.code, ...data]);
  const descriptors = describeMemory(
    given?.ram ?? ramStretches(machine.lowTop, machine.highSize),
    [...places.regions, ...kept],
    { code: loader.code, data },
  );
  const bytes = memoryMapBytes(descriptors);
  if (bytes.length > place.size) {
    throw new InputError({
      code: 'E_EFI_MEMORY_MAP',
      reason: 'the memory map has more descriptors than its place has room for',
      expected: `at most ${place.size} bytes`,
      found: `${bytes.length} bytes`,
    });
  }
  return {
    e820: setup_e820(descriptors),
    efiInfo: efiInfo({ systab, memmap: place.base, memmapSize: bytes.length }),
    blobs: [{ name: place.name, base: place.base, bytes }],
  };
}
