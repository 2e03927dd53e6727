/**
 * cpio archives in the "newc" format (magic 070701; Documentation/early-userspace/buffer-format.txt): a header of 110
 * characters, the name, the body, name and body each padded with zeros to a multiple of 4, and an entry called
 * "TRAILER!!!" at the end.
 */
import { concat, latin1 } from '../base/bytes.js';
import { InputError } from '../base/errors.js';

/** The fields of a header after its magic, in order; each is eight hexadecimal digits (buffer-format.txt). */
export const NEWC_FIELDS = [
  'c_ino',
  'c_mode',
  'c_uid',
  'c_gid',
  'c_nlink',
  'c_mtime',
  'c_filesize',
  'c_maj',
  'c_min',
  'c_rmaj',
  'c_rmin',
  'c_namesize',
  'c_chksum',
] as const;
export const NEWC_MAGIC = '070701';
export const NEWC_HEADER_SIZE = 110;
export const TRAILER = 'TRAILER!!!';

/** Bits of c_mode (stat(2)). */
export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;

const FIELD_SIZE = 8;
const ALIGN = 4;
/** The longest name the kernel unpacks, with its NUL (init/initramfs.c, do_header: PATH_MAX). */
const PATH_MAX = 4096;
const FIELD_MAX = 0xffff_ffff;
const SHOWN = 6;

/** A file, directory or node of an archive. */
export interface CpioEntry {
  /** As in the archive, without its NUL. */
  readonly name: string;
  /** Type and permissions, as st_mode. */
  readonly mode: number;
  readonly body: Uint8Array;
  /** 0 unless given. */
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970; 0 unless given. */
  readonly mtime?: number;
}

/** The result of {@link readCpio}. */
export interface CpioArchives {
  /** The entries of all archives, without their trailers. */
  readonly entries: (Required<CpioEntry> & {
    /** Offsets of the entry's header and of its body in the bytes read. */
    readonly at: number;
    readonly bodyAt: number;
  })[];
  /** Offset at which reading stopped: the end, or the first byte after an archive that does not start another one. */
  readonly end: number;
}

const align = (at: number): number => Math.ceil(at / ALIGN) * ALIGN;

/**
 * Reads concatenated archives as the kernel's unpacker does (init/initramfs.c): an archive starts with a "0" at a
 * multiple of 4, zero bytes between archives are skipped, an archive ends with its trailer. Bodies are not copied.
 *
 * @throws InputError E_NOT_CPIO if the bytes do not start with an archive, E_TRUNCATED if an entry or the trailer is
 * missing, E_BAD_CPIO if a header is malformed; each with the offset of the header.
 */
export function readCpio(bytes: Uint8Array, { file }: { readonly file: string }): CpioArchives {
  const entries: CpioArchives['entries'] = [];
  let at = 0;
  let archives = 0;
  while (at < bytes.length) {
    if (bytes[at] === 0) {
      at++;
      continue;
    }
    const starts = bytes[at] === NEWC_MAGIC.charCodeAt(0) && at % ALIGN === 0;
    if (!starts && archives > 0) break;
    at = readArchive(bytes, at, file, entries);
    archives++;
  }
  return { entries, end: at };
}

/** Adds one archive's entries to `entries`. Returns the offset of its end. */
function readArchive(
  bytes: Uint8Array,
  start: number,
  file: string,
  entries: CpioArchives['entries'],
): number {
  let at = start;
  for (;;) {
    const header = readHeader(bytes, at, file, at === start);
    const nameAt = at + NEWC_HEADER_SIZE;
    const nameEnd = nameAt + header.c_namesize;
    const bodyAt = align(nameEnd);
    const bodyEnd = bodyAt + header.c_filesize;
    // The padding after the last name or body may be missing.
    const end = header.c_filesize === 0 ? nameEnd : bodyEnd;
    if (header.c_namesize === 0 || header.c_namesize > PATH_MAX) {
      throw failed(file, 'E_BAD_CPIO', at, {
        reason: 'length of a name with its NUL',
        expected: `1 to ${PATH_MAX}`,
        found: `${header.c_namesize}`,
      });
    }
    if (end > bytes.length) {
      throw failed(file, 'E_TRUNCATED', at, {
        reason: 'cpio entry',
        expected: `${end - at} bytes`,
        found: `${bytes.length - at} before the end`,
      });
    }
    const name = latin1(bytes.subarray(nameAt, nameEnd));
    if (name.indexOf('\0') !== name.length - 1) {
      throw failed(file, 'E_BAD_CPIO', at, {
        expected: 'a name with one NUL, at its end',
        found: JSON.stringify(name),
      });
    }
    const next = Math.min(align(bodyEnd), bytes.length);
    if (name === `${TRAILER}\0`) return next;
    entries.push({
      name: name.slice(0, -1),
      mode: header.c_mode,
      uid: header.c_uid,
      gid: header.c_gid,
      mtime: header.c_mtime,
      body: bytes.subarray(bodyAt, bodyEnd),
      at,
      bodyAt,
    });
    at = next;
  }
}

type Header = Record<(typeof NEWC_FIELDS)[number], number>;

function readHeader(bytes: Uint8Array, at: number, file: string, first: boolean): Header {
  const text = latin1(bytes.subarray(at, at + NEWC_HEADER_SIZE));
  if (!text.startsWith(NEWC_MAGIC.slice(0, text.length)) || (first && text.length < SHOWN)) {
    throw failed(file, first ? 'E_NOT_CPIO' : 'E_BAD_CPIO', at, {
      expected: `"${NEWC_MAGIC}" (newc)`,
      found: JSON.stringify(text.slice(0, SHOWN)),
    });
  }
  if (text.length < NEWC_HEADER_SIZE) {
    throw failed(file, 'E_TRUNCATED', at, {
      reason: first ? 'cpio header' : `no "${TRAILER}"`,
      expected: `a header of ${NEWC_HEADER_SIZE} bytes`,
      found: `${text.length} before the end`,
    });
  }
  const values = NEWC_FIELDS.map((field, index): [string, number] => {
    const from = NEWC_MAGIC.length + index * FIELD_SIZE;
    const digits = text.slice(from, from + FIELD_SIZE);
    if (!/^[0-9a-fA-F]{8}$/.test(digits)) {
      throw failed(file, 'E_BAD_CPIO', at + from, {
        reason: field,
        expected: 'eight hexadecimal digits',
        found: JSON.stringify(digits),
      });
    }
    return [field, parseInt(digits, 16)];
  });
  return Object.fromEntries(values) as Header;
}

function failed(
  file: string,
  code: string,
  offset: number,
  details: { reason?: string; expected?: string; found?: string },
): InputError {
  return new InputError({ code, place: { file, offset }, ...details });
}

/**
 * Writes one archive with its trailer. The bytes depend on the entries alone: inode numbers count from 1, and every
 * entry has one link, a directory two.
 *
 * @throws InputError E_BAD_CPIO for a name that is empty, too long, contains a NUL or a character beyond Latin-1, or is
 * the trailer's.
 */
export function writeCpio(list: readonly CpioEntry[]): Uint8Array {
  const packedEntries = list.map((entry, index) => {
    checkName(entry.name);
    const directory = (entry.mode & S_IFMT) === S_IFDIR;
    return packed(entry, { ino: index + 1, nlink: directory ? 2 : 1 });
  });
  const trailer: CpioEntry = { name: TRAILER, mode: 0, body: new Uint8Array(0) };
  packedEntries.push(packed(trailer, { ino: 0, nlink: 1 }));
  return concat(packedEntries);
}

function checkName(name: string): void {
  const wrong =
    name === '' ||
    name.length >= PATH_MAX ||
    name === TRAILER ||
    [...name].some((char) => char === '\0' || char > '\xff');
  if (!wrong) return;
  throw new InputError({
    code: 'E_BAD_CPIO',
    expected: `a name of 1 to ${PATH_MAX - 1} Latin-1 characters other than "${TRAILER}"`,
    found: JSON.stringify(name.slice(0, PATH_MAX)),
  });
}

function packed(entry: CpioEntry, { ino, nlink }: { ino: number; nlink: number }): Uint8Array {
  const header: Header = {
    c_ino: ino,
    c_mode: entry.mode,
    c_uid: entry.uid ?? 0,
    c_gid: entry.gid ?? 0,
    c_nlink: nlink,
    c_mtime: entry.mtime ?? 0,
    c_filesize: entry.body.length,
    c_maj: 0,
    c_min: 0,
    c_rmaj: 0,
    c_rmin: 0,
    c_namesize: entry.name.length + 1,
    c_chksum: 0, // ignored with this magic (buffer-format.txt)
  };
  const digits = (value: number): string =>
    Math.min(value, FIELD_MAX).toString(16).padStart(FIELD_SIZE, '0');
  const text = `${NEWC_MAGIC}${NEWC_FIELDS.map((field) => digits(header[field])).join('')}${entry.name}`;
  const bodyAt = align(text.length + 1);
  const bytes = new Uint8Array(align(bodyAt + entry.body.length));
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  bytes.set(entry.body, bodyAt);
  return bytes;
}
