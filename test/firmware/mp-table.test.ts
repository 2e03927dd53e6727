import { describe, expect, test } from '@jest/globals';
import {
  MP_BUS,
  MP_CONFIG,
  MP_FLOATING,
  MP_INTERRUPT,
  MP_IO_APIC,
  MP_PROCESSOR,
  mpConfig,
  mpFloating,
} from '../../src/firmware/mp-table.js';
import { byteSum } from '../../src/firmware/struct.js';
import { expectLayout } from './fields.js';

/** Bytes of an entry by its type (MP table 4-3). */
const ENTRY_SIZE: Readonly<Record<number, number>> = { 0: 20, 1: 8, 2: 8, 3: 8, 4: 8 };

describe('the MP table', () => {
  test('has its fields at the offsets that their widths imply', () => {
    expectLayout(MP_FLOATING, [
      ['Signature', 4],
      ['PhysicalAddressPointer', 4],
      ['Length', 1],
      ['SpecRev', 1],
      ['Checksum', 1],
      ['Feature1', 1],
      ['Feature2', 1],
      ['-Feature3 to 5', 3],
    ]);
    expectLayout(MP_CONFIG, [
      ['Signature', 4],
      ['BaseTableLength', 2],
      ['SpecRev', 1],
      ['Checksum', 1],
      ['OEMID', 8],
      ['ProductID', 12],
      ['-OEM table pointer and size', 6],
      ['EntryCount', 2],
      ['LocalAPICAddress', 4],
      ['-Extended table length and checksum, reserved', 4],
    ]);
  });

  test('the floating pointer is 16 bytes that sum to 0', () => {
    const pointer = mpFloating(0xf_d800);
    expect(pointer.length).toBe(16 * (pointer[MP_FLOATING.Length] ?? 0));
    expect(byteSum(pointer)).toBe(0);
    expect(new DataView(pointer.buffer).getUint32(4, true)).toBe(0xf_d800);
  });

  test.each([1, 2, 8])('of %i CPUs lists as many, the first as boot processor', (cpus) => {
    const table = mpConfig(cpus, 0xf12);
    const view = new DataView(table.buffer);
    expect(byteSum(table)).toBe(0);
    expect(view.getUint16(MP_CONFIG.BaseTableLength, true)).toBe(table.length);
    const flags: number[] = [];
    let entries = 0;
    let at: number = MP_CONFIG.size;
    let before = -1;
    while (at < table.length) {
      const type = table[at] ?? -1;
      // Entries are in the order of their types (MP 4.3).
      expect(type).toBeGreaterThanOrEqual(before);
      before = type;
      if (type === MP_PROCESSOR.type) flags.push(table[at + MP_PROCESSOR.CPUFlags] ?? 0);
      entries++;
      at += ENTRY_SIZE[type] ?? table.length;
    }
    expect(at).toBe(table.length);
    expect(entries).toBe(view.getUint16(MP_CONFIG.EntryCount, true));
    expect(flags).toEqual([3, ...new Array<number>(cpus - 1).fill(1)]);
  });

  // MP 4.3.2, table 4-8: six characters, padded with blanks.
  test('has one bus, of the type ISA', () => {
    const table = mpConfig(1, 0xf12);
    const at = MP_CONFIG.size + MP_PROCESSOR.size;
    expect([table[at], table[at + MP_BUS.size]]).toEqual([MP_BUS.type, MP_IO_APIC.type]);
    const name = table.subarray(at + MP_BUS.BusType, at + MP_BUS.size);
    expect(new TextDecoder().decode(name)).toBe('ISA   ');
  });

  test('assigns each input of the I/O APIC to one interrupt of the ISA bus', () => {
    const table = mpConfig(1, 0xf12);
    const inputs: number[] = [];
    for (let at = MP_CONFIG.size + 20; at < table.length; at += MP_IO_APIC.size) {
      if (table[at] === MP_INTERRUPT.io) {
        inputs.push(table[at + MP_INTERRUPT.DestinationINTIN] ?? -1);
      }
    }
    expect(inputs.length).toBe(15);
    expect(new Set(inputs).size).toBe(15);
  });
});
