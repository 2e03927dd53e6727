/**
 * The decompressors of x86_64_defconfig (usr/Kconfig: CONFIG_RD_GZIP and so on), with their error messages. All but gzip
 * decompress the whole stream first, then pass it on in chunks of the size that the kernel's decompressor uses.
 */
import { startsWith } from '../../base/bytes.js';
import { decompressPart, type Format } from '../../decompress/decompress.js';
import { LZO_BLOCK_SIZE } from '../../decompress/lzo.js';
import { InputError } from '../../base/errors.js';
import type { Decompressor, MethodName } from './decompress.js';
import { gunzip } from './decompress_inflate.js';
import type { InitrdSource } from '../init/initramfs/input.js';

/** Decompressors by the names of their formats. */
export type Decompressors = Readonly<Partial<Record<MethodName, Decompressor>>>;

/** Limit of a stream's output in bytes, except for gzip (our choice): it is held in the host's memory. */
const OUTPUT_MAX = 2 ** 30;

/** A format, and the differences between the kernel's decompressor for it and src/decompress. */
interface Wrapper {
  readonly format: Format;
  /** Size of an output chunk in bytes; for LZMA the dictionary's size. */
  readonly chunkSize: (input: Uint8Array) => number;
  /** Error message for input that the kernel's decompressor rejects and ours accepts; undefined if both accept it. */
  readonly rejection?: (input: Uint8Array) => string | undefined;
  /** The kernel's message for an error; undefined if it prints only "decompressor failed". */
  readonly message: (error: InputError) => string | undefined;
  /** false: the kernel does not compare checksums. */
  readonly verify?: boolean;
  /** Error message for input after the stream; absent if the kernel allows it. */
  readonly trailing?: string;
}

const KIB = 1024;
const XZ_SETTINGS = 'Input was encoded with settings that are not supported by this XZ decoder';
const XZ_MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] as const;
/** Offset of the check type in an XZ stream's header (xz-file-format.txt, 2.1.1.2). */
const XZ_CHECK = 7;
const XZ_CHECK_CRC32 = 1;

const isTruncated = ({ code }: InputError): boolean => code === 'E_TRUNCATED';
const isCrc = ({ reason }: InputError): boolean => /CRC/.test(reason ?? '');

/** lib/decompress_unxz.c, unlzma.c, bunzip2.c, unlzo.c, unlz4.c. */
const WRAPPERS = {
  xz: {
    format: 'XZ',
    chunkSize: () => 4 * KIB, // XZ_IOBUF_SIZE
    rejection: (input) => {
      if (!startsWith(input, XZ_MAGIC)) {
        return 'Input is not in the XZ format (wrong magic bytes)';
      }
      // lib/xz/xz_dec_stream.c, dec_stream_header: XZ_DEC_ANY_CHECK is not defined.
      return (input[XZ_CHECK] ?? 0) > XZ_CHECK_CRC32 ? XZ_SETTINGS : undefined;
    },
    message: ({ code }) =>
      code === 'E_UNSUPPORTED_COMPRESSION' ? XZ_SETTINGS : 'XZ-compressed data is corrupt',
  },
  lzma: {
    format: 'LZMA',
    chunkSize: (input) => {
      const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
      return input.length < 5 ? 1 : Math.max(1, view.getUint32(1, true));
    },
    message: (error) => (isTruncated(error) ? 'unexpected EOF' : 'LZMA data is corrupt'),
  },
  bzip2: {
    format: 'bzip2',
    chunkSize: () => 4 * KIB, // BZIP2_IOBUF_SIZE
    message: (error) => (isCrc(error) ? 'Data integrity error when decompressing.' : undefined),
  },
  lzo: {
    format: 'LZO',
    chunkSize: () => LZO_BLOCK_SIZE,
    message: ({ reason = '' }) => {
      if (reason.startsWith('LZO header')) return 'invalid header';
      if (reason === 'size of an LZO block') return 'dest len longer than block size';
      return /^(compressed size of an )?LZO block$/.test(reason)
        ? 'file corrupted'
        : 'Compressed data violation';
    },
    verify: false,
  },
  lz4: {
    format: 'LZ4',
    chunkSize: () => 8 * KIB * KIB, // LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE
    rejection: (input) =>
      startsWith(input, [0x02, 0x21, 0x4c, 0x18]) ? undefined : 'invalid header',
    message: (error) => (isTruncated(error) ? 'data corrupted' : 'Decoding failed'),
    // Zeros after the stream are read as a block of size 0.
    trailing: 'Decoding failed',
  },
} as const satisfies Record<string, Wrapper>;

/** A kernel decompressor that uses one of src/decompress. */
function wrapped({
  format,
  chunkSize,
  rejection,
  message,
  verify,
  trailing,
}: Wrapper): Decompressor {
  return (source, flush, error) => {
    const input = source.read(0, source.length);
    const rejected = rejection?.(input);
    if (rejected !== undefined) {
      error(rejected);
      return { ok: false, used: 0 };
    }
    const part = decompressPart(format, input, { limit: OUTPUT_MAX, verify: verify ?? true });
    if (part.error?.code === 'E_TOO_LARGE') throw tooLarge(format, source);
    const size = chunkSize(input);
    for (let at = 0; at < part.bytes.length; at += size) {
      if (flush(part.bytes.subarray(at, at + size))) continue;
      error('write error');
      return { ok: false, used: 0 };
    }
    if (part.error !== undefined) {
      const text = message(part.error);
      if (text !== undefined) error(text);
      return { ok: false, used: part.consumed };
    }
    if (trailing !== undefined && part.consumed < input.length) {
      error(trailing);
      return { ok: false, used: part.consumed };
    }
    return { ok: true, used: part.consumed };
  };
}

function tooLarge(format: Format, { length }: InitrdSource): InputError {
  return new InputError({
    code: 'E_INITRD_TOO_LARGE',
    reason: `the initrd's ${format} stream decompresses to more than is held in memory`,
    expected: `at most ${String(OUTPUT_MAX)} bytes (gzip is limited by the machine's memory only)`,
    found: `more, from ${String(length)} bytes of input`,
  });
}

export const DECOMPRESSORS: Decompressors = {
  gzip: gunzip,
  xz: wrapped(WRAPPERS.xz),
  lzma: wrapped(WRAPPERS.lzma),
  bzip2: wrapped(WRAPPERS.bzip2),
  lzo: wrapped(WRAPPERS.lzo),
  lz4: wrapped(WRAPPERS.lz4),
};
