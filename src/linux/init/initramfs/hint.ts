/** The format of an initrd that this kernel cannot unpack, which the kernel's own message does not name. */
import { startsWith } from '../../../base/bytes.js';
import type { UnpackError } from './unpack.js';
import type { InitrdSource } from './input.js';

/** A magic number, its offset, and the text of the hint. */
interface Kind {
  readonly at: number;
  readonly magic: readonly number[];
  readonly what: string;
}

const NOT_IN_46 =
  'Linux 4.6 supports gzip, bzip2, lzma, xz (--check=crc32), lzo, lz4 (lz4 -l, the legacy format)';
const NO_DISK =
  'a kernel with CONFIG_BLK_DEV_RAM would write it to /initrd.image and mount it; x86_64_defconfig does not set it';

const KINDS: readonly Kind[] = [
  {
    at: 0,
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    what: `zstd, which Linux supports from 5.9 on; ${NOT_IN_46}`,
  },
  {
    at: 0,
    magic: [0x04, 0x22, 0x4d, 0x18],
    what: `an LZ4 frame, which no Linux version supports; ${NOT_IN_46}`,
  },
  {
    at: 0,
    magic: [0x4c, 0x5a, 0x49, 0x50],
    what: `lzip, which no Linux version supports; ${NOT_IN_46}`,
  },
  {
    at: 0,
    magic: [0x30, 0x37, 0x30, 0x37, 0x30, 0x32],
    what: 'a cpio archive with checksums (-H crc); the kernel requires -H newc',
  },
  { at: 0, magic: [0xc7, 0x71], what: 'an old binary cpio archive; the kernel requires -H newc' },
  // fs/squashfs/squashfs_fs.h, include/uapi/linux/cramfs_fs.h, romfs_fs.h, minix_fs.h, fs/ext2/ext2.h.
  { at: 0, magic: [0x68, 0x73, 0x71, 0x73], what: `a squashfs image; ${NO_DISK}` },
  { at: 0, magic: [0x45, 0x3d, 0xcd, 0x28], what: `a cramfs image; ${NO_DISK}` },
  { at: 512, magic: [0x45, 0x3d, 0xcd, 0x28], what: `a padded cramfs image; ${NO_DISK}` },
  {
    at: 0,
    magic: [0x2d, 0x72, 0x6f, 0x6d, 0x31, 0x66, 0x73, 0x2d],
    what: `a romfs image; ${NO_DISK}`,
  },
  { at: 1024 + 0x10, magic: [0x7f, 0x13], what: `a Minix image; ${NO_DISK}` },
  { at: 1024 + 0x10, magic: [0x8f, 0x13], what: `a Minix image; ${NO_DISK}` },
  { at: 1024 + 0x38, magic: [0x53, 0xef], what: `an ext2, ext3 or ext4 image; ${NO_DISK}` },
];

/** An XZ stream's magic, the offset of its check type (xz-file-format.txt, 2.1.1.2), the kernel's highest type. */
const XZ = { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], check: 7, crc32: 1 } as const;

/** lzop's header (lib/decompress_unlzo.c, parse_header): its magic, the version, and its flags after 7 or 8 bytes. */
const LZO = { magic: [0x89, 0x4c, 0x5a, 0x4f], version: 9, long: 0x0940, flags: 16 } as const;
/** Flags of the checksums of each block (lzop, --checksum and --crc32). */
const LZO_CHECKSUMS = [0, 1, 8, 9] as const;

/** Whether lzop's blocks have another number of checksums than the one that the kernel skips. */
function otherChecksums(header: Uint8Array): boolean {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const at = LZO.flags + (view.getUint16(LZO.version, false) >= LZO.long ? 1 : 0);
  const flags = view.getUint32(at, false);
  return LZO_CHECKSUMS.filter((bit) => ((flags >> bit) & 1) !== 0).length !== 1;
}

/** The hint for the data at which unpacking failed; undefined if their format is not recognised. */
export function initrdHint({ at }: UnpackError, source: InitrdSource): string | undefined {
  const starts = (offset: number, magic: readonly number[]): boolean => {
    if (offset + magic.length > source.length) return false;
    const bytes = source.read(offset, magic.length);
    return startsWith(bytes, magic);
  };
  if (starts(at, XZ.magic) && at + XZ.check < source.length) {
    const check = (source.read(at + XZ.check, 1)[0] ?? 0) & 0x0f;
    if (check > XZ.crc32)
      return 'xz with a check that the kernel does not support: use xz --check=crc32';
  }
  const lzoHeader = LZO.flags + 5;
  if (starts(at, LZO.magic) && at + lzoHeader <= source.length) {
    if (otherChecksums(source.read(at, lzoHeader)))
      return 'lzo without exactly one checksum per block, which the kernel requires: use lzop without -F';
  }
  const found = KINDS.find((kind) => starts(at + kind.at, kind.magic));
  if (found === undefined) return undefined;
  return `at offset 0x${at.toString(16)} is ${found.what}`;
}
