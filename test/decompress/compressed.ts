/** The compressed files of test/fixtures/compressed, and their contents. */
import { readFileSync } from 'node:fs';
import type { Format } from '../../src/decompress/decompress.js';
import { concat } from '../firmware/image/build.js';

const FOLDER = 'test/fixtures/compressed';

/** A compressed file by its name. */
export const compressed = (file: string): Uint8Array =>
  new Uint8Array(readFileSync(`${FOLDER}/${file}`));

export const sample = compressed('sample');
const copies = concat(...Array.from({ length: 16 }, () => sample));
const noise = sample.subarray(-1500);

/** Each file that is decoded: format, name, contents. */
export const PACKINGS: readonly (readonly [Format, string, Uint8Array])[] = [
  ['XZ', 'bcj-crc32.xz', sample],
  ['XZ', 'bcj-start.xz', sample],
  ['XZ', 'crc32.xz', sample],
  ['XZ', 'crc64.xz', sample],
  ['XZ', 'sha256.xz', sample],
  ['XZ', 'none.xz', sample],
  ['XZ', 'copies.xz', copies],
  ['XZ', 'stored.xz', noise],
  ['LZMA', 'known.lzma', sample],
  ['LZMA', 'unknown.lzma', sample],
  ['LZMA', 'lp.lzma', sample],
  ['bzip2', 'sample.bz2', sample],
  ['bzip2', 'copies.bz2', copies],
  ['gzip', 'sample.gz', sample],
  ['ZSTD', 'sample.zst', sample],
  ['ZSTD', 'fast-no-check.zst', sample],
  ['ZSTD', 'unknown-size.zst', sample],
  ['ZSTD', 'copies.zst', copies],
  ['ZSTD', 'long.zst', copies],
  ['ZSTD', 'stored.zst', noise],
  ['ZSTD', 'rle.zst', new Uint8Array(40_000)],
  ['LZO', 'sample.lzo', sample],
  ['LZO', 'crc32.lzo', sample],
  ['LZO', 'unchecked.lzo', sample],
  ['LZO', 'copies.lzo', copies],
  ['LZO', 'stored.lzo', noise],
  ['LZ4', 'legacy.lz4', sample],
  ['LZ4', 'frame.lz4', sample],
  ['LZ4', 'sized.lz4', sample],
  ['LZ4', 'linked.lz4', copies],
  ['LZ4', 'all.lz4', copies],
  ['LZ4', 'stored.lz4', noise],
];

/** Files that are refused: format, name, the name in the error. */
export const REFUSED: readonly (readonly [Format, string, string])[] = [
  ['XZ', 'delta.xz', 'Delta as number 1 of 2'],
  ['XZ', 'arm64.xz', 'ARM64 BCJ as number 1 of 2'],
];
