/** A kernel image as the loader has it: what is loaded where, where it is entered, and its symbols. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { InputError } from '../../trace/errors.js';
import { isBzImage, readBzImage } from './bzimage.js';
import { ELF_MAGIC, readElf, type ElfImage, type ImageSegment } from './elf.js';
import { readKallsyms } from './kallsyms.js';
import { hexBytes } from './reader.js';
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
  /** Physical address that it is entered at. */
  readonly entry: number;
  readonly symbols: SymbolTable;
  /** Of a bzImage: its setup header, which the loader copies to offset 0x1f1 of the zero page. */
  readonly setupHeader?: Uint8Array;
}

/** What readKernelImage needs beside the bytes. */
export interface KernelImageOptions {
  /** The file as the user named it. */
  readonly file: string;
  /** The image's System.map, where it has no symbols of its own or they are not wanted. */
  readonly systemMap?: { readonly file: string; readonly text: string };
  /** SHA-256 of bytes, 32 bytes; another than the built-in one where the platform has a faster one. */
  readonly sha256?: (bytes: Uint8Array) => Uint8Array;
}

const LINUX_BANNER = 'Linux version ';
const LONGEST_BANNER = 1024;
const SHOWN_BYTES = 4;

/**
 * Reads a bzImage or an ELF vmlinux, whichever the bytes are. Symbols are taken from the System.map if one is given,
 * else from the ELF symbol table, else from kallsyms.
 *
 * @throws InputError E_NOT_A_KERNEL if it is neither; E_NO_SYMBOLS if no table has any; E_SYSTEM_MAP_MISMATCH if the
 * map is another kernel's; and what the readers of the parts throw.
 */
export function readKernelImage(bytes: Uint8Array, opts: KernelImageOptions): KernelImage {
  const { file } = opts;
  const digest = digestOf(bytes, opts.sha256 ?? sha256);
  if (isElf(bytes)) {
    const elf = readElf(bytes, { file });
    const symbols = symbolsOf(elf, opts);
    const version = banner(elf.segments, symbols);
    return new ReadImage('vmlinux', file, digest, elf, symbols, {
      ...(version !== undefined && { version }),
    });
  }
  if (!isBzImage(bytes)) {
    throw new InputError({
      code: 'E_NOT_A_KERNEL',
      place: { file, offset: 0 },
      expected: 'a bzImage or an ELF vmlinux',
      found:
        bytes.length === 0
          ? 'an empty file'
          : `a file that starts with ${hexBytes(bytes.subarray(0, SHOWN_BYTES))}`,
    });
  }
  const { payload, version, setupHeader } = readBzImage(bytes, file);
  const elf = readElf(payload, { file, path: 'payload' });
  return new ReadImage('bzImage', file, digest, elf, symbolsOf(elf, opts), {
    ...(version !== '' && { version }),
    setupHeader,
  });
}

/** An image whose digest is computed when it is first asked for: hashing takes as long as all the rest (measured). */
class ReadImage implements KernelImage {
  readonly segments: ImageSegment[];
  readonly entry: number;
  declare readonly version?: string;
  declare readonly setupHeader?: Uint8Array;

  constructor(
    readonly kind: 'bzImage' | 'vmlinux',
    readonly file: string,
    private readonly computeDigest: () => string,
    elf: ElfImage,
    readonly symbols: SymbolTable,
    more: Pick<KernelImage, 'version' | 'setupHeader'>,
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
  return ELF_MAGIC.every((byte, index) => bytes[index] === byte);
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

/** A map is the image's own if `_text` is where a segment starts and the banner is where the map says. */
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

/** The text at `linux_banner`, without its line feed; undefined where that is no banner. */
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
