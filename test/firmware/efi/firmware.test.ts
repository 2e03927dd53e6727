/** Everything that EFI firmware leaves, on machines of several sizes. */
import { describe, expect, test } from '@jest/globals';
import { crc32 } from '../../../src/firmware/crc32.js';
import { efiFirmware } from '../../../src/firmware/efi/firmware.js';
import {
  EFI_CONFIGURATION_TABLE,
  EFI_GUID,
  EFI_MEMORY_TYPE,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_TABLE,
  EFI_TABLE_HDR,
} from '../../../src/firmware/efi/layout.js';
import { EFI_RAM_MIN, efiPlaces } from '../../../src/firmware/efi/places.js';
import {
  runtimeCode,
  RUNTIME_CODE_SIZE,
  SERVICE_OFFSET,
  SERVICE_SIZE,
  serviceCode,
  variableStore,
  VARIABLE_STORE_SIZE,
} from '../../../src/firmware/efi/runtime-image.js';
import { esrt, propertiesTable, RUNTIME_SERVICE_NAMES } from '../../../src/firmware/efi/tables.js';
import type { Blob } from '../../../src/firmware/placed.js';

const GIB = 2 ** 30;
const described = {
  ram: 0,
  cpus: 4,
  iommu: true,
  processor: { name: 'CPU', vendor: 'AuthenticAMD', signature: 0x80_0f12 },
};
const sizes = [
  [EFI_RAM_MIN, 0],
  [EFI_RAM_MIN + 4096, 0],
  [3 * GIB, 0],
  [3 * GIB, 5 * GIB],
] as const;
const u64 = (bytes: Uint8Array, at: number): number =>
  Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true));
const crcOf = (table: Uint8Array): [number, number] => {
  const copy = table.slice();
  const view = new DataView(copy.buffer);
  const stored = view.getUint32(EFI_TABLE_HDR.CRC32, true);
  view.setUint32(EFI_TABLE_HDR.CRC32, 0, true);
  return [stored, crc32(copy)];
};

describe.each(sizes)('EFI firmware with %i bytes below and %i above 4 GiB', (lowTop, highSize) => {
  const firmware = efiFirmware({ lowTop, highSize }, described);
  const blob = (name: string): Blob => {
    const found = firmware.blobs.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };

  test('has every blob inside one of its regions without overlap', () => {
    const sorted = [...firmware.blobs].sort((a, b) => a.base - b.base);
    for (const [index, { name, base, bytes }] of sorted.entries()) {
      const inside = firmware.regions.filter(
        (region) => base >= region.base && base + bytes.length <= region.base + region.size,
      );
      expect([name, inside.length]).toEqual([name, 1]);
      const next = sorted[index + 1];
      if (next !== undefined) expect(base + bytes.length).toBeLessThanOrEqual(next.base);
    }
  });

  test.each([
    ['EFI system table', 'RUNTIME_SERVICES_DATA'],
    ['EFI runtime services', 'RUNTIME_SERVICES_DATA'],
    ['EFI configuration tables', 'RUNTIME_SERVICES_DATA'],
    ['EFI vendor', 'RUNTIME_SERVICES_DATA'],
    ['EFI runtime code', 'RUNTIME_SERVICES_CODE'],
    ['ESRT', 'BOOT_SERVICES_DATA'],
    ['properties table', 'BOOT_SERVICES_DATA'],
    ['BGRT image', 'BOOT_SERVICES_DATA'],
    ['SMBIOS', 'RUNTIME_SERVICES_DATA'],
    ['RSDP', 'ACPI_RECLAIM_MEMORY'],
    ['MADT', 'ACPI_RECLAIM_MEMORY'],
    ['FACS', 'ACPI_MEMORY_NVS'],
    ['EFI boot services code', 'BOOT_SERVICES_CODE'],
  ] as const)('%s is in %s', (name, type) => {
    const { base } = blob(name);
    const region = firmware.places.regions.find(
      (one) => base >= one.base && base < one.base + one.size,
    );
    expect(region?.type).toBe(EFI_MEMORY_TYPE[type]);
  });

  test('the system table has the addresses of the other tables, and a valid CRC', () => {
    const { bytes } = blob('EFI system table');
    expect(u64(bytes, EFI_SYSTEM_TABLE.FirmwareVendor)).toBe(blob('EFI vendor').base);
    expect(u64(bytes, EFI_SYSTEM_TABLE.RuntimeServices)).toBe(blob('EFI runtime services').base);
    expect(u64(bytes, EFI_SYSTEM_TABLE.ConfigurationTable)).toBe(
      blob('EFI configuration tables').base,
    );
    const [stored, computed] = crcOf(bytes);
    expect(stored).toBe(computed);
  });

  test('the runtime services table has each service in the code, and a valid CRC', () => {
    const { bytes } = blob('EFI runtime services');
    const code = blob('EFI runtime code');
    for (const name of RUNTIME_SERVICE_NAMES) {
      const at = u64(bytes, EFI_RUNTIME_SERVICES[name]) - code.base;
      expect(at).toBe(SERVICE_OFFSET[name]);
      expect(code.bytes.subarray(at, at + SERVICE_SIZE)).toEqual(serviceCode(name));
    }
    const [stored, computed] = crcOf(bytes);
    expect(stored).toBe(computed);
  });

  test('the configuration tables have the GUIDs of the tables at their addresses', () => {
    const { bytes } = blob('EFI configuration tables');
    const names = {
      ACPI_20_TABLE: 'RSDP',
      SMBIOS_TABLE: 'SMBIOS',
      SMBIOS3_TABLE: 'SMBIOS 3',
      ESRT: 'ESRT',
      PROPERTIES_TABLE: 'properties table',
    } as const;
    const count = u64(blob('EFI system table').bytes, EFI_SYSTEM_TABLE.NumberOfTableEntries);
    expect(bytes.length).toBe(count * EFI_CONFIGURATION_TABLE.size);
    const found = new Map<string, number>();
    for (let at = 0; at < bytes.length; at += EFI_CONFIGURATION_TABLE.size) {
      found.set(
        bytes.subarray(at, at + 16).join(),
        u64(bytes, at + EFI_CONFIGURATION_TABLE.VendorTable),
      );
    }
    for (const [guid, name] of Object.entries(names)) {
      expect(found.get(EFI_GUID[guid as keyof typeof names].join())).toBe(blob(name).base);
    }
  });

  test('no table whose first bytes the kernel maps alone crosses a page', () => {
    for (const name of ['EFI vendor', 'EFI system table', 'EFI runtime services']) {
      const { base, bytes } = blob(name);
      expect((base % 4096) + bytes.length).toBeLessThanOrEqual(4096);
    }
  });

  test('the hand-over has the map and the addresses of the map and the system table', () => {
    const handOver = firmware.handOver({ code: [], data: [] });
    const view = new DataView(handOver.efiInfo?.buffer ?? new ArrayBuffer(0));
    expect(view.getUint32(4, true)).toBe(blob('EFI system table').base);
    expect(view.getUint32(16, true)).toBe(handOver.blobs[0]?.base);
    expect(view.getUint32(20, true)).toBe(handOver.blobs[0]?.bytes.length);
    expect(handOver.e820.length).toBeGreaterThan(5);
  });
});

describe('EFI places', () => {
  test.each([
    [EFI_RAM_MIN - 4096, false],
    [EFI_RAM_MIN, true],
    [EFI_RAM_MIN + 4096, true],
  ])('exist with %i bytes below 4 GiB: %s', (lowTop, enough) => {
    const make = (): unknown => efiPlaces(lowTop);
    if (enough) expect(make).not.toThrow();
    else expect(make).toThrow('E_EFI_RAM');
  });

  test('regions do not overlap and cover the end of RAM', () => {
    for (const lowTop of [EFI_RAM_MIN, EFI_RAM_MIN + 4096, 3 * GIB - 4096, 3 * GIB]) {
      const regions = efiPlaces(lowTop).regions;
      for (const [index, { base, size }] of regions.entries()) {
        const next = regions[index + 1];
        if (next !== undefined) expect(base + size).toBeLessThanOrEqual(next.base);
        expect([base % 4096, size % 4096]).toEqual([0, 0]);
      }
      const smram = efiPlaces(lowTop).regions.find(({ name }) => name === 'SMRAM');
      expect((smram?.base ?? 0) + (smram?.size ?? 0)).toBe(lowTop);
    }
  });

  test('runtime data starts where its code ends', () => {
    const places = efiPlaces(GIB);
    const code = places.at('EFI runtime code');
    expect(places.at('EFI runtime data').base).toBe(code.base + code.size);
    expect(code.size).toBe(RUNTIME_CODE_SIZE);
  });
});

describe('the runtime image', () => {
  test('has services whose first 16 bytes differ', () => {
    const first = RUNTIME_SERVICE_NAMES.map((name) => serviceCode(name).subarray(0, 16).join());
    expect(new Set(first).size).toBe(RUNTIME_SERVICE_NAMES.length);
    const last = RUNTIME_SERVICE_NAMES.at(-1) ?? 'GetTime';
    expect(SERVICE_OFFSET[last] + SERVICE_SIZE).toBeLessThanOrEqual(runtimeCode().length);
  });

  test('has a variable store that ends in erased flash', () => {
    const store = variableStore();
    expect(store.length).toBe(VARIABLE_STORE_SIZE);
    expect(store.subarray(-4096).every((byte) => byte === 0xff)).toBe(true);
  });
});

test('the ESRT has as many entries as it counts', () => {
  const table = esrt();
  const count = new DataView(table.buffer).getUint32(0, true);
  expect(table.length).toBe(16 + 40 * count);
});

test('the properties table has its own length', () => {
  const table = propertiesTable();
  expect(new DataView(table.buffer).getUint32(4, true)).toBe(table.length);
});
