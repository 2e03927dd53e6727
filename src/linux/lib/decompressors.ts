/**
 * The decompressors that x86_64_defconfig has (usr/Kconfig: CONFIG_RD_GZIP and so on), with what each says when it fails.
 * But for gzip the whole stream is decompressed, then given on in the pieces that the kernel's decompressor gives.
 */
import { startsWith } from '../../base/bytes.js';
import { decompressPart, type Format } from '../../decompress/decompress.js';
import { InputError } from '../../base/errors.js';
import type { Decompressor, MethodName } from './decompress.js';
import { gunzip } from './decompress_inflate.js';
import type { InitrdSource } from '../init/initramfs/input.js';

/** Decompressors by the names of their formats. */
export type Decompressors = Readonly<Partial<Record<MethodName, Decompressor>>>;

/** The most that a stream other than gzip may give (our choice): it is held in the host's memory. */
const OUTPUT_MAX = 2 ** 30;

/** How a format is called here, and what differs between the kernel's decompressors. */
interface Wrapper {
  readonly format: Format;
  /** Bytes that are given on at once; of LZMA, the dictionary's size. */
  readonly piece: (input: Uint8Array) => number;
  /** What is said before anything is decompressed, where this kernel's decompressor takes less than ours. */
  readonly refuses?: (input: Uint8Array) => string | undefined;
  /** What is said of an error; nothing, where only "decompressor failed" is. */
  readonly says: (error: InputError) => string | undefined;
  /** The stream has to end where the input does. */
  readonly last?: string;
}

const KIB = 1024;
const XZ_SETTINGS = 'Input was encoded with settings that are not supported by this XZ decoder';
const XZ_MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] as const;
/** Where an XZ stream's header names its check (xz-file-format.txt, 2.1.1.2). */
const XZ_CHECK = 7;
const XZ_CHECK_CRC32 = 1;

const isTruncated = ({ code }: InputError): boolean => code === 'E_TRUNCATED';
const isCrc = ({ reason }: InputError): boolean => /CRC/.test(reason ?? '');

/** lib/decompress_unxz.c, unlzma.c, bunzip2.c, unlz4.c. */
const WRAPPERS = {
  xz: {
    format: 'XZ',
    piece: () => 4 * KIB, // XZ_IOBUF_SIZE
    refuses: (input) => {
      if (!startsWith(input, XZ_MAGIC)) {
        return 'Input is not in the XZ format (wrong magic bytes)';
      }
      // lib/xz/xz_dec_stream.c, dec_stream_header: XZ_DEC_ANY_CHECK is not defined.
      return (input[XZ_CHECK] ?? 0) > XZ_CHECK_CRC32 ? XZ_SETTINGS : undefined;
    },
    says: ({ code }) =>
      code === 'E_UNSUPPORTED_COMPRESSION' ? XZ_SETTINGS : 'XZ-compressed data is corrupt',
  },
  lzma: {
    format: 'LZMA',
    piece: (input) => {
      const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
      return input.length < 5 ? 1 : Math.max(1, view.getUint32(1, true));
    },
    says: (error) => (isTruncated(error) ? 'unexpected EOF' : 'LZMA data is corrupt'),
  },
  bzip2: {
    format: 'bzip2',
    piece: () => 4 * KIB, // BZIP2_IOBUF_SIZE
    says: (error) => (isCrc(error) ? 'Data integrity error when decompressing.' : undefined),
  },
  lz4: {
    format: 'LZ4',
    piece: () => 8 * KIB * KIB, // LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE
    refuses: (input) =>
      startsWith(input, [0x02, 0x21, 0x4c, 0x18]) ? undefined : 'invalid header',
    says: (error) => (isTruncated(error) ? 'data corrupted' : 'Decoding failed'),
    // Zeros after it are a block without bytes.
    last: 'Decoding failed',
  },
} as const satisfies Record<string, Wrapper>;

/** A decompressor around one of ours. */
function wrapped({ format, piece, refuses, says, last }: Wrapper): Decompressor {
  return (source, flush, error) => {
    const input = source.read(0, source.length);
    const refusal = refuses?.(input);
    if (refusal !== undefined) {
      error(refusal);
      return { ok: false, used: 0 };
    }
    const part = decompressPart(format, input, { limit: OUTPUT_MAX, verify: true });
    if (part.error?.code === 'E_TOO_LARGE') throw tooLarge(format, source);
    const step = piece(input);
    for (let at = 0; at < part.bytes.length; at += step) {
      if (flush(part.bytes.subarray(at, at + step))) continue;
      error('write error');
      return { ok: false, used: 0 };
    }
    if (part.error !== undefined) {
      const text = says(part.error);
      if (text !== undefined) error(text);
      return { ok: false, used: part.consumed };
    }
    if (last !== undefined && part.consumed < input.length) {
      error(last);
      return { ok: false, used: part.consumed };
    }
    return { ok: true, used: part.consumed };
  };
}

function tooLarge(format: Format, { length }: InitrdSource): InputError {
  return new InputError({
    code: 'E_INITRD_TOO_LARGE',
    reason: `what the initrd's ${format} stream gives is not held in memory`,
    expected: `at most ${String(OUTPUT_MAX)} bytes (gzip has no limit but the machine's memory)`,
    found: `more, from ${String(length)} bytes`,
  });
}

export const DECOMPRESSORS: Decompressors = {
  gzip: gunzip,
  xz: wrapped(WRAPPERS.xz),
  lzma: wrapped(WRAPPERS.lzma),
  bzip2: wrapped(WRAPPERS.bzip2),
  lz4: wrapped(WRAPPERS.lz4),
};
