/** lib/decompress.c: which decompressor a RAM disk asks for, by its first two bytes. */
import type { InitrdSource } from '../init/initramfs/input.js';

/** How a decompressor ended, and how many bytes it has taken: what follows is looked at next. */
export interface Decompression {
  readonly ok: boolean;
  readonly used: number;
}

/**
 * Decompresses the stream that a source starts with.
 *
 * @param flush receives the output, chunk by chunk; returns false to stop
 * @param error takes the kernel's words for what is wrong
 */
export type Decompressor = (
  source: InitrdSource,
  flush: (bytes: Uint8Array) => boolean,
  error: (text: string) => void,
) => Decompression;

/** The names of compressed_formats[], by their magics. */
const FORMATS = [
  ['gzip', 0x1f, 0x8b],
  ['gzip', 0x1f, 0x9e],
  ['bzip2', 0x42, 0x5a],
  ['lzma', 0x5d, 0x00],
  ['xz', 0xfd, 0x37],
  ['lzo', 0x89, 0x4c],
  ['lz4', 0x02, 0x21],
] as const;

export type MethodName = (typeof FORMATS)[number][0];

/** decompress_method(): the format of two bytes; undefined where it is none of them. */
export function decompressMethod(bytes: Uint8Array): MethodName | undefined {
  if (bytes.length < 2) return undefined;
  return FORMATS.find(([, first, second]) => bytes[0] === first && bytes[1] === second)?.[0];
}
