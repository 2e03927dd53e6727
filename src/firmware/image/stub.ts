/**
 * The decompressor's stub of a bzImage: its protected-mode code, and what the setup header says of where it may be loaded
 * (Documentation/x86/boot.rst, "Details of Header Fields").
 */
import { InputError } from '../../base/errors.js';
import { PAGE_SIZE } from '../../machine/address.js';
import { BOOT_PARAMS } from '../boot-params.js';
import type { KernelImage } from './kernel-image.js';
import { hex, Reader } from './reader.js';

/** The protected-mode code of a bzImage. */
export interface Stub {
  readonly bytes: Uint8Array;
  /** The preferred physical address of its first byte (pref_address). */
  readonly preferred: number;
  /** Whether it may be at another address, and the alignment of the memory that it takes then, in bytes. */
  readonly relocatable: boolean;
  readonly alignment: number;
  /** The least alignment with which the kernel can run, in bytes (min_alignment). */
  readonly minAlignment: number;
  /** Bytes of memory that it needs from its runtime start address on (init_size). */
  readonly initSize: number;
}

/** The first protocol with pref_address and init_size (boot.rst). */
const PROTOCOL_WITH_INIT_SIZE = 0x020a;
/** Units of syssize (boot.rst). */
const PARAGRAPH = 16;
/** The 64-bit entry's offset in the protected-mode code (boot.rst, 64-bit boot protocol). */
export const ENTRY_64 = 0x200;

/**
 * The stub of an image.
 *
 * @throws InputError E_USAGE for an image that is no bzImage; E_OLD_PROTOCOL before 2.10; E_BAD_FIELD for a size or an
 * alignment that no stub has; E_TRUNCATED where the file is shorter than its header says.
 */
export function stubOf({ file, kind, protectedMode, setupHeader }: KernelImage): Stub {
  if (protectedMode === undefined || setupHeader === undefined) {
    throw new InputError({
      code: 'E_USAGE',
      place: { file, path: '--entry' },
      reason: `${kind === 'bzImage' ? 'this image' : `a ${kind}`} has no decompressor`,
      expected: 'a bzImage, or --entry kernel',
      found: 'decompressor',
    });
  }
  // The header's fields are at the same offsets in the file and in the zero page.
  const start = BOOT_PARAMS.hdr;
  const reader = new Reader(setupHeader, { file, path: 'setup header' });
  const at = (field: number): number => field - start;
  const protocol = reader.u16(at(BOOT_PARAMS.version), 'version');
  if (protocol < PROTOCOL_WITH_INIT_SIZE) {
    throw reader.error('E_OLD_PROTOCOL', at(BOOT_PARAMS.version), {
      reason: 'boot protocol of a stub that is executed',
      expected: '2.10 or later',
      found: `${protocol >>> 8}.${String(protocol & 0xff).padStart(2, '0')}`,
    });
  }
  const size = reader.u32(at(BOOT_PARAMS.syssize), 'syssize') * PARAGRAPH;
  if (size <= ENTRY_64)
    throw reader.error('E_BAD_FIELD', at(BOOT_PARAMS.syssize), {
      reason: 'size of the protected-mode code (syssize)',
      expected: `more than ${hex(ENTRY_64)} bytes`,
      found: hex(size),
    });
  const alignment = reader.u32(at(BOOT_PARAMS.kernel_alignment), 'kernel_alignment');
  const minAlignment = 2 ** reader.u8(at(BOOT_PARAMS.min_alignment), 'min_alignment');
  if (minAlignment < PAGE_SIZE || alignment < minAlignment) {
    throw reader.error('E_BAD_FIELD', at(BOOT_PARAMS.kernel_alignment), {
      reason: 'alignment of the kernel (kernel_alignment, min_alignment)',
      expected: `min_alignment of at least ${hex(PAGE_SIZE)} bytes, and no smaller kernel_alignment`,
      found: `${hex(minAlignment)} and ${hex(alignment)}`,
    });
  }
  const code = new Reader(protectedMode, { file, path: 'protected-mode code' });
  return {
    bytes: code.slice(0, size, 'syssize'),
    preferred: reader.u64(at(BOOT_PARAMS.pref_address), 'pref_address'),
    relocatable: reader.u8(at(BOOT_PARAMS.relocatable_kernel), 'relocatable_kernel') !== 0,
    alignment,
    minAlignment,
    initSize: reader.u32(at(BOOT_PARAMS.init_size), 'init_size'),
  };
}

/** The end of the memory that a stub at an address takes: init_size from its runtime start address on (boot.rst, init_size). */
export function stubEnd(
  { bytes, preferred, relocatable, alignment, initSize }: Stub,
  at: number,
): number {
  // The runtime start address is at least the preferred one (arch/x86/boot/compressed/head_64.S, LOAD_PHYSICAL_ADDR).
  const aligned = Math.ceil(at / alignment) * alignment;
  const start = relocatable ? Math.max(aligned, preferred) : preferred;
  return Math.max(at + bytes.length, start + initSize);
}
