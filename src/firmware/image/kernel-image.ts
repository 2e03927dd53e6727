/** A kernel image for the loader: segments, entry point and symbols. */
import { LIMITS } from '../../base/limits.js';
import { startsWith } from '../../base/bytes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { InputError } from '../../base/errors.js';
import {
  decompress,
  decompressPart,
  detectFormat,
  type Format,
} from '../../decompress/decompress.js';
import { isBzImage, readBzImage } from './bzimage.js';
import { ELF_MAGIC, readElf, type ElfImage, type ImageSegment } from './elf.js';
import { readKallsyms } from './kallsyms.js';
import { relocated32 } from './relocations.js';
import { nameKind } from './kinds.js';
import { isUki, readUki, type Uki } from './uki.js';
import { readSystemMap } from './system-map.js';
import type { SymbolTable } from './symbols.js';

export type { ImageSegment } from './elf.js';
export { SymbolTable, type ImageSymbol, type SymbolColumns } from './symbols.js';

/** A kernel to boot. */
export interface KernelImage {
  readonly kind: 'bzImage' | 'vmlinux' | 'built-in';
  /** The file as the user named it. */
  readonly file: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly digest: string;
  /** A bzImage's version text, or a vmlinux' `linux_banner`, if it has one. */
  readonly version?: string;
  readonly segments: ImageSegment[];
  /** Physical address of the entry point. */
  readonly entry: number;
  readonly symbols: SymbolTable;
  /** The setup header of a bzImage, which the loader copies to offset 0x1f1 of the zero page. */
  readonly setupHeader?: Uint8Array;
  /** A bzImage's file after its setup code: the decompressor's stub with the payload. */
  readonly protectedMode?: Uint8Array;
  /** Link addresses of words of 32 bits that a bzImage's stub relocates, some of them; none: it relocates none. */
  readonly relocated?: readonly number[];
  /** The compression of a bzImage's payload. */
  readonly compression?: Format;
  /** The compression of the whole image, for example of a vmlinux.gz. */
  readonly packedWith?: Format;
  /** The unified kernel image of which the kernel is a section. */
  readonly uki?: Uki;
}

/** The file with its version, for a line of text. */
export const imageText = ({ file, version }: Pick<KernelImage, 'file' | 'version'>): string =>
  version === undefined ? file : `${file}, ${version}`;

/** The parameters of readKernelImage. */
export interface KernelImageOptions {
  /** The file as the user named it. */
  readonly file: string;
  /** The image's System.map, used in place of the image's own symbols. */
  readonly systemMap?: { readonly file: string; readonly text: string };
  /** A faster SHA-256 of the platform, 32 bytes; absent: @noble/hashes. */
  readonly sha256?: (bytes: Uint8Array) => Uint8Array;
}

const LINUX_BANNER = 'Linux version ';
const LONGEST_BANNER = 1024;
/** The relocated words that are kept (our choice). */
const RELOCATED = 64;
/** The largest decompressed image: the kernel's own address space is at most 1 GiB (KERNEL_IMAGE_SIZE). */
const LARGEST_UNPACKED = LIMITS.unpackedKernel.most;
/** Bytes that are decompressed to identify a file (our choice: more than the largest block of any format). */
const PROBE_SIZE = 1 << 24;

/**
 * Reads a bzImage, an ELF vmlinux, a unified kernel image, or one of them compressed as a whole.
 * Symbols are taken from the System.map if one is given, else from the ELF symbol table, else from kallsyms.
 *
 * @throws InputError E_NOT_A_KERNEL, which names what it is, if it is none of them; E_NO_SYMBOLS if no table has any;
 * E_SYSTEM_MAP_MISMATCH if the map is another kernel's; and what the readers of the parts throw.
 */
export function readKernelImage(bytes: Uint8Array, opts: KernelImageOptions): KernelImage {
  const { file } = opts;
  const digest = digestOf(bytes, opts.sha256 ?? sha256);
  const format = isImage(bytes) ? undefined : detectFormat(bytes);
  if (format === undefined) return readImage(bytes, opts, digest, {});
  const unpacked = unpack(format, bytes, file);
  return readImage(unpacked, opts, digest, { path: `in ${format}`, packedWith: format });
}

const isImage = (bytes: Uint8Array): boolean => isElf(bytes) || isBzImage(bytes) || isUki(bytes);

/** Decompresses an image; first a part of it, so that another file is not decompressed whole. */
function unpack(format: Format, bytes: Uint8Array, file: string): Uint8Array {
  const place = { file };
  const { error, ...start } = decompressPart(format, bytes, { limit: PROBE_SIZE, place });
  if (error !== undefined && error.code !== 'E_TOO_LARGE') throw error;
  if (!isImage(start.bytes)) {
    throw notAKernel(file, `${nameKind(start.bytes)}, compressed with ${format}`);
  }
  const { bytes: unpacked, consumed } =
    error === undefined ? start : decompress(format, bytes, { limit: LARGEST_UNPACKED, place });
  const after = bytes.subarray(consumed);
  if (!after.some((byte) => byte !== 0)) return unpacked;
  throw new InputError({
    code: 'E_CORRUPT',
    place: { file, offset: consumed },
    reason: `after the ${format} stream`,
    expected: 'the end of the file',
    found: `${after.length} bytes`,
  });
}

function notAKernel(file: string, found: string, path?: string): InputError {
  return new InputError({
    code: 'E_NOT_A_KERNEL',
    place: { file, ...(path !== undefined && { path }), offset: 0 },
    expected: 'a bzImage, an ELF vmlinux or a UKI for x86-64',
    found,
  });
}

/** The container of the image's bytes. */
interface Outer {
  /** The part of the file that the bytes are; absent: the whole file. */
  readonly path?: string;
  readonly packedWith?: Format;
  readonly uki?: Uki;
}

function readImage(
  bytes: Uint8Array,
  opts: KernelImageOptions,
  digest: () => string,
  { path, ...outer }: Outer,
): KernelImage {
  const { file } = opts;
  const place = { file, ...(path !== undefined && { path }) };
  if (isElf(bytes)) {
    const elf = readElf(bytes, place);
    const symbols = symbolsOf(elf, opts);
    const version = banner(elf.segments, symbols);
    return new ReadImage('vmlinux', file, digest, elf, symbols, {
      ...outer,
      ...(version !== undefined && { version }),
    });
  }
  if (isBzImage(bytes)) {
    const { payload, version, ...container } = readBzImage(bytes, file, path);
    const elf = readElf(payload, {
      file,
      path: path === undefined ? 'payload' : `${path}, payload`,
    });
    return new ReadImage('bzImage', file, digest, elf, symbolsOf(elf, opts), {
      ...outer,
      ...(version !== '' && { version }),
      ...container,
      relocated: relocated32(payload, RELOCATED),
    });
  }
  if (outer.uki === undefined && isUki(bytes)) {
    const uki = readUki(bytes, file);
    return readImage(uki.linux.bytes, opts, digest, { ...outer, path: '.linux', uki });
  }
  throw notAKernel(file, nameKind(bytes), path);
}

/** An image whose digest is computed at its first use: hashing takes as long as all the rest (measured). */
class ReadImage implements KernelImage {
  readonly segments: ImageSegment[];
  readonly entry: number;
  declare readonly version?: string;
  declare readonly setupHeader?: Uint8Array;
  declare readonly protectedMode?: Uint8Array;
  declare readonly relocated?: readonly number[];
  declare readonly compression?: Format;
  declare readonly packedWith?: Format;
  declare readonly uki?: Uki;

  constructor(
    readonly kind: 'bzImage' | 'vmlinux',
    readonly file: string,
    private readonly computeDigest: () => string,
    elf: ElfImage,
    readonly symbols: SymbolTable,
    more: Omit<KernelImage, 'kind' | 'file' | 'digest' | 'segments' | 'entry' | 'symbols'>,
  ) {
    this.segments = elf.segments;
    this.entry = elf.entry;
    Object.assign(this, more);
  }

  get digest(): string {
    return this.computeDigest();
  }
}

function digestOf(bytes: Uint8Array, hash: (bytes: Uint8Array) => Uint8Array): () => string {
  let digest: string | undefined;
  return () => (digest ??= bytesToHex(hash(bytes)));
}

function isElf(bytes: Uint8Array): boolean {
  return startsWith(bytes, ELF_MAGIC);
}

function symbolsOf(elf: ElfImage, { file, systemMap }: KernelImageOptions): SymbolTable {
  if (systemMap !== undefined) {
    const symbols = readSystemMap(systemMap.text, systemMap.file);
    checkMap(elf.segments, symbols, systemMap.file);
    return symbols;
  }
  const symbols = elf.symbols ?? readKallsyms(elf.segments);
  if (symbols !== undefined) return symbols;
  throw new InputError({
    code: 'E_NO_SYMBOLS',
    place: { file },
    reason: 'the image carries no symbols; give its System.map',
    expected: 'an ELF symbol table or kallsyms',
    found: 'neither',
  });
}

/** Throws E_SYSTEM_MAP_MISMATCH unless `_text` is the start of a segment and the banner is at `linux_banner`. */
function checkMap(segments: readonly ImageSegment[], symbols: SymbolTable, file: string): void {
  const text = symbols.get('_text');
  const mismatch = (expected: string, found: string): InputError =>
    new InputError({
      code: 'E_SYSTEM_MAP_MISMATCH',
      place: { file },
      reason: "the map is another kernel's",
      expected,
      found,
    });
  if (!segments.some(({ vaddr }) => vaddr === text?.address)) {
    throw mismatch('_text at the start of a segment of the image', 'no segment there');
  }
  if (symbols.get('linux_banner') !== undefined && banner(segments, symbols) === undefined) {
    throw mismatch(`linux_banner at "${LINUX_BANNER}" in the image`, 'other bytes there');
  }
}

/** The text at `linux_banner`, without its line feed; undefined if it is not a banner. */
function banner(segments: readonly ImageSegment[], symbols: SymbolTable): string | undefined {
  const symbol = symbols.get('linux_banner');
  if (symbol === undefined) return undefined;
  for (const { vaddr, bytes } of segments) {
    const offset = symbol.address - vaddr;
    if (offset < 0 || offset >= bytes.length) continue;
    const limited = bytes.subarray(offset, offset + LONGEST_BANNER);
    const end = limited.indexOf(0);
    const text = String.fromCharCode(...(end === -1 ? limited : limited.subarray(0, end)));
    return text.startsWith(LINUX_BANNER) ? text.trimEnd() : undefined;
  }
  return undefined;
}
