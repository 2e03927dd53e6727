import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ImageSegment } from '../../../src/firmware/image/elf.js';
import { readKallsyms } from '../../../src/firmware/image/kallsyms.js';
import type { SymbolTable } from '../../../src/firmware/image/symbols.js';
import {
  ascii,
  buildKallsyms,
  concat,
  KALLSYMS_AT,
  noise,
  type KallsymsLayout,
  type KallsymsSymbol,
} from './build.js';

/** KALLSYMS_AT is where segment() has its tables. */
const TEXT = KALLSYMS_AT - 8192;

/** `count` symbols as kallsyms sorts them, some of them per-CPU ones from 0 upward. */
function symbols(count: number, percpu = 0): KallsymsSymbol[] {
  const names = ['init', 'sys_open', 'level2_kernel_pgt', 'early_top_pgt', 'symbol', '__boot_x'];
  return Array.from({ length: count }, (_, index) => ({
    name: `${names[index % names.length] ?? ''}_${index}`,
    type: index % 3 === 0 ? 'T' : 'd',
    address: index < percpu ? index * 8 : TEXT + (index - percpu) * 0x30,
  }));
}

/** Tables between bytes that resemble none, and a pattern of digits that is no token table. */
function segment(tables: Uint8Array, vaddr = TEXT): ImageSegment {
  const decoy = ascii('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\0');
  const bytes = concat(noise(4096), decoy, new Uint8Array(4076), tables, noise(4096, 7));
  return { vaddr, paddr: 0x100_0000, bytes, memsz: bytes.length, flags: 5 };
}

function listed(table: SymbolTable | undefined): KallsymsSymbol[] | undefined {
  return table && [...table.names()].flatMap((name) => table.get(name) ?? []);
}

const LAYOUTS: readonly (readonly [string, KallsymsLayout])[] = [
  ['4.5: 64-bit addresses', { word: 8, addresses: 'absolute', order: 'classic' }],
  ['4.6, uniprocessor: offsets', { word: 8, addresses: 'relative', order: 'classic' }],
  [
    '4.6: offsets, per-CPU ones absolute',
    { word: 8, addresses: 'relative-percpu', order: 'classic' },
  ],
  ['6.1: 32-bit markers', { word: 4, addresses: 'relative-percpu', order: 'classic' }],
  ['6.2: sequence numbers', { word: 4, addresses: 'relative-percpu', order: 'seqs' }],
  ['6.5: addresses last', { word: 4, addresses: 'relative-percpu', order: 'addresses-last' }],
  ['6.15: offsets, no per-CPU ones', { word: 4, addresses: 'relative', order: 'addresses-last' }],
  [
    '7.0: offsets from their own place, tables on multiples of 4',
    { word: 4, addresses: 'place-relative', order: 'addresses-last', align: 4 },
  ],
];

describe.each(LAYOUTS)('kallsyms of %s', (_title, layout) => {
  // Without room for them among offsets from the base, per-CPU symbols are not in the table.
  const percpu = /percpu|absolute/.test(layout.addresses) ? 40 : 0;

  test.each([1, 2, 255, 256, 257, 512, 513, 1500])('has all of %d symbols', (count) => {
    const list = symbols(count + percpu, percpu);
    const found = readKallsyms([segment(buildKallsyms(list, layout))]);
    expect(listed(found)).toEqual(list);
  });

  test('is found in any segment', () => {
    const list = symbols(300 + percpu, percpu);
    const other = { ...segment(noise(999)), vaddr: 0 };
    const found = readKallsyms([other, segment(buildKallsyms(list, layout))]);
    expect(found?.size).toBe(300 + percpu);
    expect(found?.get('init_102')?.address).toBe(TEXT + (102 - percpu) * 0x30);
    expect(found?.at(TEXT + 0x31)).toEqual({ name: list[percpu + 1]?.name, offset: 1 });
  });

  test('may have names of more than 127 tokens', () => {
    const list = symbols(300 + percpu, percpu);
    const long = Array.from({ length: 200 }, (_, i) => 'qwertzuiop'[i % 10]).join('');
    list.push({ name: long, type: 't', address: TEXT + 0x10_0000 });
    const found = readKallsyms([segment(buildKallsyms(list, layout))]);
    expect(found?.get(long)?.address).toBe(TEXT + 0x10_0000);
  });

  test('corrupted in any byte is read or not found', () => {
    const tables = buildKallsyms(symbols(600 + percpu, percpu), layout);
    fc.assert(
      fc.property(fc.nat(tables.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const found = readKallsyms([segment(tables.with(at, byte))]);
        if (found !== undefined) expect([...found.names()]).toHaveLength(found.size);
      }),
      { numRuns: 60 },
    );
  });

  test('is not found if truncated', () => {
    const tables = buildKallsyms(symbols(600 + percpu, percpu), layout);
    const whole = segment(tables);
    for (let cut = 64; cut < tables.length; cut += 499) {
      const bytes = whole.bytes.subarray(0, 8192 + 100 + tables.length - cut);
      const found = readKallsyms([{ ...whole, bytes }]);
      if (found !== undefined) expect(found.size).toBe(600 + percpu);
    }
  });
});

describe('without kallsyms', () => {
  test.each([
    ['no segments', []],
    ['no bytes', [segment(new Uint8Array(0))].map((s) => ({ ...s, bytes: new Uint8Array(0) }))],
    ['noise', [segment(noise(1 << 16, 3))]],
    [
      'digits at the very end',
      [{ ...segment(noise(9)), bytes: ascii('0\x001\x002\x003\x004\x00') }],
    ],
  ])('%s: readKallsyms returns undefined', (_title, segments) => {
    expect(readKallsyms(segments)).toBeUndefined();
  });

  test('names whose addresses do not ascend: readKallsyms returns undefined', () => {
    const list = symbols(300);
    const broken = list.map((symbol, index) =>
      index === 200 ? { ...symbol, address: TEXT } : symbol,
    );
    for (const [, layout] of LAYOUTS) {
      expect(readKallsyms([segment(buildKallsyms(broken, layout))])).toBeUndefined();
    }
  });
});
