/** Memory maps: e820 entries as the kernel reads them, and the maps of scenarios with EFI firmware. */
import fc from 'fast-check';
import { decodeUtf8 } from '../../../src/base/utf8.js';
import { parseScenarioText } from '../../../src/lib/scenario.js';
import { sanitize } from '../../../src/linux/arch/x86/kernel/e820/e820.js';
import { firmwareOf } from '../../../src/scenario/firmware.js';
import { cpuModelOf, initrdPlace, ramOf } from '../../../src/scenario/memory-layout.js';
import { concat } from '../../firmware/image/build.js';
import { mutated, type Field } from '../bytes.js';
import { documents } from '../data.js';
import { verify, verifySame, type Kind } from '../kind.js';

/** struct e820entry: addr and size in 64 bits, type in 32. */
const ENTRY = 20;
/** Most entries of the zero page (E820MAX). */
const MOST = 128;

interface Entry {
  addr: bigint;
  size: bigint;
  type: number;
}

const entry = fc
  .tuple(
    fc.nat(40),
    fc.nat(20),
    fc.constantFrom(1, 1, 1, 2, 3, 4, 5, 7, 12, 0x9999),
    fc.constantFrom(0, 12, 30),
  )
  .map(([at, pages, type, shift]) => {
    const bytes = new Uint8Array(ENTRY);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(at) << BigInt(shift), true);
    view.setBigUint64(8, BigInt(pages) << BigInt(shift), true);
    view.setUint32(16, type, true);
    return bytes;
  });
const maps = fc.array(entry, { minLength: 2, maxLength: 12 }).map((list) => concat(...list));

const FIELDS: readonly Field[] = [0, 4, 8, 12, 16].flatMap((at) => [
  { at, width: 4 } as const,
  { at: ENTRY + at, width: 4 } as const,
]);

function entriesOf(bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.min(MOST, Math.floor(bytes.length / ENTRY)) }, (_, index) => ({
    addr: view.getBigUint64(index * ENTRY, true),
    size: view.getBigUint64(index * ENTRY + 8, true),
    type: view.getUint32(index * ENTRY + 16, true),
  }));
}

/** The type of an address: the highest of the entries that have it; 0: none. */
const typeAt = (map: readonly Entry[], at: bigint): number =>
  map.reduce(
    (type, each) =>
      at >= each.addr && at < each.addr + each.size ? Math.max(type, each.type) : type,
    0,
  );

export const e820: Kind = {
  name: 'e820',
  what: 'e820 maps, sanitized by the kernel',
  ext: 'bin',
  inputs: 5000,
  share: 3,
  arbitrary: mutated(maps, { fields: FIELDS, mutated: 7 }),
  read(bytes) {
    const map = entriesOf(bytes);
    const result = sanitize(map, 3 * MOST);
    if (result === undefined) return false;
    let before = 0n;
    for (const { addr, size } of result) {
      verify(addr >= before && size > 0n, 'the map is not sorted or has an empty entry');
      before = addr + size;
    }
    const points = [...map, ...result].flatMap(({ addr, size }) => [
      addr - 1n,
      addr,
      addr + size - 1n,
      addr + size,
    ]);
    for (const at of points) {
      verify(typeAt(result, at) === typeAt(map, at), `the type at 0x${at.toString(16)} changed`);
    }
    if (result.length >= 2) verifySame(sanitize(result, 3 * MOST), result, 'sanitized twice');
    return true;
  },
};

const MIB = 2 ** 20;
const NAMES = ['usable', 'usable', 'usable', 'reserved', 'ACPI data', 'ACPI NVS', 'unusable'];

/** Ranges in order, with gaps, in whole pages. */
const ranges = (first: number, types: readonly unknown[], extra: object[] = [{}]) =>
  fc
    .array(fc.tuple(fc.nat(3), fc.nat(8), fc.nat(types.length - 1), fc.nat(extra.length - 1)), {
      minLength: 1,
      maxLength: 8,
    })
    .map((list) => {
      let at = first;
      return list.map(([gap, length, type, more]) => {
        const start = at + gap * MIB;
        const end = start + (1 << length) * MIB - 1;
        at = end + 1;
        return { start, end, type: types[type], ...extra[more] };
      });
    });

const lowest = { start: 0, end: 0x9_ffff, type: 'usable' };
const efiTypes = Array.from({ length: 14 }, (_, type) => type);

export const efiMap: Kind = {
  name: 'efi-map',
  what: 'e820 and EFI memory maps of scenarios, with the firmware made from them',
  ext: 'yaml',
  inputs: 3000,
  share: 1,
  arbitrary: documents(
    [
      {
        name: 'map',
        title: 'a given map',
        machine: { cpu: 'zen-1', ram: '4GiB' },
        firmware: {
          type: 'efi',
          e820: [
            lowest,
            { start: MIB, end: 0x3fff_ffff, type: 'usable' },
            { start: 0x4000_0000, end: 0x4fff_ffff, type: 'reserved' },
          ],
        },
      },
    ],
    {
      settings: fc.oneof(
        ranges(MIB, NAMES).map(
          (list) =>
            [
              'firmware.e820',
              [lowest, ...list, { start: 2 ** 32, end: 2 ** 32 + 512 * MIB - 1, type: 'usable' }],
            ] as const,
        ),
        ranges(0, efiTypes, [{}, {}, { runtime: true }]).map(
          (list) => ['firmware.efiMemoryMap', list] as const,
        ),
        fc.constant(['firmware.type', 'bios'] as const),
      ),
      changed: 3,
      mutated: 2,
      json: true,
    },
  ),
  read(bytes) {
    const file = 'map.yaml';
    const { scenario } = parseScenarioText(file, decodeUtf8(file, bytes));
    const ram = ramOf(scenario, cpuModelOf(scenario));
    const firmware = firmwareOf(scenario);
    initrdPlace(scenario, 400_000);
    const inRam = (base: number): boolean =>
      ram.some((range) => base >= range.base && base < range.base + range.size);
    for (const { name, base } of firmware.blobs) {
      // ROMs and the BIOS area are not RAM.
      verify(base < MIB || inRam(base), `${name} is at 0x${base.toString(16)}, outside RAM`);
    }
    return true;
  },
};
