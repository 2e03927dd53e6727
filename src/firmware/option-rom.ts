/** The video BIOS: an option ROM as firmware leaves it in shadow RAM (PCI Firmware Specification 3.0, 5.2.1). */
import { noiseBytes, Struct } from './struct.js';

/** Physical address of a video BIOS (PC convention: C000h:0000h). */
export const VIDEO_ROM = 0xc_0000;

/** Header of the image for PC-AT machines. */
export const OPTION_ROM = {
  Signature: 0,
  /** In units of 512 bytes. */
  InitializationSize: 2,
  Entry: 3,
  PCIDataStructure: 0x18,
  unit: 512,
} as const;
/** PCI Data Structure (PCI Firmware Specification 3.0, 5.1.2). */
export const PCIR = {
  Signature: 0x00,
  VendorID: 0x04,
  DeviceID: 0x06,
  Length: 0x0a,
  Revision: 0x0c,
  ClassCode: 0x0d,
  ImageLength: 0x10,
  CodeType: 0x14,
  Indicator: 0x15,
  size: 0x18,
} as const;
export const ROM_SIGNATURE = 0xaa55;

/** 32 KiB, and the adapter's ids (our choice). */
const UNITS = 64;
const VENDOR = 0x1234;
const DEVICE = 0x1111;
const VGA_CLASS = 0x03;
const PCIR_AT = 0x40;
const LAST_IMAGE = 0x80;
const SEED = 0x0c00_05ed;
/** JMP SHORT over the header. */
const JMP = [0xeb, 0x7b] as const;

/** The image: header, PCI data, noise in place of code (our choice), and a last byte that makes the sum 0. */
export function videoRom(): Uint8Array {
  const size = UNITS * OPTION_ROM.unit;
  return new Struct(size)
    .put(0, noiseBytes(size, SEED))
    .put(0, new Uint8Array(PCIR_AT + PCIR.size))
    .u16(OPTION_ROM.Signature, ROM_SIGNATURE)
    .u8(OPTION_ROM.InitializationSize, UNITS)
    .put(OPTION_ROM.Entry, Uint8Array.from(JMP))
    .u16(OPTION_ROM.PCIDataStructure, PCIR_AT)
    .ascii(PCIR_AT + PCIR.Signature, 'PCIR')
    .u16(PCIR_AT + PCIR.VendorID, VENDOR)
    .u16(PCIR_AT + PCIR.DeviceID, DEVICE)
    .u16(PCIR_AT + PCIR.Length, PCIR.size)
    .u8(PCIR_AT + PCIR.ClassCode + 2, VGA_CLASS)
    .u16(PCIR_AT + PCIR.ImageLength, UNITS)
    .u8(PCIR_AT + PCIR.Indicator, LAST_IMAGE)
    .sum(size - 1, 0, size).bytes;
}
