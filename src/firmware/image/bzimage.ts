/**
 * bzImage: the boot sector and setup code of the x86 boot protocol, then the compressed kernel
 * (Documentation/x86/boot.txt).
 */
import { hexBytes } from '../../base/bytes.js';
import { LIMITS } from '../../base/limits.js';
import { DECODED, decompress, detectFormat, type Format } from '../../decompress/decompress.js';
import { GZIP_MAX_RATIO } from '../../decompress/gzip.js';
import { LZ4_MAX_RATIO } from '../../decompress/lz4-block.js';
import { BOOT_FLAG, HDRS_MAGIC } from '../boot-params.js';
import { Reader, hex } from './reader.js';

/**
 * Fields of the setup header that a loader of the payload uses: offsets in the file (Documentation/x86/boot.txt, "The
 * real-mode kernel header").
 */
export const SETUP_HEADER = {
  setup_sects: 0x1f1,
  boot_flag: 0x1fe,
  /** The jump instruction's displacement: the header ends that many bytes after the instruction. */
  jump: 0x201,
  header: 0x202,
  version: 0x206,
  kernel_version: 0x20e,
  payload_offset: 0x248,
  payload_length: 0x24c,
  xloadflags: 0x236,
  pref_address: 0x258,
  init_size: 0x260,
} as const;

/** The contents of a bzImage. */
export interface BzImage {
  /** The setup header as the loader copies it to offset 0x1f1 of the zero page. */
  readonly setupHeader: Uint8Array;
  /** The kernel's version and build as text, '' if it has none. */
  readonly version: string;
  /** The compression of the payload. */
  readonly compression: Format;
  /** The decompressed payload: an ELF file, followed by relocations if the kernel is relocatable. */
  readonly payload: Uint8Array;
  /** The rest of the file after the setup code: the protected-mode code, and what follows it. */
  readonly protectedMode: Uint8Array;
}

/** The first protocol with payload_offset and payload_length (boot.txt). */
const PROTOCOL_WITH_PAYLOAD = 0x0208;
/** The first protocol with xloadflags, and its bit for an entry in 64-bit mode (boot.txt, XLF_KERNEL_64). */
const PROTOCOL_WITH_XLOADFLAGS = 0x020c;
const XLF_KERNEL_64 = 1;
const SECTOR = 512;
/** The meaning of setup_sects 0 (boot.txt). */
const DEFAULT_SETUP_SECTS = 4;
/** kernel_version plus this is the offset of a string in the file (boot.txt). */
const KERNEL_VERSION_BASE = 0x200;
const LONGEST_VERSION = 512;
/** The largest end of the setup header: edd_mbr_sig_buffer follows it (Documentation/x86/zero-page.txt). */
const SETUP_HEADER_LIMIT = 0x290;
const SIZE_BYTES = 4;
/** The least end of a header with the payload's fields: protocol 2.08's ends with payload_length. */
const PAYLOAD_FIELDS_END = SETUP_HEADER.payload_length + 4;
/** The largest decompressed payload: the kernel's own address space is at most 1 GiB (KERNEL_IMAGE_SIZE). */
const LARGEST_PAYLOAD = LIMITS.unpackedKernel.most;

/** The largest number of output bytes per input byte, of formats that have a bound. */
const MAX_RATIO: ReadonlyMap<Format, number> = new Map([
  ['gzip', GZIP_MAX_RATIO],
  ['LZ4', LZ4_MAX_RATIO],
]);

/** Whether a file has a bzImage's boot sector flag and header magic. */
export function isBzImage(bytes: Uint8Array): boolean {
  if (bytes.length < SETUP_HEADER.header + 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (
    view.getUint16(SETUP_HEADER.boot_flag, true) === BOOT_FLAG &&
    view.getUint32(SETUP_HEADER.header, true) === HDRS_MAGIC
  );
}

/**
 * Reads a bzImage of boot protocol 2.08 or later and decompresses its payload.
 *
 * @param path the name of the part of the file that `bytes` are; absent: the whole file.
 * @throws InputError E_NOT_A_KERNEL (also for a 32-bit kernel, and for a program of this protocol other than Linux);
 * E_OLD_PROTOCOL; E_BAD_FIELD; E_UNSUPPORTED_COMPRESSION; E_TRUNCATED; E_CORRUPT; E_TOO_LARGE.
 */
export function readBzImage(bytes: Uint8Array, file: string, path?: string): BzImage {
  const reader = new Reader(bytes, { file, ...(path !== undefined && { path }) });
  const H = SETUP_HEADER;
  const flag = reader.u16(H.boot_flag, 'boot_flag');
  if (flag !== BOOT_FLAG) {
    throw reader.error('E_NOT_A_KERNEL', H.boot_flag, {
      expected: `boot_flag ${hex(BOOT_FLAG)}`,
      found: hex(flag),
    });
  }
  const magic = reader.u32(H.header, 'header');
  if (magic !== HDRS_MAGIC) {
    throw reader.error('E_NOT_A_KERNEL', H.header, { expected: '"HdrS"', found: hex(magic) });
  }
  const protocol = reader.u16(H.version, 'version');
  if (protocol < PROTOCOL_WITH_PAYLOAD) {
    throw reader.error('E_OLD_PROTOCOL', H.version, {
      reason: 'boot protocol',
      expected: '2.08 or later',
      found: `${protocol >>> 8}.${String(protocol & 0xff).padStart(2, '0')}`,
    });
  }
  const headerEnd = H.header + reader.u8(H.jump, 'jump');
  if (headerEnd < PAYLOAD_FIELDS_END || headerEnd > SETUP_HEADER_LIMIT) {
    throw reader.error('E_BAD_FIELD', H.jump, {
      reason: 'end of the setup header',
      expected: `${hex(PAYLOAD_FIELDS_END)} to ${hex(SETUP_HEADER_LIMIT)}`,
      found: hex(headerEnd),
    });
  }
  if (protocol >= PROTOCOL_WITH_XLOADFLAGS) {
    const flags = reader.u16(H.xloadflags, 'xloadflags');
    if ((flags & XLF_KERNEL_64) === 0) {
      throw reader.error('E_NOT_A_KERNEL', H.xloadflags, {
        expected: 'a 64-bit kernel: XLF_KERNEL_64 in xloadflags',
        found: `a 32-bit one: xloadflags ${hex(flags)}`,
      });
    }
  }
  const versionAt = reader.u16(H.kernel_version, 'kernel_version');
  return {
    setupHeader: reader.slice(H.setup_sects, headerEnd - H.setup_sects, 'setup header').slice(),
    version: versionAt === 0 ? '' : reader.text(versionAt + KERNEL_VERSION_BASE, LONGEST_VERSION),
    ...readPayload(reader),
  };
}

function readPayload(reader: Reader): Pick<BzImage, 'compression' | 'payload' | 'protectedMode'> {
  const H = SETUP_HEADER;
  const sectors = reader.u8(H.setup_sects, 'setup_sects') || DEFAULT_SETUP_SECTS;
  // payload_offset counts from the start of the protected-mode code (boot.txt).
  const start = (sectors + 1) * SECTOR;
  const at = start + reader.u32(H.payload_offset, 'payload_offset');
  const length = reader.u32(H.payload_length, 'payload_length');
  if (length === 0) {
    throw reader.error('E_NOT_A_KERNEL', H.payload_length, {
      expected: 'a compressed kernel as the payload',
      found: 'none: another program of the boot protocol',
    });
  }
  const packed = reader.slice(at, length, 'payload');

  const compression = detectFormat(packed);
  if (compression === undefined || !DECODED.includes(compression)) {
    throw reader.error('E_UNSUPPORTED_COMPRESSION', at, {
      reason: 'compression of the payload',
      expected: DECODED.join(', '),
      found: compression ?? `magic ${hexBytes(packed.subarray(0, SIZE_BYTES), ' ')}`,
    });
  }
  const sizeAt = at + length - SIZE_BYTES;
  const size = reader.u32(sizeAt, 'uncompressed size');
  // gzip's own last field is the size; to the other formats the build appends it (scripts/Makefile.lib, size_append).
  const stream = compression === 'gzip' ? packed : packed.subarray(0, -SIZE_BYTES);
  const most = Math.min(LARGEST_PAYLOAD, stream.length * (MAX_RATIO.get(compression) ?? Infinity));
  if (size > most) {
    throw reader.error('E_TOO_LARGE', sizeAt, {
      reason: 'uncompressed size of the payload',
      expected: `at most ${most} bytes`,
      found: `${size}`,
    });
  }
  const place = { ...reader.place, base: at };
  const { bytes, consumed } = decompress(compression, stream, { limit: most, size, place });
  if (consumed !== stream.length) {
    throw reader.error('E_CORRUPT', at + consumed, {
      reason: `bytes between the end of the ${compression} stream and the size`,
      expected: 'none',
      found: `${stream.length - consumed}`,
    });
  }
  return { compression, payload: bytes, protectedMode: reader.bytes.subarray(start) };
}
