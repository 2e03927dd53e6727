import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decompress } from '../../src/decompress/decompress.js';
import { decodeLz4Block } from '../../src/decompress/lz4-block.js';
import {
  ascii,
  concat,
  le32,
  lz4Block,
  lz4Legacy,
  noise,
  refusal,
} from '../firmware/image/build.js';

const place = { file: 'vmlinuz', base: 0x4000 };
/** Decodes frames that must have `size` bytes of output. */
const decodeLz4 = (src: Uint8Array, size: number): Uint8Array =>
  decompress('LZ4', src, { limit: 1 << 30, size, place }).bytes;
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Decodes a block into exactly `size` bytes. */
function block(src: Uint8Array, size: number): string {
  const dst = new Uint8Array(size);
  const { at, error } = decodeLz4Block(src, 0, src.length, dst, 0, size);
  return error ?? text(dst.subarray(0, at));
}

describe('an LZ4 block', () => {
  test('may have literals only', () => {
    expect(block(concat([0x30], ascii('abc')), 3)).toBe('abc');
  });

  test('repeats a match that overlaps its output', () => {
    // 3 literals, a match of 4 + 5 at offset 3, one literal
    expect(block(concat([0x35], ascii('abc'), [3, 0], [0x10], ascii('z')), 13)).toBe(
      'abcabcabcabcz',
    );
  });

  test.each([15, 16, 269, 270, 271, 525])('continues a length of %d literals', (count) => {
    const literals = noise(count);
    const src = lz4Block(literals);
    expect(src.length).toBe(count + 1 + 1 + Math.floor((count - 15) / 255));
    expect(block(src, count)).toBe(text(literals));
  });

  test.each([18, 19, 20, 273, 274, 275, 5000])('continues a match of %d bytes', (count) => {
    for (const period of [1, 2, 3, 4, 5, 7, 8, 300]) {
      const bytes = Uint8Array.from({ length: period + count + 1 }, (_, i) => 97 + (i % period));
      expect(block(lz4Block(bytes), bytes.length)).toBe(text(bytes));
    }
  });

  test.each([256, 257, 600])('copies a match of %d bytes from before it', (count) => {
    const bytes = concat(noise(count), noise(count), [1]);
    const src = lz4Block(bytes);
    expect(src.length).toBeLessThan(count + 20);
    expect(block(src, bytes.length)).toBe(text(bytes));
  });

  test.each([
    ['literals past the block', [0x40, 97, 98, 99], 'LZ4 literals run past the end of their block'],
    ['a length that does not end', [0xf0, 255], 'the LZ4 block ends inside a length'],
    ['half an offset', [0x10, 97, 1], 'the LZ4 block ends inside an offset'],
    ['offset 0', [0x10, 97, 0, 0], 'LZ4 offset 0'],
    ['an offset before the output', [0x10, 97, 2, 0], 'LZ4 offset 2 reaches before its block'],
    ['a match length that does not end', [0x1f, 97, 1, 0], 'the LZ4 block ends inside a length'],
    ['a match past the size', [0x1f, 97, 1, 0, 200], 'an LZ4 match runs past the size announced'],
    [
      'literals past the size',
      [0xf0, 90, ...noise(105)],
      'LZ4 literals run past the size announced',
    ],
  ])('with %s is refused', (_title, src, error) => {
    expect(block(Uint8Array.from(src), 100)).toBe(error);
  });

  test('cannot refer to the previous block', () => {
    const dst = new Uint8Array(16);
    const src = Uint8Array.from([0x10, 97, 2, 0, 0]);
    expect(decodeLz4Block(src, 0, src.length, dst, 8, 16).error).toContain('before its block');
    expect(decodeLz4Block(src.with(2, 1), 0, src.length, dst, 8, 16).error).toBeUndefined();
  });
});

describe('a legacy LZ4 frame', () => {
  const bytes = concat(noise(3000), ascii('level2_kernel_pgt'.repeat(500)), noise(700, 5));

  test('decompresses to the original', () => {
    expect(decodeLz4(lz4Legacy(bytes), bytes.length)).toEqual(bytes);
  });

  test('without blocks decompresses to no bytes', () => {
    expect(decodeLz4(le32(0x184c_2102), 0)).toHaveLength(0);
  });

  test('may be followed by another', () => {
    const twice = concat(lz4Legacy(bytes), lz4Legacy(bytes));
    expect(decodeLz4(twice, 2 * bytes.length)).toEqual(concat(bytes, bytes));
  });

  test('may have blocks of at most 8 MiB', () => {
    const zeros = new Uint8Array((8 << 20) + 1);
    const frame = concat(le32(0x184c_2102), le32(lz4Block(zeros).length), lz4Block(zeros));
    const { code, reason } = refusal(() => decodeLz4(frame, zeros.length));
    expect({ code, reason }).toEqual({
      code: 'E_CORRUPT',
      reason: 'LZ4 literals run past the size announced',
    });
  });

  test('without its magic is refused at its first byte', () => {
    const { code, place: at } = refusal(() => decodeLz4(lz4Legacy(bytes).with(0, 9), 1));
    expect({ code, at }).toEqual({ code: 'E_CORRUPT', at: { file: 'vmlinuz', offset: 0x4000 } });
  });

  test('truncated inside a block is refused with the offset of that block', () => {
    const frame = lz4Legacy(bytes);
    const { code, place: at } = refusal(() => decodeLz4(frame.subarray(0, -1), bytes.length));
    expect({ code, at }).toEqual({ code: 'E_TRUNCATED', at: { file: 'vmlinuz', offset: 0x4008 } });
  });

  test.each([-1, 1])('with %d bytes more than announced is refused', (more) => {
    const { code } = refusal(() => decodeLz4(lz4Legacy(bytes), bytes.length - more));
    expect(code).toBe('E_CORRUPT');
  });

  test('truncated anywhere is refused with an InputError', () => {
    const frame = lz4Legacy(bytes);
    for (let length = 0; length < frame.length; length += 7) {
      const { code } = refusal(() => decodeLz4(frame.subarray(0, length), bytes.length));
      expect(['E_TRUNCATED', 'E_CORRUPT']).toContain(code);
    }
  });

  test('decompresses to the original for any bytes', () => {
    const runs = fc.array(
      fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 40 })),
    );
    fc.assert(
      fc.property(runs, (list) => {
        const any = concat(...list.flatMap(([run, times]) => Array<Uint8Array>(times).fill(run)));
        expect(decodeLz4(lz4Legacy(any), any.length)).toEqual(any);
      }),
    );
  });

  test('damaged in any byte decompresses or throws an InputError', () => {
    const frame = lz4Legacy(bytes);
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        try {
          expect(decodeLz4(frame.with(at, byte), bytes.length)).toHaveLength(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ name: 'InputError' });
        }
      }),
    );
  });
});
