/** The readers on Debian's kernel, which scripts/fetch-debian-kernel.mjs fetches. */
import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readBzImage, SETUP_HEADER } from '../../src/firmware/image/bzimage.js';
import { readKernelImage } from '../../src/firmware/image/kernel-image.js';
import { readSystemMap } from '../../src/firmware/image/system-map.js';
import { compareUnsigned } from '../../src/firmware/image/symbols.js';

interface Fetched {
  package: string;
  version: string;
  vmlinuz: string;
  systemMap?: string;
}

const RECORD = '.cache/debian-kernel/kernel.json';
if (!existsSync(RECORD)) {
  throw new Error('There is no real kernel here: run node scripts/fetch-debian-kernel.mjs first.');
}
const fetched = JSON.parse(readFileSync(RECORD, 'utf8')) as Fetched;
const bytes = new Uint8Array(readFileSync(fetched.vmlinuz));
const file = 'vmlinuz';
const image = readKernelImage(bytes, { file });
const { symbols, segments } = image;

/** The address of a symbol that must exist. */
function at(name: string): number {
  const symbol = symbols.get(name);
  if (symbol === undefined) throw new Error(`no symbol ${name}`);
  return symbol.address;
}
/** The kernel's bytes at a virtual address. */
function bytesAt(address: number, length: number): Uint8Array | undefined {
  const segment = segments.find(
    ({ vaddr, bytes: data }) => address >= vaddr && address + length <= vaddr + data.length,
  );
  return segment?.bytes.subarray(address - segment.vaddr, address - segment.vaddr + length);
}

describe("Debian's cloud kernel", () => {
  test('is a bzImage whose entry is the start of its first segment', () => {
    expect(image.kind).toBe('bzImage');
    expect(image.entry).toBe(segments[0]?.paddr);
    expect(image.digest).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('has the version of its package', () => {
    const release = fetched.package.replace('linux-image-', '');
    expect(image.version).toContain(release);
    expect(image.version).toContain(fetched.version);
  });

  test('has segments for text, data, per-CPU data and init', () => {
    expect(segments).toHaveLength(4);
    expect(segments.filter(({ vaddr }) => vaddr === 0)).toHaveLength(1);
    expect(segments.find(({ vaddr }) => vaddr === at('_text'))?.paddr).toBe(0x100_0000);
  });

  test('has at least 87,000 symbols in ascending order', () => {
    expect(symbols.size).toBeGreaterThan(87_000);
    const kernel = [...symbols.names()].flatMap((name) => symbols.get(name)?.address ?? []);
    expect(kernel).toHaveLength(symbols.size);
    const bounds = [at('_text'), at('_etext'), at('_sdata'), at('__bss_start'), at('_end')];
    expect(bounds).toEqual([...bounds].sort(compareUnsigned));
  });

  test.each([
    '_text',
    '_stext',
    '_end',
    '__bss_start',
    '__bss_stop',
    'startup_64',
    'init_top_pgt',
    'early_top_pgt',
    'early_dynamic_pgts',
    'level3_kernel_pgt',
    'level2_kernel_pgt',
    'level2_fixmap_pgt',
    'level1_fixmap_pgt',
    'boot_params',
    'boot_command_line',
    'phys_base',
    'sme_me_mask',
    'idt_table',
    'initrd_start',
    '__brk_base',
    'init_thread_union',
    'x86_64_start_kernel',
    'start_kernel',
    'setup_arch',
  ])('has %s inside [_text, _end]', (name) => {
    expect(at(name)).toBeGreaterThanOrEqual(at('_text'));
    expect(at(name)).toBeLessThanOrEqual(at('_end'));
  });

  test('has its banner at linux_banner', () => {
    const banner = bytesAt(at('linux_banner'), 20) ?? [];
    expect(String.fromCharCode(...banner)).toMatch(/^Linux version \d/);
  });

  test('has page-aligned page tables, and phys_base 0', () => {
    for (const name of [
      'early_top_pgt',
      'init_top_pgt',
      'level3_kernel_pgt',
      'level2_kernel_pgt',
    ]) {
      expect(Math.abs(at(name) % 0x1000)).toBe(0);
      expect(symbols.room(name)).toBeGreaterThanOrEqual(0x1000);
    }
    expect(bytesAt(at('phys_base'), 8)).toEqual(new Uint8Array(8));
  });

  test.each(['__ksymtab', '__ksymtab_gpl'])(
    'has the addresses of the symbols that %s exports to modules',
    (table) => {
      // struct kernel_symbol (include/linux/export.h): value, name and namespace, each relative to its own address.
      const ENTRY = 12;
      const start = at(`__start_${table}`);
      const count = (at(`__stop_${table}`) - start) / ENTRY;
      expect(count).toBeGreaterThan(3000);
      const target = (address: number): number => {
        const field = bytesAt(address, 4);
        if (field === undefined) throw new Error('an export outside the image');
        return address + new DataView(field.buffer, field.byteOffset, 4).getInt32(0, true);
      };
      const wrong: string[] = [];
      for (let index = 0; index < count; index++) {
        const entry = start + index * ENTRY;
        const text = bytesAt(target(entry + 4), 256) ?? new Uint8Array(0);
        const name = String.fromCharCode(...text.subarray(0, text.indexOf(0)));
        const value = target(entry);
        // A static symbol of the same name may have a lower address.
        const found = symbols.get(name)?.address;
        if (found !== value && symbols.at(value)?.name !== name) wrong.push(name);
      }
      expect(wrong).toEqual([]);
    },
  );

  test('agrees with the System.map of its package, unless that is a placeholder', () => {
    const map = fetched.systemMap;
    if (map === undefined) {
      const note = fetched.vmlinuz.replace('vmlinuz-', 'System.map-');
      expect(() => readSystemMap(readFileSync(note, 'utf8'), note)).toThrow(/^E_BAD_SYSTEM_MAP/);
      return;
    }
    const truth = readSystemMap(readFileSync(map, 'utf8'), map);
    const wrong = [...symbols.names()].filter((name) => {
      const real = truth.get(name);
      return real !== undefined && real.address !== symbols.get(name)?.address;
    });
    expect(wrong).toEqual([]);
  });

  test('truncated anywhere before the end of its payload is refused', () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const code = (view.getUint8(SETUP_HEADER.setup_sects) + 1) * 512;
    const start = code + view.getUint32(SETUP_HEADER.payload_offset, true);
    const end = start + view.getUint32(SETUP_HEADER.payload_length, true);
    for (const length of [0, 0x1f1, 0x264, start, start + 1, end >>> 1, end - 1]) {
      expect(() => readBzImage(bytes.subarray(0, length), file)).toThrow(
        /^E_TRUNCATED: vmlinuz, offset/,
      );
    }
    expect(readBzImage(bytes.subarray(0, end), file).payload.length).toBeGreaterThan(end - start);
  });
});
