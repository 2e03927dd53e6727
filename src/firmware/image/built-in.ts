/**
 * The built-in kernel image: 16 MiB, or the scenario's size, with the sections and symbols of a base kernel, and
 * contents that are the same on every machine. It is linked from the given names. Code is noise, since it is not
 * executed: functions are fetched and compared.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { BOOT_FLAG, BOOT_PARAMS, HDRS_MAGIC } from '../boot-params.js';
import { hex, PAGE_SIZE, va, type Va } from '../../machine/address.js';
import { InputError } from '../../base/errors.js';
import { SymbolTable, type ImageSymbol, type KernelImage } from './kernel-image.js';

/** A variable to link; `init` can use the addresses of the names that were linked before it. */
export interface ImageVariable {
  readonly name: string;
  readonly size: number;
  readonly align: number;
  readonly section: '.data' | '.bss' | '.init.data' | '.rodata';
  readonly init?: (at: { link(name: string): Va }) => Uint8Array;
  readonly parts?: Readonly<Record<string, number>>;
}

const MIB = 1024 * 1024;
/** Link address of _text: __START_KERNEL_map plus the preferred load address of 16 MiB. */
const TEXT = -0x8000_0000 + 16 * MIB;
/** Physical load address. */
const LOAD = 16 * MIB;
/** Sections in order, with their sizes (our choice): 16 MiB together, _end − _text. For another size .bss is changed. */
const SECTIONS = [
  { name: '.text', size: 8 * MIB, symbol: '_text', end: '_etext', loaded: true },
  { name: '.rodata', size: 3 * MIB, symbol: '__start_rodata', end: '__end_rodata', loaded: true },
  { name: '.data', size: 2 * MIB, symbol: '_sdata', end: '_edata', loaded: true },
  { name: '.init.data', size: 1 * MIB, symbol: '__init_begin', end: '__init_end', loaded: true },
  { name: '.bss', size: 1.5 * MIB, symbol: '__bss_start', end: '__bss_stop', loaded: false },
  { name: '.brk', size: 0.5 * MIB, symbol: '__brk_base', end: '__brk_limit', loaded: false },
] as const;
type Section = Omit<(typeof SECTIONS)[number], 'size'> & { readonly size: number };
/** Bytes in .data for the names that patches add. */
const OVERLAY_SIZE = 128 * 1024;
/** Distance between functions in bytes. */
const FUNCTION_SPACING = 512;

/** Fills words with deterministic noise: a xorshift generator (Marsaglia). */
function fillNoise(words: Uint32Array): void {
  let x = 0x2016_0426;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
}

/** The default `_end` − `_text` in bytes. */
export const BUILT_IN_SIZE = SECTIONS.reduce((sum, { size }) => sum + size, 0);
/** The kernel mapping has 512 MiB from __START_KERNEL_map on (KERNEL_IMAGE_SIZE). */
const SIZE_MAX = 512 * MIB - LOAD;

/** The sections of an image of `size` bytes: the difference from the default is in .bss. */
function sectionsOf(size: number): readonly Section[] {
  return SECTIONS.map((section) =>
    section.name === '.bss' ? { ...section, size: section.size + size - BUILT_IN_SIZE } : section,
  );
}

/**
 * Links the image from functions (in order, from _text on) and variables.
 *
 * @param digest SHA-256 in hexadecimal.
 * @param total `_end` − `_text` in bytes, a multiple of 4096.
 * @throws InputError E_KERNEL_SIZE for a size that is too small for .bss, or too large for the kernel mapping.
 */
export function buildBuiltInImage(
  functions: readonly string[],
  variables: readonly ImageVariable[],
  digest: (bytes: Uint8Array) => string = (bytes) => bytesToHex(sha256(bytes)),
  total = BUILT_IN_SIZE,
): KernelImage {
  const sections = sectionsOf(total);
  const loadedSize = SECTIONS.filter((s) => s.loaded).reduce((sum, s) => sum + s.size, 0);
  const bytes = new Uint8Array(loadedSize);
  // Data is zero except for linked variables; code and .rodata are noise.
  const noise = SECTIONS.filter(({ name }) => name === '.text' || name === '.rodata');
  fillNoise(new Uint32Array(bytes.buffer, 0, noise.reduce((sum, { size }) => sum + size, 0) / 4));
  const symbols: ImageSymbol[] = [];
  const addresses = new Map<string, number>();
  const define = (name: string, address: number, type: string): void => {
    symbols.push({ name, address, type });
    addresses.set(name, address);
  };
  const next = new Map<string, number>();
  let start = TEXT;
  for (const section of sections) {
    define(section.symbol, start, 'D');
    define(section.end, start + section.size, 'D');
    next.set(section.name, start);
    start += section.size;
  }
  define('_end', TEXT + total, 'B');
  let text = TEXT;
  for (const name of functions) {
    define(name, text, 'T');
    text += FUNCTION_SPACING;
  }
  for (const variable of variables) {
    const from = next.get(variable.section) ?? TEXT;
    const address = Math.ceil(from / variable.align) * variable.align;
    define(variable.name, address, 'D');
    for (const [part, offset] of Object.entries(variable.parts ?? {})) {
      define(part, address + offset, 'D');
    }
    next.set(variable.section, address + variable.size);
    const link = (name: string): Va => va(addresses.get(name) ?? 0);
    if (variable.section !== '.bss' && variable.init !== undefined) {
      bytes.fill(0, address - TEXT, address - TEXT + variable.size);
      bytes.set(variable.init({ link }), address - TEXT);
    }
  }
  checkSize(total, (next.get('.bss') ?? TEXT) - (addresses.get('__bss_start') ?? TEXT));
  const overlay = Math.ceil((next.get('.data') ?? TEXT) / 4096) * 4096;
  define('__overlay_start', overlay, 'D');
  define('__overlay_end', overlay + OVERLAY_SIZE, 'D');
  let known: string | undefined;
  return {
    kind: 'built-in',
    file: 'built-in',
    // Computed when a trace is written: a view of a boot needs none.
    get digest() {
      known ??= digest(bytes);
      return known;
    },
    version: '4.6.0 (built-in)',
    segments: [{ paddr: LOAD, vaddr: TEXT, bytes, memsz: total, flags: 7 }],
    entry: LOAD,
    symbols: new SymbolTable(symbols),
    setupHeader: setupHeader(total),
  };
}

/** Throws E_KERNEL_SIZE for a size too small for .bss with its variables, or too large for the kernel mapping. */
function checkSize(total: number, used: number): void {
  const others = SECTIONS.filter(({ name }) => name !== '.bss').reduce((sum, s) => sum + s.size, 0);
  const least = others + Math.ceil(used / PAGE_SIZE) * PAGE_SIZE;
  if (total >= least && total <= SIZE_MAX && total % PAGE_SIZE === 0) return;
  throw new InputError({
    code: 'E_KERNEL_SIZE',
    place: { path: 'kernel.size' },
    reason: 'the built-in image cannot have this size',
    expected: `whole pages, ${hex(least)} to ${hex(SIZE_MAX)} bytes`,
    found: hex(total),
  });
}

/** The setup header of the image, from offset 0x1f1 of the first sector (Documentation/x86/boot.txt). */
function setupHeader(initSize: number): Uint8Array {
  const page = new DataView(new ArrayBuffer(BOOT_PARAMS._pad7));
  page.setUint8(BOOT_PARAMS.setup_sects, 4);
  page.setUint16(BOOT_PARAMS.boot_flag, BOOT_FLAG, true);
  page.setUint32(BOOT_PARAMS.header, HDRS_MAGIC, true);
  page.setUint16(BOOT_PARAMS.version, 0x020d, true);
  page.setUint8(BOOT_PARAMS.loadflags, 1);
  page.setUint32(BOOT_PARAMS.code32_start, 0x10_0000, true);
  page.setUint32(BOOT_PARAMS.kernel_alignment, 2 * MIB, true);
  page.setUint8(BOOT_PARAMS.relocatable_kernel, 1);
  page.setUint16(BOOT_PARAMS.xloadflags, 3, true);
  page.setUint32(BOOT_PARAMS.cmdline_size, 2047, true);
  page.setBigUint64(BOOT_PARAMS.pref_address, BigInt(LOAD), true);
  page.setUint32(BOOT_PARAMS.init_size, initSize, true);
  return new Uint8Array(page.buffer).slice(BOOT_PARAMS.hdr);
}
