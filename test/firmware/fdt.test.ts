/** Compared with recorded blobs that dtc has decompiled; test/live/recorded.test.ts runs dtc again. */
import { describe, expect, test } from '@jest/globals';
import { boardTree } from '../../src/firmware/device-tree.js';
import { FDT_HEADER, FDT_MAGIC, writeFdt } from '../../src/firmware/fdt.js';
import { fixture } from '../fixtures/fixture.js';

describe('a flattened device tree', () => {
  test('has its header fields at the specification’s offsets', () => {
    expect(FDT_HEADER).toEqual({
      magic: 0,
      totalsize: 4,
      off_dt_struct: 8,
      off_dt_strings: 12,
      off_mem_rsvmap: 16,
      version: 20,
      last_comp_version: 24,
      boot_cpuid_phys: 28,
      size_dt_strings: 32,
      size_dt_struct: 36,
      size: 40,
    });
    const view = new DataView(writeFdt({ name: '', properties: {} }).buffer);
    expect(view.getUint32(FDT_HEADER.magic)).toBe(FDT_MAGIC);
    expect(view.getUint32(FDT_HEADER.totalsize)).toBe(view.byteLength);
  });

  test('of the built-in board equals the blob that dtc has decompiled and compiled', () => {
    expect(writeFdt(boardTree(4))).toEqual(fixture('dtc/built-in.dtb'));
  });

  test('encodes strings, string lists, cells, bytes and empty values as dtc does', () => {
    const ours = writeFdt({
      name: '',
      properties: {
        text: 'a',
        texts: ['one', 'two'],
        cells: [0, 0xffff_ffff],
        bytes: Uint8Array.of(1, 2, 3),
        empty: null,
      },
      children: [{ name: 'child@1', properties: { reg: [1] } }],
    });
    expect(ours).toEqual(fixture('dtc/values.dtb'));
  });
});
