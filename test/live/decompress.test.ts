/** The decoders on the output of the installed tools. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { decompress, detectFormat, type Format } from '../../src/decompress/decompress.js';
import { compressed, PACKINGS, REFUSED } from '../decompress/compressed.js';
import { ascii, concat, noise } from '../firmware/image/build.js';
import { inDirectory } from './directory.js';
import { tool } from './tool.js';

const limit = 1 << 28;
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('the recipe of test/fixtures/compressed', () => {
  test('makes the same sample, and archives with the same contents', () => {
    const recipe = resolve('test/fixtures/compressed/make.sh');
    inDirectory((directory) => {
      tool('sh', [recipe, directory]);
      const made = (file: string): Uint8Array =>
        new Uint8Array(readFileSync(join(directory, file)));
      expect(digest(made('sample'))).toBe(digest(compressed('sample')));
      for (const [format, file, contents] of PACKINGS) {
        const { bytes, consumed } = decompress(format, made(file), { limit });
        expect([file, digest(bytes)]).toEqual([file, digest(contents)]);
        expect([file, consumed]).toEqual([file, made(file).length]);
      }
      for (const [format, file] of REFUSED) expect(detectFormat(made(file))).toBe(format);
      const known = [...PACKINGS, ...REFUSED].map(([, file]) => file);
      expect(readdirSync(directory).sort()).toEqual([...known, 'sample', 'twice-padded.xz'].sort());
    });
  });
});

/** Inputs of up to several megabytes with different statistics. */
const INPUTS: readonly (readonly [string, () => Uint8Array])[] = [
  ['nothing', () => new Uint8Array(0)],
  ['one byte', () => Uint8Array.of(7)],
  ['this Node', () => new Uint8Array(readFileSync(process.execPath).subarray(0, 3_000_000))],
  ['noise', () => noise(1_000_000)],
  ['zeros', () => new Uint8Array(9_000_001)],
  ['a repeated text', () => ascii('level2_kernel_pgt+0x3f8 '.repeat(90_000))],
  [
    'runs of each byte',
    () => concat(...Array.from({ length: 256 }, (_, i) => new Uint8Array(i * 41).fill(i))),
  ],
];

const TOOLS: readonly (readonly [Format, string, readonly string[]])[] = [
  ['XZ', 'xz', ['--stdout', '--check=crc32', '--x86', '--lzma2=preset=1,dict=32MiB']],
  ['XZ', 'xz', ['--stdout', '-2', '--check=crc64', '--block-size=1MiB', '-T2']],
  ['LZMA', 'xz', ['--stdout', '--format=lzma', '-1']],
  ['bzip2', 'bzip2', ['--stdout', '-1']],
  ['bzip2', 'bzip2', ['--stdout', '-9']],
  ['gzip', 'gzip', ['--stdout', '-1']],
  ['gzip', 'gzip', ['--stdout', '-9']],
  ['ZSTD', 'zstd', ['-q', '--stdout', '-1']],
  ['ZSTD', 'zstd', ['-q', '--stdout', '-3', '-B65536', '-T2']],
  ['ZSTD', 'zstd', ['-q', '--stdout', '-16', '--long=27']],
  ['LZO', 'lzop', ['--stdout', '-1']],
  ['LZO', 'lzop', ['--stdout', '-9', '--crc32']],
  ['LZ4', 'lz4', ['-q', '--stdout', '-l']],
  ['LZ4', 'lz4', ['-q', '--stdout', '-1', '-BD', '-BX']],
  ['LZ4', 'lz4', ['-q', '--stdout', '-9', '-B4']],
];

describe.each(TOOLS)('%s by %s %j', (format, name, args) => {
  test.each(INPUTS)(
    'of %s decompresses to the original',
    (_title, make) => {
      const contents = make();
      const packed = tool(name, args, contents);
      const { bytes, consumed } = decompress(format, packed, { limit });
      expect(digest(bytes)).toBe(digest(contents));
      expect(consumed).toBe(packed.length);
    },
    60_000,
  );
});
