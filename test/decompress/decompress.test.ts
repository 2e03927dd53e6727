import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gzip } from 'pako';
import {
  decompress,
  decompressAll,
  decompressPart,
  detectFormat,
} from '../../src/decompress/decompress.js';
import { InputError } from '../../src/base/errors.js';
import { ascii, concat, le32, refusal } from '../firmware/image/build.js';
import { compressed, PACKINGS, REFUSED, sample } from './compressed.js';

const limit = 1 << 20;
const place = { file: 'initrd', base: 0x1000 };

describe.each(PACKINGS)('%s, %s', (format, file, contents) => {
  const packed = compressed(file);

  test('decompresses to the original and reports the bytes consumed', () => {
    const followed = concat(packed, le32(0), ascii('070701'));
    const { bytes, consumed } = decompress(format, followed, { limit });
    expect(Buffer.compare(bytes, contents)).toBe(0);
    expect(consumed).toBe(packed.length);
  });

  test('is detected by its magic', () => {
    // LZMA has none: the kernel uses the properties that lzma -9 writes as a magic.
    expect(detectFormat(packed)).toBe(file === 'lp.lzma' ? undefined : format);
    expect(detectFormat(concat([1, 2, 3], packed), 3)).toBe(detectFormat(packed));
  });

  test('is accepted with a limit of its size and refused with one byte less', () => {
    const exact = decompress(format, packed, { limit: contents.length });
    expect(exact.bytes).toHaveLength(contents.length);
    const { code, place: at } = refusal(() =>
      decompress(format, packed, { limit: contents.length - 1, place }),
    );
    expect(code).toBe('E_TOO_LARGE');
    expect(at.offset).toBeGreaterThanOrEqual(0x1000);
    expect(at.offset).toBeLessThanOrEqual(0x1000 + packed.length);
  });

  test('with another size than required is refused', () => {
    for (const size of [contents.length - 1, contents.length + 1]) {
      const { code, reason } = refusal(() => decompress(format, packed, { limit, size }));
      expect({ code, reason }).toEqual({ code: 'E_CORRUPT', reason: 'decompressed size' });
    }
  });

  test('truncated anywhere is refused, and decompressPart returns the output before the end', () => {
    const cuts = [0, 1, 4, 5, 12, 13, packed.length >>> 1, packed.length - 1];
    for (const length of cuts) {
      // A legacy LZ4 frame may end after any block.
      if (file === 'legacy.lz4' && length === 4) continue;
      const part = decompressPart(format, packed.subarray(0, length), { limit, place });
      expect([length, part.error?.code]).toEqual([
        length,
        expect.stringMatching(/^E_(TRUNCATED|CORRUPT)$/),
      ]);
      expect(Buffer.compare(part.bytes, contents.subarray(0, part.bytes.length))).toBe(0);
    }
  });

  test('corrupted or truncated at random decompresses within the limit or throws an InputError', () => {
    const damage = fc.record({
      at: fc.nat(packed.length - 1),
      flip: fc.integer({ min: 1, max: 255 }),
      length: fc.oneof(fc.constant(packed.length), fc.nat(packed.length)),
    });
    fc.assert(
      fc.property(damage, ({ at, flip, length }) => {
        const wrong = packed.with(at, (packed[at] ?? 0) ^ flip).subarray(0, length);
        try {
          expect(decompress(format, wrong, { limit }).bytes.length).toBeLessThanOrEqual(limit);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          expect(error.code).toMatch(/^E_(TRUNCATED|CORRUPT|TOO_LARGE|UNSUPPORTED_COMPRESSION)$/);
          expect(error.place.offset).toBeGreaterThanOrEqual(0);
          expect(error.place.offset).toBeLessThanOrEqual(wrong.length);
        }
      }),
      { numRuns: 40 },
    );
  });
});

/** Files without a checksum of their contents: damage may not be detected. */
const UNCHECKED = [
  'none.xz',
  'known.lzma',
  'unknown.lzma',
  'lp.lzma',
  'fast-no-check.zst',
  'copies.zst',
  'legacy.lz4',
  'stored.lz4',
  'unchecked.lzo',
];

describe.each(PACKINGS.filter(([, file]) => !UNCHECKED.includes(file)))(
  '%s, %s, which has a checksum',
  (format, file, contents) => {
    const packed = compressed(file);

    test('never decompresses to wrong output after a flipped bit', () => {
      for (let bit = 3; bit < packed.length * 8; bit += Math.ceil(packed.length / 20)) {
        const at = bit >>> 3;
        const wrong = packed.with(at, (packed[at] ?? 0) ^ (1 << (bit & 7)));
        try {
          const { bytes } = decompress(format, wrong, { limit });
          expect([at, Buffer.compare(bytes, contents)]).toEqual([at, 0]);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
        }
      }
    });
  },
);

test.each(REFUSED)('%s, %s, is refused with its name', (format, file, found) => {
  const packed = compressed(file);
  expect(detectFormat(packed)).toBe(format);
  const error = refusal(() => decompress(format, packed, { limit, place }));
  expect({ code: error.code, found: error.found }).toEqual({
    code: 'E_UNSUPPORTED_COMPRESSION',
    found,
  });
});

describe('decompressAll of concatenated streams', () => {
  test.each(PACKINGS)(
    '%s, %s: two streams decompress to the contents twice',
    (format, file, contents) => {
      const packed = compressed(file);
      const { bytes, consumed } = decompressAll(format, concat(packed, packed), { limit });
      // The second .lzma file is not detected by its properties.
      const count = file === 'lp.lzma' ? 1 : 2;
      expect(bytes).toHaveLength(count * contents.length);
      expect(consumed).toBe(count * packed.length);
      expect(Buffer.compare(bytes.subarray(-contents.length), contents)).toBe(0);
    },
  );

  test('accepts padding between XZ streams', () => {
    const packed = compressed('twice-padded.xz');
    const { bytes, consumed } = decompressAll('XZ', packed, { limit });
    expect(bytes).toEqual(concat(sample, sample));
    expect(consumed).toBe(packed.length);
  });

  test.each([
    ['LZ4', 'frame.lz4'],
    ['ZSTD', 'sample.zst'],
  ] as const)('%s: skips skippable frames', (format, file) => {
    const skipped = concat(le32(0x184d_2a5f), le32(5), ascii('hello'));
    const packed = concat(skipped, compressed(file), skipped, skipped, compressed(file), skipped);
    const { bytes, consumed } = decompressAll(format, packed, { limit });
    expect(bytes).toEqual(concat(sample, sample));
    expect(consumed).toBe(packed.length);
  });

  test('accepts many empty streams without memory for each', () => {
    const empty = gzip(new Uint8Array(0));
    const packed = new Uint8Array(3000 * empty.length).map(
      (_, at) => empty[at % empty.length] ?? 0,
    );
    const { bytes, consumed } = decompressAll('gzip', packed, { limit });
    expect(bytes).toHaveLength(0);
    expect(consumed).toBe(packed.length);
  });

  test('stops at bytes that are not a stream', () => {
    const packed = compressed('sample.bz2');
    const { consumed } = decompressAll('bzip2', concat(packed, ascii('070701')), { limit });
    expect(consumed).toBe(packed.length);
  });

  test('applies the limit to all streams together, with error offsets from the first one', () => {
    const packed = compressed('frame.lz4');
    const all = { limit: sample.length * 2 - 1, place };
    expect(refusal(() => decompressAll('LZ4', concat(packed, packed), all)).code).toBe(
      'E_TOO_LARGE',
    );
    const cut = concat(packed, packed.subarray(0, -1));
    const error = refusal(() => decompressAll('LZ4', cut, { limit, place }));
    expect(error.place).toEqual({ file: 'initrd', offset: 0x1000 + cut.length - 3 });
  });
});

describe('the size in a stream’s header', () => {
  test.each([
    ['LZ4', 'sized.lz4', 6],
    ['LZMA', 'known.lzma', 5],
  ] as const)('%s: is refused before memory is allocated for it', (format, file, at) => {
    const packed = compressed(file);
    packed.set(le32(0x7fff_ffff), at);
    const { code } = refusal(() => decompress(format, packed, { limit }));
    // LZ4's header has a separate checksum, which is compared first.
    expect(code).toBe(format === 'LZ4' ? 'E_CORRUPT' : 'E_TOO_LARGE');
  });

  test('LZMA: is refused if the data is one byte shorter', () => {
    const packed = compressed('known.lzma');
    packed.set(le32(sample.length + 1), 5);
    expect(refusal(() => decompress('LZMA', packed, { limit })).code).toMatch(/CORRUPT|TRUNCATED/);
  });

  test('LZMA: may be followed by an end marker', () => {
    const packed = compressed('unknown.lzma');
    packed.set(concat(le32(sample.length), le32(0)), 5);
    expect(decompress('LZMA', packed, { limit })).toEqual({
      bytes: sample,
      consumed: packed.length,
    });
  });
});
