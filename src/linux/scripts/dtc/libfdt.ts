/** scripts/dtc/libfdt: reads a flattened device tree in simulated memory. Cells are big-endian. */
import { FDT_HEADER, FDT_MAGIC, FDT_TOKEN } from '../../../firmware/fdt.js';
import { va, type Va } from '../../../machine/address.js';
import type { Kernel } from '../../../kernel/kernel.js';

/** Versions that libfdt reads (libfdt.h). */
const FDT_FIRST_SUPPORTED_VERSION = 0x10;
const FDT_LAST_SUPPORTED_VERSION = 0x11;
const FDT_SW_MAGIC = 0x2fe2_6f32;
const CELL = 4;
/** tag, len and nameoff of struct fdt_property. */
const PROPERTY_HEADER = 12;

/** A token of the structure block, with its name and value. */
export interface FdtToken {
  readonly tag: number;
  /** Offset of the next token in the structure block. */
  readonly next: number;
  /** Unit name of a node, or name of a property; empty for other tokens. */
  readonly name: string;
  /** A property's value: address and length in bytes. */
  readonly value: Va;
  readonly length: number;
}

const swap = (value: number): number =>
  (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>>
  0;

/** The value of the cell at an address. */
export function fdt32(k: Kernel, at: Va): number {
  return swap(k.readU32(at));
}

/** The value of a header field. */
export function fdtField(
  k: Kernel,
  fdt: Va,
  field: Exclude<keyof typeof FDT_HEADER, 'size'>,
): number {
  return fdt32(k, va(fdt + FDT_HEADER[field]));
}

/** 0 for a header that libfdt accepts, else one of its negative errors (fdt.c: fdt_check_header). */
export function fdt_check_header(k: Kernel, fdt: Va): number {
  const magic = fdtField(k, fdt, 'magic');
  if (magic === FDT_MAGIC) {
    if (fdtField(k, fdt, 'version') < FDT_FIRST_SUPPORTED_VERSION) return FDT_ERR.BADVERSION;
    return fdtField(k, fdt, 'last_comp_version') > FDT_LAST_SUPPORTED_VERSION
      ? FDT_ERR.BADVERSION
      : 0;
  }
  if (magic !== FDT_SW_MAGIC) return FDT_ERR.BADMAGIC;
  return fdtField(k, fdt, 'size_dt_struct') === 0 ? FDT_ERR.BADSTATE : 0;
}

/** Error codes of libfdt that can occur in a boot (libfdt.h). */
export const FDT_ERR = {
  NOTFOUND: -1,
  BADSTATE: -7,
  TRUNCATED: -8,
  BADMAGIC: -9,
  BADVERSION: -10,
  BADSTRUCTURE: -11,
} as const;

/** The string at an address, up to its NUL; undefined if the first `limit` bytes have no NUL. */
function textAt(k: Kernel, at: number, limit: number): string | undefined {
  let text = '';
  for (let i = 0; i < limit; i++) {
    const byte = k.readU8(va(at + i));
    if (byte === 0) return text;
    text += String.fromCharCode(byte);
  }
  return undefined;
}

/** Virtual addresses and sizes in bytes of a blob's blocks. */
export interface FdtBlob {
  readonly fdt: Va;
  readonly structure: number;
  readonly structureSize: number;
  readonly strings: number;
  readonly stringsSize: number;
  /** Property names that were read, by their offset in the strings block: many properties share one. */
  readonly names: Map<number, string | undefined>;
}

/** Reads the addresses and sizes of a blob's blocks from its header. */
export function fdtBlob(k: Kernel, fdt: Va): FdtBlob {
  return {
    fdt,
    structure: fdt + fdtField(k, fdt, 'off_dt_struct'),
    structureSize: fdtField(k, fdt, 'size_dt_struct'),
    strings: fdt + fdtField(k, fdt, 'off_dt_strings'),
    stringsSize: fdtField(k, fdt, 'size_dt_strings'),
    names: new Map(),
  };
}

/** The name at an offset of the strings block; undefined if the block has no NUL after it. */
function nameOf(k: Kernel, blob: FdtBlob, offset: number): string | undefined {
  const { names, strings, stringsSize } = blob;
  if (names.has(offset)) return names.get(offset);
  const name = textAt(k, strings + offset, Math.max(0, stringsSize - offset));
  names.set(offset, name);
  return name;
}

/** The token at an offset of the structure block, or a negative error (fdt.c: fdt_next_tag). */
export function fdt_next_tag(k: Kernel, blob: FdtBlob, offset: number): FdtToken | number {
  const { structure, structureSize } = blob;
  if (offset + CELL > structureSize) return FDT_ERR.TRUNCATED;
  const at = structure + offset;
  const tag = fdt32(k, va(at));
  const plain = { tag, name: '', value: va(at), length: 0 };
  const end = (bytes: number): number => offset + Math.ceil(bytes / CELL) * CELL;
  switch (tag) {
    case FDT_TOKEN.BEGIN_NODE: {
      const name = textAt(k, at + CELL, structureSize - offset - CELL);
      if (name === undefined) return FDT_ERR.BADSTRUCTURE;
      return { ...plain, name, next: end(CELL + name.length + 1) };
    }
    case FDT_TOKEN.PROP: {
      if (offset + PROPERTY_HEADER > structureSize) return FDT_ERR.BADSTRUCTURE;
      const length = fdt32(k, va(at + CELL));
      const nameAt = fdt32(k, va(at + 2 * CELL));
      const next = end(PROPERTY_HEADER + length);
      if (next > structureSize) return FDT_ERR.BADSTRUCTURE;
      const name = nameOf(k, blob, nameAt);
      if (name === undefined) return FDT_ERR.BADSTRUCTURE;
      return { tag, name, value: va(at + PROPERTY_HEADER), length, next };
    }
    case FDT_TOKEN.END_NODE:
    case FDT_TOKEN.NOP:
    case FDT_TOKEN.END:
      return { ...plain, next: end(CELL) };
    default:
      return FDT_ERR.BADSTRUCTURE;
  }
}
