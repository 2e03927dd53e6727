import { describe, expect, test } from '@jest/globals';
import {
  OPTION_ROM,
  PCIR,
  ROM_SIGNATURE,
  VIDEO_ROM,
  videoRom,
} from '../../src/firmware/option-rom.js';
import { byteSum } from '../../src/firmware/struct.js';
import { expectLayout } from './fields.js';

describe('the video ROM', () => {
  const rom = videoRom();
  const view = new DataView(rom.buffer);

  test('starts at a 2 KiB boundary with 55 aa, and sums to 0 over its length field', () => {
    expect(VIDEO_ROM % 2048).toBe(0);
    expect([...rom.subarray(0, 2)]).toEqual([0x55, 0xaa]);
    expect(view.getUint16(OPTION_ROM.Signature, true)).toBe(ROM_SIGNATURE);
    expect((rom[OPTION_ROM.InitializationSize] ?? 0) * OPTION_ROM.unit).toBe(rom.length);
    expect(byteSum(rom)).toBe(0);
  });

  test('has the offset of its PCI data, a multiple of 4', () => {
    const at = view.getUint16(OPTION_ROM.PCIDataStructure, true);
    expect(at % 4).toBe(0);
    expect(String.fromCharCode(...rom.subarray(at, at + 4))).toBe('PCIR');
    expect(view.getUint16(at + PCIR.ImageLength, true) * OPTION_ROM.unit).toBe(rom.length);
  });

  test('has PCI data with fields at the offsets that their widths imply', () => {
    expectLayout(PCIR, [
      ['Signature', 4],
      ['VendorID', 2],
      ['DeviceID', 2],
      ['-Device List Pointer', 2],
      ['Length', 2],
      ['Revision', 1],
      ['ClassCode', 3],
      ['ImageLength', 2],
      ['-Revision Level', 2],
      ['CodeType', 1],
      ['Indicator', 1],
      ['-Reserved', 2],
    ]);
  });
});
