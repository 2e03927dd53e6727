/**
 * What init/initramfs.c makes of a buffer: newc archives, plain or gzipped, one after another.
 *
 * Its rules: an archive starts at a "0" on a multiple of 4; zero bytes between archives are skipped; anything else must
 * be a compression it knows. It stops at the first error, keeping what was unpacked before.
 */
import { Inflate } from 'pako';

/** A regular file of an archive. */
export interface UnpackedFile {
  readonly path: string;
  readonly mode: number;
  readonly body: Uint8Array;
}

export interface Unpacked {
  readonly files: UnpackedFile[];
  /** The kernel's message where it gave up. */
  readonly message?: string;
}

const HEADER = 110;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const PATH_MAX = 4096;
const ZERO_CHAR = 0x30;

/** Magics that decompress_method() knows (lib/decompress.c); only gzip is configured here (our choice). */
const COMPRESSIONS: readonly (readonly [name: string, first: number, second: number])[] = [
  ['gzip', 0x1f, 0x8b],
  ['gzip', 0x1f, 0x9e],
  ['bzip2', 0x42, 0x5a],
  ['lzma', 0x5d, 0x00],
  ['xz', 0xfd, 0x37],
  ['lzo', 0x89, 0x4c],
  ['lz4', 0x02, 0x21],
];

const align4 = (n: number): number => Math.ceil(n / 4) * 4;
const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Unpacks a buffer as the kernel does. */
export function unpackCpio(buffer: Uint8Array): Unpacked {
  const files: UnpackedFile[] = [];
  let at = 0;
  while (at < buffer.length) {
    const byte = buffer[at];
    if (byte === ZERO_CHAR && at % 4 === 0) {
      const end = readArchive(buffer, at, files);
      if (typeof end === 'string') return { files, message: end };
      at = end.next;
      continue;
    }
    if (byte === 0) {
      at++;
      continue;
    }
    const method = COMPRESSIONS.find(([, a, b]) => a === byte && b === buffer[at + 1])?.[0];
    if (method === undefined) return { files, message: 'junk in compressed archive' };
    if (method !== 'gzip') {
      return { files, message: `compression method ${method} not configured` };
    }
    const member = gunzip(buffer, at);
    if (member === undefined) return { files, message: 'decompressor failed' };
    const error = readAll(member.bytes, files);
    if (error !== undefined) return { files, message: error };
    at = member.next;
  }
  return { files };
}

/** The archives of a decompressed buffer; it must end between archives. */
function readAll(bytes: Uint8Array, files: UnpackedFile[]): string | undefined {
  let at = 0;
  let whole = false;
  while (at < bytes.length) {
    if (bytes[at] === 0) {
      at++;
    } else if (bytes[at] === ZERO_CHAR) {
      const end = readArchive(bytes, at, files);
      if (typeof end === 'string') return end;
      at = end.next;
      whole = end.whole;
    } else {
      return 'junk in compressed archive';
    }
  }
  return whole ? undefined : 'junk in compressed archive';
}

/** Reads entries up to the trailer or the end; says where it stopped, or the kernel's message. */
function readArchive(
  buffer: Uint8Array,
  start: number,
  files: UnpackedFile[],
): { next: number; whole: boolean } | string {
  let at = start;
  while (at < buffer.length) {
    if (buffer[at] === 0) return { next: at, whole: true };
    if (at + HEADER > buffer.length) return { next: buffer.length, whole: false };
    const header = ascii(buffer.subarray(at, at + HEADER));
    if (header.startsWith('070707')) return 'incorrect cpio method used: use -H newc option';
    if (!header.startsWith('070701')) return 'no cpio magic';
    const field = (index: number): number => {
      const value = parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
      return Number.isNaN(value) ? 0 : value;
    };
    const mode = field(1);
    const bodyLength = field(6);
    const nameLength = field(11);
    const body = at + align4(HEADER + nameLength) - (at % 4);
    const next = align4(body + bodyLength);
    if (nameLength > 0 && nameLength <= PATH_MAX) {
      const path = ascii(buffer.subarray(at + HEADER, at + HEADER + nameLength - 1));
      if (path === 'TRAILER!!!') return { next: align4(body), whole: true };
      if ((mode & S_IFMT) === S_IFREG) {
        if (body + bodyLength > buffer.length) return { next: buffer.length, whole: false };
        files.push({ path, mode, body: buffer.subarray(body, body + bodyLength) });
      }
    }
    at = next;
  }
  return { next: buffer.length, whole: true };
}

/** One gzip member (RFC 1952): its bytes and where it ends. CRC and length are skipped, as the kernel does. */
function gunzip(buffer: Uint8Array, at: number): { bytes: Uint8Array; next: number } | undefined {
  const FLAGS = { FHCRC: 2, FEXTRA: 4, FNAME: 8, FCOMMENT: 16 } as const;
  const flags = buffer[at + 3] ?? 0;
  let from = at + 10;
  if ((flags & FLAGS.FEXTRA) !== 0) {
    from += 2 + (buffer[from] ?? 0) + ((buffer[from + 1] ?? 0) << 8);
  }
  const skipString = (): void => {
    while (from < buffer.length && buffer[from] !== 0) from++;
    from++;
  };
  if ((flags & FLAGS.FNAME) !== 0) skipString();
  if ((flags & FLAGS.FCOMMENT) !== 0) skipString();
  if ((flags & FLAGS.FHCRC) !== 0) from += 2;
  const inflate = new Inflate({ raw: true });
  inflate.push(buffer.subarray(from), true);
  if (inflate.err !== 0 || !(inflate.result instanceof Uint8Array)) return undefined;
  // How much input is left stands in the library's stream state only; a test holds it to that.
  const left = (inflate['strm'] as { avail_in: number }).avail_in;
  return { bytes: inflate.result, next: buffer.length - left + 8 };
}
