/** Images made to take excessive time or memory: their symbol tables are refused or read in a bounded number of steps. */
import { describe, expect, test } from '@jest/globals';
import { readElf, type ImageSegment } from '../../../src/firmware/image/elf.js';
import { readKallsyms } from '../../../src/firmware/image/kallsyms.js';
import { SymbolTable } from '../../../src/firmware/image/symbols.js';
import { ascii, buildElf, buildKallsyms, concat, refusal, viewOf } from './build.js';
import { exhaustiveTest } from '../../cases.js';

const TEXT = -0x7f00_0000;
/** Milliseconds: far more than a bounded search takes on a busy machine, far less than an unbounded one. */
const TIME = 30_000;

const segment = (bytes: Uint8Array): ImageSegment => ({
  vaddr: TEXT,
  paddr: 0x100_0000,
  bytes,
  memsz: bytes.length,
  flags: 5,
});

describe('kallsyms', () => {
  const symbols = Array.from({ length: 300 }, (_, index) => ({
    name: `a_${index}`,
    type: 'T',
    address: TEXT + 16 * index,
  }));
  const tables = buildKallsyms(symbols, { word: 4, addresses: 'relative', order: 'classic' });

  test('with names longer than KSYM_NAME_LEN is not found', () => {
    const long = buildKallsyms(
      [{ name: 'x'.repeat(513), type: 'T', address: TEXT }, ...symbols.slice(1)],
      { word: 4, addresses: 'relative', order: 'classic' },
    );
    const just = buildKallsyms(
      [{ name: 'x'.repeat(511), type: 'T', address: TEXT }, ...symbols.slice(1)],
      { word: 4, addresses: 'relative', order: 'classic' },
    );
    expect(readKallsyms([segment(long)])).toBeUndefined();
    expect(readKallsyms([segment(just)])?.size).toBe(300);
  });

  test(
    'is searched for in bounded time among digits',
    () => {
      const digits = ascii('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\0');
      const bytes = new Uint8Array(4_000_000).map((_, at) => digits[at % digits.length] ?? 0);
      expect(readKallsyms([segment(bytes)])).toBeUndefined();
    },
    TIME,
  );

  test(
    'is searched for in bounded time in many segments that share their bytes',
    () => {
      const digits = ascii('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\0');
      const bytes = new Uint8Array(1_000_000).map((_, at) => digits[at % digits.length] ?? 0);
      const many = Array.from({ length: 1000 }, () => segment(bytes.subarray(0, 1000)));
      expect(readKallsyms([segment(bytes), ...many])).toBeUndefined();
    },
    TIME,
  );

  test(
    'is searched for in bounded time among look-alikes of markers and counts',
    () => {
      // Before a complete token table: "0, 512" over and over, each the start of two markers, each after a count.
      const start = tables.length - tokenBytes(tables);
      const words = new Uint8Array(3 << 20);
      const view = viewOf(words);
      for (let at = 0; at < words.length; at += 8)
        view.setUint32(at, at % 16 === 0 ? 0 : 300, true);
      const bytes = concat(words, tables.subarray(start));
      expect(readKallsyms([segment(bytes)])).toBeUndefined();
    },
    TIME,
  );

  /** Bytes of token_table and token_index at the end of the tables. */
  function tokenBytes(bytes: Uint8Array): number {
    const index = bytes.length - 512;
    const last = viewOf(bytes).getUint16(index + 510, true);
    // The last token is empty or one character; its table is padded to 8.
    return 512 + Math.ceil((last + 1) / 8) * 8;
  }
});

describe('a symbol table', () => {
  test(
    'of 60,000 equal names finds the lowest symbol, as fast as with different names',
    () => {
      const table = new SymbolTable(
        Array.from({ length: 60_000 }, (_, index) => ({
          name: 'same',
          type: 't',
          address: TEXT + index,
        })),
      );
      expect(table.get('same')?.address).toBe(TEXT);
      expect(table.get('other')).toBeUndefined();
    },
    TIME,
  );

  test('of names with colliding hashes finds each of them', () => {
    // FNV-1a of 32 bits: names whose hash has the same lower 20 bits, found by search.
    const hash = (name: string): number => {
      let value = 0x811c_9dc5;
      for (let at = 0; at < name.length; at++) {
        value = Math.imul(value ^ name.charCodeAt(at), 0x0100_0193);
      }
      return value & 0xfff;
    };
    const names: string[] = [];
    for (let n = 0; names.length < 800; n++) if (hash(`n${n}`) === 0) names.push(`n${n}`);
    const table = new SymbolTable(
      names.map((name, index) => ({ name, type: 't', address: TEXT + index })),
    );
    for (const [index, name] of names.entries())
      expect(table.get(name)?.address).toBe(TEXT + index);
    expect(table.get('n')).toBeUndefined();
  });
});

describe('an ELF symbol table', () => {
  const elf = (length: number, count: number): Uint8Array => {
    const name = 'x'.repeat(length);
    const first = { name, value: TEXT };
    const rest = Array.from({ length: count }, (_, index) => ({ name: '', value: TEXT + index }));
    const bytes = buildElf({
      segments: [{ vaddr: TEXT, paddr: 0x100_0000, bytes: ascii('text') }],
      symbols: [first, ...rest],
    });
    // All others share the first one's text.
    const view = viewOf(bytes);
    const symtab = Number(
      view.getBigUint64(Number(view.getBigUint64(40, true)) + 5 * 64 + 24, true),
    );
    for (let index = 0; index <= count; index++) view.setUint32(symtab + 24 * (index + 1), 1, true);
    return bytes;
  };

  test('may have symbols that share a text', () => {
    expect(readElf(elf(511, 100), { file: 'vmlinux' }).symbols?.size).toBe(101);
  });

  test('omits names of KSYM_NAME_LEN and more, as kallsyms does', () => {
    expect(readElf(elf(512, 100), { file: 'vmlinux' }).symbols).toBeUndefined();
  });

  exhaustiveTest(
    'whose names exceed the limit in total is refused',
    () => {
      const error = refusal(() => readElf(elf(511, 70_000), { file: 'vmlinux' }));
      expect({ code: error.code, reason: error.reason }).toEqual({
        code: 'E_TOO_LARGE',
        reason: 'names of the symbol table',
      });
    },
    TIME,
  );
});
