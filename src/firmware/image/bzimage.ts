/** bzImage: the boot sector and setup code of the x86 boot protocol, and the compressed kernel behind them (Documentation/x86/boot.txt). */
import { DECODED, decompress, detectFormat, type Format } from '../../decompress/decompress.js';
import { GZIP_MAX_RATIO } from '../../decompress/gzip.js';
import { LZ4_MAX_RATIO } from '../../decompress/lz4-block.js';
import { BOOT_FLAG, HDRS_MAGIC } from '../boot-params.js';
import { Reader, hex, hexBytes } from './reader.js';

/** Fields of the setup header that a loader of the payload uses: offsets in the file (Documentation/x86/boot.txt, "The real-mode kernel header"). */
export const SETUP_HEADER = {
  setup_sects: 0x1f1,
  boot_flag: 0x1fe,
  /** The jump instruction's displacement: the header ends that many bytes behind it. */
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

/** What a bzImage holds. */
export interface BzImage {
  /** The setup header as the loader copies it to offset 0x1f1 of the zero page. */
  readonly setupHeader: Uint8Array;
  /** The kernel's version and build as text, '' if it has none. */
  readonly version: string;
  /** What compressed the payload. */
  readonly compression: Format;
  /** The payload decompressed: an ELF file, and relocations behind it where the kernel is relocatable. */
  readonly payload: Uint8Array;
}

/** The first protocol with payload_offset and payload_length (boot.txt). */
const PROTOCOL_WITH_PAYLOAD = 0x0208;
/** The first protocol with xloadflags, and its bit for an entry in 64-bit mode (boot.txt, XLF_KERNEL_64). */
const PROTOCOL_WITH_XLOADFLAGS = 0x020c;
const XLF_KERNEL_64 = 1;
const SECTOR = 512;
/** What setup_sects 0 stands for (boot.txt). */
const DEFAULT_SETUP_SECTS = 4;
/** kernel_version points at a string this far less into the file (boot.txt). */
const KERNEL_VERSION_BASE = 0x200;
const LONGEST_VERSION = 512;
/** Where the setup header must end: edd_mbr_sig_buffer follows it in the zero page (Documentation/x86/zero-page.txt). */
const SETUP_HEADER_LIMIT = 0x290;
const SIZE_BYTES = 4;
/** The shortest header that has the payload's place: protocol 2.08's ends with payload_length. */
const PAYLOAD_FIELDS_END = SETUP_HEADER.payload_length + 4;
/** A payload that gives more than this is refused: the kernel's own address space is 1 GiB at most (KERNEL_IMAGE_SIZE). */
const LARGEST_PAYLOAD = 2 ** 30;

/** Formats whose output per byte of input has a bound. */
const MAX_RATIO: ReadonlyMap<Format, number> = new Map([
  ['gzip', GZIP_MAX_RATIO],
  ['LZ4', LZ4_MAX_RATIO],
]);

/** Whether a file starts as a bzImage does: the boot sector's flag and the header's magic. */
export function isBzImage(bytes: Uint8Array): boolean {
  if (bytes.length < SETUP_HEADER.header + 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (
    view.getUint16(SETUP_HEADER.boot_flag, true) === BOOT_FLAG &&
    view.getUint32(SETUP_HEADER.header, true) === HDRS_MAGIC
  );
}

/**
 * Reads a bzImage of boot protocol 2.08 or later and decompresses its payload. `path` names the part of the file that
 * the bytes are, where they are not the whole.
 *
 * @throws InputError E_NOT_A_KERNEL (also for a 32-bit kernel, and a program of this protocol that is no Linux); E_OLD_PROTOCOL; E_UNSUPPORTED_COMPRESSION; E_TRUNCATED; E_CORRUPT; E_TOO_LARGE.
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

function readPayload(reader: Reader): Pick<BzImage, 'compression' | 'payload'> {
  const H = SETUP_HEADER;
  const sectors = reader.u8(H.setup_sects, 'setup_sects') || DEFAULT_SETUP_SECTS;
  // payload_offset counts from the start of the protected-mode code (boot.txt).
  const at = (sectors + 1) * SECTOR + reader.u32(H.payload_offset, 'payload_offset');
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
      found: compression ?? `magic ${hexBytes(packed.subarray(0, SIZE_BYTES))}`,
    });
  }
  const sizeAt = at + length - SIZE_BYTES;
  const size = reader.u32(sizeAt, 'uncompressed size');
  // gzip has the size as its own last field; after the others the build appends it (scripts/Makefile.lib, size_append).
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
  return { compression, payload: bytes };
}
