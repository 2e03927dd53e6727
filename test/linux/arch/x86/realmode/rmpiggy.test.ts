import { describe, expect, test } from '@jest/globals';
import {
  OPERANDS,
  REAL_MODE_HEADER,
  realModeBlob,
  realModeRelocs,
  REALMODE_END_SIGNATURE,
  RM,
  RM_PAGES_SIZE,
  TR_GDT,
  TRAMPOLINE_HEADER,
} from '../../../../../src/linux/arch/x86/realmode/rmpiggy.js';
import { CODE_DESCRIPTOR } from '../../../../../src/machine/cpu/far-jump.js';

const blob = realModeBlob();
const view = new DataView(blob.buffer);

describe('the real-mode blob', () => {
  test('has whole pages for text, data and the trampoline’s PGD', () => {
    expect(blob.length).toBe(RM_PAGES_SIZE);
    expect(RM_PAGES_SIZE % 4096).toBe(0);
    expect([RM.text_start % 4096, RM.trampoline_start % 4096, RM.trampoline_pgd % 4096]).toEqual([
      0, 0, 0,
    ]);
    expect(RM.real_mode_blob_end).toBe(RM.end_signature + 4);
    expect(RM.real_mode_blob_end).toBeLessThanOrEqual(RM_PAGES_SIZE);
  });

  test.each([
    ['text_start', 0],
    ['ro_end', 4],
    ['trampoline_start', 8],
    ['trampoline_status', 12],
    ['trampoline_header', 16],
    ['trampoline_pgd', 20],
    ['machine_real_restart_asm', 24],
  ] as const)('its header has %s at %p (asm/realmode.h)', (name, offset) => {
    expect(REAL_MODE_HEADER[name].offset).toBe(offset);
    expect(view.getUint32(offset, true)).toBe(RM[name]);
  });

  test('the trampoline header is u64 start, u64 efer, u32 cr4, with room for one more u32', () => {
    expect(TRAMPOLINE_HEADER).toEqual({ start: 0, efer: 8, cr4: 16 });
    expect(RM.trampoline_status - RM.trampoline_header).toBe(24);
    expect(RM.trampoline_header % 8).toBe(0);
  });

  test('ends with its signature', () => {
    expect(view.getUint32(RM.end_signature, true)).toBe(REALMODE_END_SIGNATURE);
  });

  test('the IDT is empty and the GDT has 32-bit code, 64-bit code and data', () => {
    expect([...blob.subarray(RM.tr_idt, RM.tr_idt + 6)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(view.getUint16(RM.tr_gdt, true)).toBe(31);
    const field = (index: number, name: keyof typeof CODE_DESCRIPTOR): bigint =>
      ((TR_GDT[index] ?? 0n) >> CODE_DESCRIPTOR[name].shift) & CODE_DESCRIPTOR[name].mask;
    expect([0, 1, 2].map((i) => field(i, 'CODE'))).toEqual([3n, 3n, 2n]);
    expect([0, 1, 2].map((i) => field(i, 'L'))).toEqual([0n, 1n, 0n]);
    expect([0, 1, 2].map((i) => field(i, 'P'))).toEqual([1n, 1n, 1n]);
  });

  test('operands overlap neither the bytes that are fetched nor one another', () => {
    const used = new Set<number>();
    for (const { at, size } of Object.values(OPERANDS)) {
      for (let byte = at; byte < at + size; byte++) {
        expect(used.has(byte)).toBe(false);
        used.add(byte);
      }
    }
    const after = OPERANDS['ljmpw:offset'].value;
    for (const start of [RM.trampoline_start, RM.startup_32, RM.startup_64, after]) {
      for (let byte = start; byte < start + 16; byte++) expect(used.has(byte)).toBe(false);
    }
  });

  test('relocations are one segment and every linear address, inside the blob', () => {
    const words = new Uint32Array(realModeRelocs().buffer);
    expect(words[0]).toBe(1);
    expect(words[1]).toBe(OPERANDS['ljmpw:real_mode_seg'].at);
    const linear = Object.values(OPERANDS).filter((o) => o.relocation === 'linear').length;
    expect(words[2]).toBe(linear + Object.keys(REAL_MODE_HEADER).length + 1);
    expect(words.length).toBe(3 + (words[2] ?? 0));
    for (const site of words.subarray(3)) expect(site).toBeLessThan(RM.ro_end);
  });
});
