import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SymbolTable, compareUnsigned } from '../../../src/firmware/image/symbols.js';

const TEXT = -0x7f00_0000;
const table = new SymbolTable([
  { name: '_end', address: TEXT + 0x9000, type: 'B' },
  { name: '__per_cpu_start', address: 0, type: 'A' },
  { name: 'startup_64', address: TEXT, type: 'T' },
  { name: '_text', address: TEXT, type: 'T' },
  { name: 'weak_text', address: TEXT, type: 'W' },
  { name: 'sme_me_mask', address: TEXT + 0x5000, type: 'D' },
  { name: 'gdt_page', address: 0x1000, type: 'D' },
  { name: 'local', address: TEXT + 0x5008, type: 'd' },
  { name: 'local', address: TEXT + 0x6000, type: 't' },
]);

describe('a symbol table', () => {
  test('finds a symbol by name, with its address and nm letter', () => {
    expect(table.get('sme_me_mask')).toEqual({
      name: 'sme_me_mask',
      address: TEXT + 0x5000,
      type: 'D',
    });
    expect(table.get('early_top_pgt')).toBeUndefined();
    expect(table.get('')).toBeUndefined();
    expect(table.size).toBe(9);
  });

  test('finds the lower of two static symbols with one name', () => {
    expect(table.get('local')?.address).toBe(TEXT + 0x5008);
  });

  test('orders addresses as unsigned: per-CPU symbols before the kernel', () => {
    expect([...table.names()]).toEqual([
      '__per_cpu_start',
      'gdt_page',
      'startup_64',
      '_text',
      'weak_text',
      'sme_me_mask',
      'local',
      'local',
      '_end',
    ]);
  });

  test.each([
    [TEXT - 1, undefined],
    [TEXT, { name: 'startup_64', offset: 0 }],
    [TEXT + 0x4fff, { name: 'startup_64', offset: 0x4fff }],
    [TEXT + 0x5000, { name: 'sme_me_mask', offset: 0 }],
    [TEXT + 0x5007, { name: 'sme_me_mask', offset: 7 }],
    [TEXT + 0x5008, { name: 'local', offset: 0 }],
    [TEXT + 0x9000, { name: '_end', offset: 0 }],
    [TEXT + 0x9001, undefined],
    [0, { name: '__per_cpu_start', offset: 0 }],
    [0xfff, { name: '__per_cpu_start', offset: 0xfff }],
    [0x1000, { name: 'gdt_page', offset: 0 }],
    [0x1001, undefined],
    [0x100_0000, undefined],
  ])('finds the symbol that contains %d', (address, found) => {
    expect(table.at(address)).toEqual(found);
  });

  test.each([
    ['startup_64', 0x5000],
    ['weak_text', 0x5000],
    ['sme_me_mask', 8],
    ['__per_cpu_start', 0x1000],
    ['gdt_page', 0],
    ['_end', 0],
    ['no_such_name', 0],
  ])('%s has %d bytes to the next address', (name, room) => {
    expect(table.room(name)).toBe(room);
  });

  test('without symbols finds no name and no address', () => {
    const empty = new SymbolTable([]);
    expect(empty.size).toBe(0);
    expect(empty.get('_text')).toBeUndefined();
    expect(empty.at(TEXT)).toBeUndefined();
    expect(empty.room('_text')).toBe(0);
    expect([...empty.names()]).toEqual([]);
  });

  test('finds every name at its lowest address', () => {
    const symbols = fc.array(
      fc.record({
        name: fc.oneof(fc.constantFrom('a', 'b', 'ab', 'é', '__proto__'), fc.string()),
        address: fc.integer({ min: -0x8000_0000, max: 0x10_0000 }),
        type: fc.constantFrom('T', 'd', 'W'),
      }),
    );
    fc.assert(
      fc.property(symbols, (list) => {
        const made = new SymbolTable(list);
        for (const { name, address } of list) {
          const same = list.filter((other) => other.name === name).map((other) => other.address);
          expect(made.get(name)?.address).toBe(same.sort(compareUnsigned)[0]);
          expect(made.at(address)?.offset).toBe(0);
        }
        expect([...made.names()].sort()).toEqual(list.map(({ name }) => name).sort());
      }),
    );
  });
});
