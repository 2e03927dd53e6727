/** lib/decompress.c: selects a RAM disk's decompressor by its first two bytes. */
import type { InitrdSource } from '../init/initramfs/input.js';

/** Whether a decompressor succeeded, and how many input bytes it consumed; unpacking continues after them. */
export interface Decompression {
  readonly ok: boolean;
  readonly used: number;
}

/**
 * Decompresses the stream that a source starts with.
 *
 * @param flush receives the output, chunk by chunk; returns false to stop
 * @param error receives the kernel's error message
 */
export type Decompressor = (
  source: InitrdSource,
  flush: (bytes: Uint8Array) => boolean,
  error: (text: string) => void,
) => Decompression;

/** compressed_formats[]: the name and the two magic bytes of each. */
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

/** decompress_method(): the format whose magic `bytes` begins with; undefined if there is none. */
export function decompressMethod(bytes: Uint8Array): MethodName | undefined {
  if (bytes.length < 2) return undefined;
  return FORMATS.find(([, first, second]) => bytes[0] === first && bytes[1] === second)?.[0];
}
