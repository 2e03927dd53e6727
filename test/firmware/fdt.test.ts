/** Held against the device tree compiler `dtc`. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { boardTree } from '../../src/firmware/device-tree.js';
import { FDT_HEADER, FDT_MAGIC, writeFdt } from '../../src/firmware/fdt.js';

/** Runs dtc on bytes; its stdout. */
export function dtc(from: 'dtb' | 'dts', to: 'dtb' | 'dts', input: Uint8Array | string): Buffer {
  const ran = spawnSync('dtc', ['-q', '-I', from, '-O', to, '-'], { input });
  if (ran.error !== undefined) throw ran.error;
  if (ran.status !== 0) throw new Error(ran.stderr.toString());
  return ran.stdout;
}

describe('a flattened device tree', () => {
  test('has its header fields where the specification has them', () => {
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

  test('of the board decompiles with dtc and compiles to the same source again', () => {
    const blob = writeFdt(boardTree(4));
    const source = dtc('dtb', 'dts', blob);
    expect(source.toString()).toContain('cpu@3');
    expect(dtc('dtb', 'dts', dtc('dts', 'dtb', source)).toString()).toBe(source.toString());
  });

  test('holds texts, lists of texts, cells, bytes and empty values as dtc does', () => {
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
    const source = `/dts-v1/; / { text = "a"; texts = "one", "two"; cells = <0 0xffffffff>;
      bytes = [010203]; empty; child@1 { reg = <1>; }; };`;
    const theirs = new Uint8Array(dtc('dts', 'dtb', source));
    expect(dtc('dtb', 'dts', ours).toString()).toBe(dtc('dtb', 'dts', theirs).toString());
  });
});
