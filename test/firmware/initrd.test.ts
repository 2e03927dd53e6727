import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { readCpio, S_IFDIR, S_IFMT, type CpioEntry } from '../../src/firmware/cpio.js';
import {
  builtInInitrd,
  EQUIV_CPU_ENTRY,
  F17H_PATCH_SIZE,
  MICROCODE_HEADER_AMD,
  MICROCODE_PATH,
  microcodeContainer,
  NAPLES_CPUID,
  NAPLES_EQUIV_CPU,
  NAPLES_PATCH_ID,
  rootEntries,
  UCODE_CONTAINER,
  UCODE_SECTION,
} from '../../src/firmware/initrd.js';
import { viewOf } from './image/build.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const initrd = builtInInitrd();
const early = readCpio(initrd, { file: 'initrd' });

/** The part after the early archive, unpacked by zlib. */
const gunzipped = (): Uint8Array => new Uint8Array(gunzipSync(initrd.subarray(early.end)));

describe('the built-in initrd', () => {
  test('is deterministic, and has 300 to 600 KiB', () => {
    expect(sha256(builtInInitrd())).toBe(sha256(initrd));
    expect(initrd.length).toBeGreaterThan(300 * 1024);
    expect(initrd.length).toBeLessThan(600 * 1024);
  });

  test('starts with an uncompressed archive of microcode, each directory before its contents', () => {
    expect(early.entries.map(({ name }) => name)).toEqual([
      'kernel',
      'kernel/x86',
      'kernel/x86/microcode',
      MICROCODE_PATH,
    ]);
    expect(early.entries.at(-1)?.body).toEqual(microcodeContainer());
  });

  test('continues with a gzip member without a time', () => {
    expect(early.end % 4).toBe(0);
    expect([...initrd.subarray(early.end, early.end + 8)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
  });

  test('has a root file system that zlib decompresses', () => {
    const packed = gunzipped();
    const { entries, end } = readCpio(packed, { file: 'root' });
    expect(end).toBe(packed.length);
    const inShort = ({ name, mode, body }: CpioEntry) => ({ name, mode, body: sha256(body) });
    expect(entries.map(inShort)).toEqual(rootEntries().map(inShort));
  });

  test('has an executable /init, and each directory before its files', () => {
    const seen = new Set(['']);
    for (const { name, mode } of rootEntries()) {
      expect(seen).toContain(name.split('/').slice(0, -1).join('/'));
      if ((mode & S_IFMT) === S_IFDIR) seen.add(name);
    }
    const init = rootEntries().find(({ name }) => name === 'init');
    expect(init?.mode).toBe(0o100755);
    expect(String.fromCharCode(...(init?.body ?? []))).toMatch(/^#!\/bin\/sh\n/);
  });

  test('has contents that do not compress, so that it spans many pages', () => {
    const modules = rootEntries().find(({ name }) => name === 'lib/modules.bin');
    expect(modules?.body).toHaveLength(384 * 1024);
    expect(sha256(modules?.body ?? new Uint8Array(0))).toBe(
      '98b0e729d8db848df7945722f75d0591c36b3ee8731282466aaa97d46336fc7c',
    );
    expect(initrd.length).toBeGreaterThan(384 * 1024);
  });
});

describe("AMD's microcode container", () => {
  const bytes = microcodeContainer();
  const view = viewOf(bytes);
  const section = UCODE_CONTAINER.table + 2 * EQUIV_CPU_ENTRY.size;
  const patch = section + UCODE_SECTION.patch;

  test('has the layouts of microcode_amd.h', () => {
    expect(UCODE_CONTAINER).toEqual({ magic: 0, type: 4, size: 8, table: 12 });
    expect(UCODE_SECTION).toEqual({ type: 0, size: 4, patch: 8 });
    expect(EQUIV_CPU_ENTRY).toEqual({
      installed_cpu: 0,
      fixed_errata_mask: 4,
      fixed_errata_compare: 8,
      equiv_cpu: 12,
      res: 14,
      size: 16,
    });
    expect(MICROCODE_HEADER_AMD).toEqual({
      data_code: 0,
      patch_id: 4,
      mc_patch_data_id: 8,
      mc_patch_data_len: 10,
      init_flag: 11,
      mc_patch_data_checksum: 12,
      nb_dev_id: 16,
      sb_dev_id: 20,
      processor_rev_id: 24,
      nb_rev_id: 26,
      sb_rev_id: 27,
      bios_api_rev: 28,
      reserved1: 29,
      match_reg: 32,
      size: 64,
    });
  });

  test('starts with its magic and a table that an empty entry ends', () => {
    expect(String.fromCharCode(...bytes.subarray(0, 4))).toBe('DMA\0');
    expect(view.getUint32(4, true)).toBe(0);
    expect(view.getUint32(8, true)).toBe(32);
    expect(view.getUint32(12, true)).toBe(NAPLES_CPUID);
    expect(view.getUint16(12 + 12, true)).toBe(NAPLES_EQUIV_CPU);
    expect([...bytes.subarray(28, 44)]).toEqual(Array(16).fill(0));
  });

  test('has one patch, for the CPU in the table, and ends with it', () => {
    expect(view.getUint32(section, true)).toBe(1);
    expect(view.getUint32(section + 4, true)).toBe(F17H_PATCH_SIZE);
    expect(patch + F17H_PATCH_SIZE).toBe(bytes.length);
    expect(view.getUint32(patch + MICROCODE_HEADER_AMD.patch_id, true)).toBe(NAPLES_PATCH_ID);
    expect(view.getUint16(patch + MICROCODE_HEADER_AMD.processor_rev_id, true)).toBe(
      NAPLES_EQUIV_CPU,
    );
  });
});

test('the built-in initrd is padded with zeros to a requested size and never truncated', () => {
  const long = builtInInitrd(initrd.length + 4097);
  expect(long).toHaveLength(initrd.length + 4097);
  expect(sha256(long.slice(0, initrd.length))).toBe(sha256(initrd));
  expect(long.slice(initrd.length).every((byte) => byte === 0)).toBe(true);
  expect(builtInInitrd(1)).toHaveLength(initrd.length);
});
