/** Compressed data of each format that is decoded. */
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { crc32 } from '../../../src/decompress/crc.js';
import { equalBytes } from '../../../src/base/bytes.js';
import { decompressAll, decompressPart, type Format } from '../../../src/decompress/decompress.js';
import { concat, le32, lz4Block, lz4Legacy } from '../../firmware/image/build.js';
import { mutated, oneOf } from '../bytes.js';
import { verify, type Kind } from '../kind.js';
import { sampleBytes } from '../samples.js';

/** Most bytes of output. */
const LIMIT = 1 << 20;

/** Contents: runs, words and noise. */
const contents = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(255), fc.nat(300)).map(([byte, count]) => new Uint8Array(count).fill(byte)),
      fc.constantFrom('kernel', '/init', '\0\0').map((text) => new TextEncoder().encode(text)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => concat(...parts));

const RAMDISK = 'test/fixtures/ramdisks/files.cpio';
const ramdisk = (ending: string): Uint8Array => sampleBytes(`${RAMDISK}.${ending}`);
const fixture = (name: string): Uint8Array => sampleBytes(`test/fixtures/compressed/${name}`);

/** Streams of one format after each other, with zeros or another format's bytes at the end. */
function concatenated(
  streams: fc.Arbitrary<Uint8Array>,
  between: readonly Uint8Array[] = [],
): fc.Arbitrary<Uint8Array> {
  const parts = [streams, ...(between.length > 0 ? [fc.constantFrom(...between)] : [])];
  return fc
    .tuple(
      streams,
      fc.array(fc.oneof(...parts), { maxLength: 2 }),
      fc.constantFrom(0, 0, 4, 7, 512),
    )
    .map(([first, rest, zeros]) => concat(first, ...rest, new Uint8Array(zeros)));
}

/** A skippable frame of LZ4 and ZSTD. */
const SKIPPABLE = concat(le32(0x184d_2a53), le32(5), [1, 2, 3, 4, 5]);

/** Frames of ZSTD of raw and repeated blocks (RFC 8878, 3.1.1), without a checksum. */
const zstdFrames = fc
  .array(fc.tuple(fc.nat(1), fc.uint8Array({ minLength: 1, maxLength: 30 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((blocks) => {
    const parts = blocks.map(([type, bytes], index) => {
      const last = index === blocks.length - 1 ? 1 : 0;
      const header = (bytes.length << 3) | (type << 1) | last;
      const content = type === 0 ? bytes : bytes.subarray(0, 1);
      return concat(le32(header).subarray(0, 3), content);
    });
    return concat(le32(0xfd2f_b528), [0, 0x20], ...parts);
  });

/** A frame of XZ's or LZ4's kind from the fixtures, small ones more often. */
const fixtures = (small: readonly string[], large: readonly string[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    { weight: 8, arbitrary: oneOf(small.map(ramdisk)) },
    { weight: 1, arbitrary: oneOf(large.map(fixture)) },
  );

const gzips = fc
  .record({
    content: contents,
    level: fc.integer({ min: 0, max: 9 }),
    // Z_DEFAULT_STRATEGY to Z_FIXED: stored, fixed and dynamic blocks.
    strategy: fc.integer({ min: 0, max: 4 }),
    extra: fc.uint8Array({ maxLength: 10 }),
    flags: fc.nat(31),
  })
  .map(({ content, extra, flags, ...options }) => {
    const plain = new Uint8Array(gzipSync(content, options));
    // FTEXT, FHCRC, FEXTRA, FNAME, FCOMMENT (RFC 1952, 2.3.1).
    const head = plain.slice(0, 10);
    head[3] = flags;
    const size = [extra.length & 0xff, extra.length >> 8];
    const text = [0x61, 0x62, 0];
    const before = concat(
      head,
      ...(flags & 4 ? [size, extra] : []),
      ...(flags & 8 ? [text] : []),
      ...(flags & 16 ? [text] : []),
    );
    const check = flags & 2 ? le32(crc32(before)).subarray(0, 2) : [];
    return concat(before, check, plain.subarray(10));
  });

const lz4s = fc.oneof(
  contents.map(lz4Legacy),
  // A frame of independent blocks without checksums: FLG 0x60, BD 0x40, the header's checksum (lz4_Frame_format.md).
  contents.map((content) => {
    const block = lz4Block(content);
    return concat(le32(0x184d_2204), [0x60, 0x40, 0x82], le32(block.length), block, le32(0));
  }),
  fixtures(['lz4', 'frame.lz4'], ['legacy.lz4', 'sized.lz4', 'linked.lz4', 'stored.lz4']),
);

interface Plan {
  readonly streams: fc.Arbitrary<Uint8Array>;
  readonly between?: readonly Uint8Array[];
  /** Verifies what was decoded. */
  readonly oracle?: (input: Uint8Array, output: Uint8Array, consumed: number) => void;
}

function compressedKind(format: Format, { streams, between = [], oracle }: Plan): Kind {
  return {
    name: format.toLowerCase(),
    what: `${format} streams`,
    ext: 'bin',
    inputs: 2000,
    share: 2,
    arbitrary: mutated(concatenated(streams, between), { mutated: 5, most: 2 }),
    read(input) {
      const place = { file: `data.${format.toLowerCase()}` };
      const { bytes, consumed } = decompressAll(format, input, { limit: LIMIT, place });
      verify(bytes.length <= LIMIT, 'more output than the limit');
      verify(consumed <= input.length, 'more input than there is');
      const part = decompressPart(format, input, { limit: LIMIT, place });
      if (part.error === undefined) {
        verify(
          equalBytes(part.bytes, bytes.subarray(0, part.bytes.length)),
          'the first stream differs',
        );
      }
      oracle?.(input, bytes, consumed);
      return true;
    },
  };
}

export const COMPRESSED: readonly Kind[] = [
  compressedKind('gzip', {
    streams: fc.oneof(
      { weight: 20, arbitrary: gzips },
      { weight: 1, arbitrary: oneOf([ramdisk('gz'), fixture('sample.gz')]) },
    ),
    oracle(input, output, consumed) {
      const expected = gunzipSync(input.subarray(0, consumed), { maxOutputLength: LIMIT });
      verify(equalBytes(output, new Uint8Array(expected)), "the output is not node:zlib's");
    },
  }),
  compressedKind('bzip2', {
    streams: fc.oneof(
      { weight: 8, arbitrary: oneOf([ramdisk('bz2')]) },
      { weight: 1, arbitrary: oneOf([fixture('sample.bz2')]) },
    ),
  }),
  compressedKind('LZMA', {
    streams: fixtures(['lzma'], ['known.lzma', 'unknown.lzma', 'lp.lzma']),
  }),
  compressedKind('XZ', {
    streams: fixtures(
      ['xz', 'crc64.xz'],
      ['bcj-crc32.xz', 'crc32.xz', 'sha256.xz', 'none.xz', 'stored.xz'],
    ),
    between: [new Uint8Array(4), new Uint8Array(8)],
  }),
  compressedKind('LZ4', { streams: lz4s, between: [SKIPPABLE] }),
  compressedKind('ZSTD', {
    streams: fc.oneof(
      zstdFrames,
      fixtures(
        ['zst'],
        ['sample.zst', 'fast-no-check.zst', 'unknown-size.zst', 'stored.zst', 'rle.zst'],
      ),
    ),
    between: [SKIPPABLE],
  }),
];
