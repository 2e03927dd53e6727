/** Addresses of the model's variables in an image, on images with a few symbols. */
import { describe, expect, test } from '@jest/globals';
import type { KernelImage } from '../../src/firmware/image/kernel-image.js';
import { SymbolTable } from '../../src/firmware/image/symbols.js';
import { __START_KERNEL_map } from '../../src/kernel/constants.js';
import { ImagePlaces } from '../../src/kernel/image-places.js';
import { quads, type Variable } from '../../src/kernel/variables.js';

const TEXT = __START_KERNEL_map + 0x100_0000;
/** End of the segment's file bytes: .bss follows. */
const BSS = TEXT + 0x100;

/** An image with symbols and 64-bit words in its file, both by their distance from _text. */
function imageWith(
  symbols: Record<string, number>,
  words: Record<number, bigint> = {},
): KernelImage {
  const bytes = new Uint8Array(BSS - TEXT);
  const view = new DataView(bytes.buffer);
  for (const [at, word] of Object.entries(words)) {
    view.setBigUint64(Number(at), BigInt.asUintN(64, word), true);
  }
  const list = Object.entries({ ...symbols, _end: 0x1000 }).map(([name, at]) => ({
    name,
    address: TEXT + at,
    type: 'D',
  }));
  return {
    kind: 'vmlinux',
    file: 'test',
    digest: '',
    entry: 0x100_0000,
    symbols: new SymbolTable([...list, { name: 'this_cpu', address: 0x40, type: 'A' }]),
    segments: [{ vaddr: TEXT, paddr: 0x100_0000, memsz: 0x1000, bytes, flags: 0 }],
  };
}

function variable(name: string, more: Partial<Variable> = {}): Variable {
  return { name, size: 8, align: 8, section: '.data', file: 'test.c', ...more };
}

/** A variable that holds the address of a name. */
const pointer = (name: string, to: string): Variable =>
  variable(name, { init: (at) => quads([BigInt(at.link(to))]) });

/** Distance of the first variable's address from _text; undefined if the image does not have it. */
function placeOf(
  image: KernelImage,
  variables: readonly [Variable, ...Variable[]],
  functions: readonly string[] = [],
): number | undefined {
  const address = new ImagePlaces(image, variables, functions).variable(variables[0]);
  return address === undefined ? undefined : address - TEXT;
}

describe('a variable has its address in the image', () => {
  test.each([
    [7, undefined],
    [8, 0x10],
    [9, 0x10],
  ])('with %i bytes to the next symbol: %p', (room, place) => {
    expect(placeOf(imageWith({ a: 0x10, next: 0x10 + room }), [variable('a')])).toBe(place);
  });

  test('if the address is aligned as in the base kernel', () => {
    expect(placeOf(imageWith({ a: 0x14 }), [variable('a')])).toBeUndefined();
    expect(placeOf(imageWith({ a: 0x18 }), [variable('a')])).toBe(0x18);
  });

  test('with the contents of the base kernel, zero-filled, and not with others', () => {
    const a = variable('a', { size: 16, init: () => quads([5n]) });
    expect(placeOf(imageWith({ a: 0x10 }, { 0x10: 5n }), [a])).toBe(0x10);
    expect(placeOf(imageWith({ a: 0x10 }, { 0x10: 6n }), [a])).toBeUndefined();
    expect(placeOf(imageWith({ a: 0x10 }, { 0x10: 5n, 0x18: 1n }), [a])).toBeUndefined();
  });

  test('that is all zero if the file has zeros there, or in .bss', () => {
    expect(placeOf(imageWith({ a: 0x10 }, { 0x10: 1n }), [variable('a')])).toBeUndefined();
    expect(placeOf(imageWith({ a: BSS - TEXT - 8 }), [variable('a', { size: 16 })])).toBe(0xf8);
  });

  test('but not if its name is a per-CPU symbol, which is an offset from 0', () => {
    expect(placeOf(imageWith({}), [variable('this_cpu', { size: 1, align: 1 })])).toBeUndefined();
  });

  test('also under the name of later kernels', () => {
    const pgt = variable('early_level4_pgt');
    expect(placeOf(imageWith({ early_top_pgt: 0x20 }), [pgt])).toBe(0x20);
  });
});

describe('contents that hold an address', () => {
  test('match if the image has that name, and its address there', () => {
    const image = imageWith({ a: 0x10, f: 0x80 }, { 0x10: BigInt(TEXT + 0x80) });
    expect(placeOf(image, [pointer('a', 'f')], ['f'])).toBe(0x10);
  });

  test('do not match if the function is not in the image', () => {
    expect(placeOf(imageWith({ a: 0x10 }), [pointer('a', 'f')], ['f'])).toBeUndefined();
  });

  test('do not match if the other variable is in the overlay, although the image has its symbol', () => {
    const image = imageWith({ a: 0x10, b: 0x20 }, { 0x10: BigInt(TEXT + 0x20), 0x20: 9n });
    expect(placeOf(image, [pointer('a', 'b'), variable('b')])).toBeUndefined();
    const fits = imageWith({ a: 0x10, b: 0x20 }, { 0x10: BigInt(TEXT + 0x20) });
    expect(placeOf(fits, [pointer('a', 'b'), variable('b')])).toBe(0x10);
  });

  test('may be the address of the variable itself, or of a part', () => {
    const self = imageWith({ a: 0x10 }, { 0x10: BigInt(TEXT + 0x10) });
    expect(placeOf(self, [pointer('a', 'a')])).toBe(0x10);
    const part = imageWith({ a: 0x10, b: 0x20, c: 0x28 }, { 0x10: BigInt(TEXT + 0x28) });
    const b = variable('b', { size: 16, parts: { c: 8 } });
    expect(placeOf(part, [pointer('a', 'c'), b])).toBe(0x10);
  });
});
