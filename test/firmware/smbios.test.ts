/** SMBIOS structures, parsed again. Checked manually: dmidecode 3.4 prints them without a warning. */
import { describe, expect, test } from '@jest/globals';
import {
  SMBIOS3_ENTRY,
  SMBIOS_ENTRY,
  smbios3Entry,
  smbiosEntry,
  smbiosTable,
} from '../../src/firmware/smbios.js';
import { byteSum } from '../../src/firmware/struct.js';
import { expectLayout } from './fields.js';

const GIB = 2 ** 30;
const described = {
  ram: 8 * GIB,
  cpus: 4,
  iommu: false,
  processor: { name: 'EPYC', vendor: 'AuthenticAMD', signature: 0x80_0f12 },
};
const AT = 0xf_0800;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);

interface Parsed {
  readonly type: number;
  readonly formatted: Uint8Array;
  readonly strings: string[];
}

/** Structures as a reader walks them (DSP0134 6.1.3). */
function parse(bytes: Uint8Array): Parsed[] {
  const list: Parsed[] = [];
  for (let at = 0; at < bytes.length;) {
    const [type = 0, length = 0] = bytes.subarray(at, at + 2);
    const strings: string[] = [];
    let next = at + length;
    while (bytes[next] !== 0) {
      const end = bytes.indexOf(0, next);
      strings.push(String.fromCharCode(...bytes.subarray(next, end)));
      next = end + 1;
    }
    list.push({ type, formatted: bytes.subarray(at, at + length), strings });
    at = strings.length === 0 ? next + 2 : next + 1;
  }
  return list;
}

describe('SMBIOS', () => {
  test('entry points have their fields at the offsets that their widths imply', () => {
    expectLayout(SMBIOS_ENTRY, [
      ['Anchor', 4],
      ['Checksum', 1],
      ['Length', 1],
      ['MajorVersion', 1],
      ['MinorVersion', 1],
      ['MaximumStructureSize', 2],
      ['Revision', 1],
      ['-FormattedArea', 5],
      ['IntermediateAnchor', 5],
      ['IntermediateChecksum', 1],
      ['TableLength', 2],
      ['TableAddress', 4],
      ['NumberOfStructures', 2],
      ['BCDRevision', 1],
    ]);
    expectLayout(SMBIOS3_ENTRY, [
      ['Anchor', 5],
      ['Checksum', 1],
      ['Length', 1],
      ['MajorVersion', 1],
      ['MinorVersion', 1],
      ['Docrev', 1],
      ['EntryPointRevision', 1],
      ['-Reserved', 1],
      ['TableMaximumSize', 4],
      ['TableAddress', 8],
    ]);
  });

  test('the entry point sums to 0, and so does its second half', () => {
    const table = smbiosTable(described);
    const entry = smbiosEntry(table, AT);
    expect(byteSum(entry)).toBe(0);
    expect(byteSum(entry.subarray(16))).toBe(0);
    expect(viewOf(entry).getUint32(SMBIOS_ENTRY.TableAddress, true)).toBe(AT);
    expect(viewOf(entry).getUint16(SMBIOS_ENTRY.TableLength, true)).toBe(table.bytes.length);
    expect(byteSum(smbios3Entry(table, AT))).toBe(0);
  });

  test('structures are in order, as many as in the entry point, and end with type 127', () => {
    const table = smbiosTable(described);
    const list = parse(table.bytes);
    expect(list.map(({ type }) => type)).toEqual([0, 1, 2, 4, 16, 17, 127]);
    expect(list.length).toBe(table.count);
  });

  test('every structure has exactly the strings that it numbers', () => {
    const [bios, system, board, cpu, , memory] = parse(smbiosTable(described).bytes);
    expect(bios?.strings).toHaveLength(3);
    expect(system?.formatted.subarray(4, 8)).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(system?.strings[1]).toBe('Simulated machine');
    expect(board?.formatted.subarray(4, 8)).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(cpu?.strings).toEqual(['SP3', 'AuthenticAMD', 'EPYC']);
    expect(memory?.strings).toHaveLength(5);
  });

  test.each([
    [31 * GIB, 31 * 1024, 0],
    [32 * GIB - 2 ** 20, 0x7fff, 32 * 1024 - 1],
    [32 * GIB, 0x7fff, 32 * 1024],
    [1024 * GIB, 0x7fff, 1024 * 1024],
  ])('%i bytes of memory are the size %i and the extended size %i', (ram, size, extended) => {
    const memory = parse(smbiosTable({ ...described, ram }).bytes)[5]?.formatted;
    const view = viewOf(memory ?? new Uint8Array(0));
    expect(view.getUint16(0x0c, true)).toBe(size);
    expect(view.getUint32(0x1c, true)).toBe(extended);
  });
});
