/** EFI firmware on a machine: every table and image at its place, and the hand-over to a loader. */
import { InputError } from '../../trace/errors.js';
import type { Firmware, HandOver, LoaderMemory, Region, Thing } from '../placed.js';
import { noiseBytes } from '../struct.js';
import { without, type GivenMap } from './given-map.js';
import type { EFI_GUID } from './layout.js';
import { describeMemory, efiInfo, memoryMapBytes, ramStretches, setup_e820 } from './memory-map.js';
import { efiPlaces, MEMORY_MAP_ROOM, type EfiPlaces } from './places.js';
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
} as const;
/** And in the boot services data. */
const IN_BOOT_DATA = { esrt: 0x1_1818, properties: 0x1_2698 } as const;

const BOOT_CODE_SEED = 0xb007_c0de;

/** What a loader asks: sizes of RAM below and above 4 GiB in bytes. */
export interface EfiMachine {
  readonly lowTop: number;
  readonly highSize: number;
  /** The memory map, where it is not ours. */
  readonly given?: GivenMap;
}

/** Tables that other parts of the firmware made, for the configuration tables. */
export type Published = readonly { readonly guid: keyof typeof EFI_GUID; readonly at: number }[];

/**
 * Lays the firmware out. `others` are things made elsewhere that stand in its regions, `published` those that the
 * configuration tables point at.
 *
 * @throws InputError E_EFI_RAM on a machine with too little memory.
 */
export function efiFirmware(
  machine: EfiMachine,
  others: readonly Thing[],
  published: Published,
): Firmware & { readonly places: EfiPlaces } {
  const places = efiPlaces(machine.lowTop);
  const code = places.at('EFI runtime code').base;
  const data = places.at('EFI runtime data').base;
  const bootData = places.at('EFI boot services data').base;
  if (data !== code + RUNTIME_CODE_SIZE)
    throw new RangeError('runtime data is not behind its code');
  const entries = Object.fromEntries(
    RUNTIME_SERVICE_NAMES.map((name) => [name, code + SERVICE_OFFSET[name]]),
  ) as Record<RuntimeServiceName, number>;
  const tables: Published = [
    ...published,
    { guid: 'ESRT', at: bootData + IN_BOOT_DATA.esrt },
    { guid: 'PROPERTIES_TABLE', at: bootData + IN_BOOT_DATA.properties },
  ];
  const system = data + IN_RUNTIME_DATA.systemTable;
  const runtimeServices = data + IN_RUNTIME_DATA.runtimeServices;
  const thing = (name: string, base: number, bytes: Uint8Array): Thing => ({ name, base, bytes });
  const things = [
    thing('EFI runtime code', code, runtimeCode()),
    thing(
      'EFI runtime data',
      data + IN_RUNTIME_DATA.driver,
      runtimeData({
        SystemTable: system,
        RuntimeServices: runtimeServices,
        VariableStore: data + IN_RUNTIME_DATA.variableStore,
        ImageBase: code,
        FlashBase: places.at('flash').base,
      }),
    ),
    thing(
      'EFI system table',
      system,
      systemTable({
        vendor: data + IN_RUNTIME_DATA.vendor,
        runtimeServices,
        configuration: data + IN_RUNTIME_DATA.configuration,
        configurationCount: tables.length,
      }),
    ),
    thing('EFI runtime services', runtimeServices, runtimeServicesTable(entries)),
    thing(
      'EFI configuration tables',
      data + IN_RUNTIME_DATA.configuration,
      configurationTables(tables),
    ),
    thing('EFI vendor', data + IN_RUNTIME_DATA.vendor, firmwareVendor()),
    thing('EFI variable store', data + IN_RUNTIME_DATA.variableStore, variableStore()),
    thing('ESRT', bootData + IN_BOOT_DATA.esrt, esrt()),
    thing('properties table', bootData + IN_BOOT_DATA.properties, propertiesTable()),
    bootServicesCode(places),
    ...others,
  ];
  return {
    places,
    things,
    regions: [...places.regions.filter(({ name }) => !SHARED.has(name)), mapPlace(places)],
    handOver: (loader): HandOver => handOver(machine, places, system, loader),
  };
}

/** Entries of the map that are no DRAM, or whose DRAM firmware does not have to itself. */
const SHARED: ReadonlySet<string> = new Set([
  'FCH registers',
  'flash',
  'EFI boot services page 0',
  'ROM area',
]);

const mapPlace = (places: EfiPlaces): Region => ({
  name: 'EFI memory map',
  base: places.memoryMapAt,
  size: MEMORY_MAP_ROOM,
});

function bootServicesCode(places: EfiPlaces): Thing {
  const { name, base, size } = places.at('EFI boot services code');
  return { name, base, bytes: noiseBytes(size, BOOT_CODE_SEED) };
}

/** GetMemoryMap() into the loader's memory, ExitBootServices(), and what a stub makes of it (eboot.c, exit_boot). */
function handOver(
  machine: EfiMachine,
  places: EfiPlaces,
  systab: number,
  loader: LoaderMemory,
): HandOver {
  const place = mapPlace(places);
  const data = [...loader.data, place];
  const { given } = machine;
  const kept = without(given?.kept ?? [], [...places.regions, ...loader.code, ...data]);
  const descriptors = describeMemory(
    given?.ram ?? ramStretches(machine.lowTop, machine.highSize),
    [...places.regions, ...kept],
    { code: loader.code, data },
  );
  const bytes = memoryMapBytes(descriptors);
  if (bytes.length > MEMORY_MAP_ROOM) {
    throw new InputError({
      code: 'E_EFI_MEMORY_MAP',
      reason: 'the memory map has more descriptors than its place has room for',
      expected: `at most ${MEMORY_MAP_ROOM} bytes`,
      found: `${bytes.length} bytes`,
    });
  }
  return {
    e820: setup_e820(descriptors),
    efiInfo: efiInfo({ systab, memmap: place.base, memmapSize: bytes.length }),
    things: [{ name: place.name, base: place.base, bytes }],
  };
}
