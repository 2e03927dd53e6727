/** The AMD IOMMU's device table entries and page tables (48882, "Device Table" and "I/O Page Tables for Host Translations"). */
import { ADDRESS_51_12 } from './amd-iommu-registers.js';
import { EVENT_FLAG } from './amd-iommu-events.js';

/** Bytes of a device table entry. */
export const DTE_SIZE = 32;

const bit = (n: number): bigint => 1n << BigInt(n);
const bits = (high: number, low: number): bigint =>
  ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);

/** A device table entry, bits 63:0. */
export const DTE0 = {
  V: bit(0),
  TV: bit(1),
  Mode: bits(11, 9),
  Root: ADDRESS_51_12,
  IR: bit(61),
  IW: bit(62),
} as const;
/** Bits 127:64, numbered from 0. */
export const DTE1 = {
  DomainID: bits(15, 0),
  I: bit(32),
  SE: bit(33),
  SA: bit(34),
  IoCtl: bits(36, 35),
  Cache: bit(37),
  SD: bit(38),
  EX: bit(39),
  SysMgt: bits(41, 40),
} as const;

/** A page directory entry or page table entry. */
export const PTE = {
  PR: bit(0),
  NextLevel: bits(11, 9),
  Address: ADDRESS_51_12,
  U: bit(59),
  FC: bit(60),
  IR: bit(61),
  IW: bit(62),
} as const;
const LEVEL_SHIFT = 9n;
/** Bits that must be 0: in a leaf 58:52, in a pointer 60:52 as well. */
const LEAF_RESERVED = bits(58, 52);
const POINTER_RESERVED = bits(60, 52);
/** Next level of a leaf whose address encodes its size. */
const SIZE_IN_ADDRESS = 7;
const MAX_LEVEL = 6;

const allBits = (table: Readonly<Record<string, bigint>>): bigint =>
  Object.values(table).reduce((sum, mask) => sum | mask, 0n);
const DTE0_KNOWN = allBits(DTE0);
const DTE1_KNOWN = allBits(DTE1);

/** The fields of a device table entry. */
export interface Dte {
  readonly valid: boolean;
  readonly translationValid: boolean;
  readonly mode: number;
  /** Address of the root table, C-bit included. */
  readonly root: bigint;
  readonly read: boolean;
  readonly write: boolean;
  readonly domain: number;
  /** SA: page faults of the device are not logged. */
  readonly suppressAll: boolean;
  /** Why the entry is illegal (48882, "ILLEGAL_DEV_TABLE_ENTRY Event"): reserved bits, or the number of levels. */
  readonly illegal?: 'reserved' | 'level';
}

/** Decodes bits 127:0 of an entry; the bits above control interrupts, which are not modelled. */
export function decodeDte(low: bigint, high: bigint): Dte {
  const valid = (low & DTE0.V) !== 0n;
  const mode = Number((low & DTE0.Mode) >> LEVEL_SHIFT);
  // Guest translation and page requests are not supported: their bits are reserved. With V=0 all others are ignored.
  const reserved = (low & ~DTE0_KNOWN) !== 0n || (high & ~DTE1_KNOWN) !== 0n;
  const illegal = !valid
    ? undefined
    : reserved
      ? 'reserved'
      : mode > MAX_LEVEL
        ? 'level'
        : undefined;
  return {
    valid,
    translationValid: (low & DTE0.TV) !== 0n,
    mode,
    root: low & DTE0.Root,
    read: (low & DTE0.IR) !== 0n,
    write: (low & DTE0.IW) !== 0n,
    domain: Number(high & DTE1.DomainID),
    suppressAll: (high & DTE1.SA) !== 0n,
    ...(illegal === undefined ? {} : { illegal }),
  };
}

/** A translation: `size` bytes from `iova` are at `address`, C-bit included. */
export interface Translation {
  readonly iova: bigint;
  readonly address: bigint;
  readonly size: bigint;
  readonly read: boolean;
  readonly write: boolean;
}

/** The outcome of a walk: a translation, a page fault with its flags, or an entry that could not be read. */
export type Walk =
  | { readonly kind: 'translation'; readonly translation: Translation }
  | { readonly kind: 'fault'; readonly flags: number }
  | { readonly kind: 'unreadable'; readonly at: bigint };

const fault = (flags: number): Walk => ({ kind: 'fault', flags });
const shiftOf = (level: number): bigint => BigInt(12 + 9 * (level - 1));

/**
 * Walks the tables of a valid device table entry. A permission must be set in all entries of the walk.
 * @param readEntry reads 8 bytes at an address, C-bit included; undefined if the read fails.
 */
export function walkTables(
  dte: Dte,
  iova: bigint,
  readEntry: (at: bigint) => bigint | undefined,
): Walk {
  let { read, write } = dte;
  let level = dte.mode;
  // Mode 0: translation is off, IR and IW still apply.
  if (level === 0) {
    const page = iova & ~0xfffn;
    return found({ iova: page, address: page, size: 0x1000n, read, write });
  }
  // An address beyond the range of the levels is not present.
  if (level < MAX_LEVEL && iova >> (shiftOf(level) + 9n) !== 0n) return fault(0);
  let table = dte.root;
  for (;;) {
    const shift = shiftOf(level);
    const at = table + ((iova >> shift) & 0x1ffn) * 8n;
    const entry = readEntry(at);
    if (entry === undefined) return { kind: 'unreadable', at };
    if ((entry & PTE.PR) === 0n) return fault(0);
    read &&= (entry & PTE.IR) !== 0n;
    write &&= (entry & PTE.IW) !== 0n;
    const next = Number((entry & PTE.NextLevel) >> LEVEL_SHIFT);
    if (next === 0 || next === SIZE_IN_ADDRESS) {
      if ((entry & LEAF_RESERVED) !== 0n) return fault(EVENT_FLAG.PR | EVENT_FLAG.RZ);
      const size = next === 0 ? 1n << shift : encodedSize(entry);
      // An encoded size is between that of the level and that of the level above.
      const fits = next === 0 || (size > 1n << shift && size < 1n << (shift + 9n));
      if (!fits) return fault(EVENT_FLAG.PR);
      const address = entry & PTE.Address & ~(size - 1n);
      return found({ iova: iova & ~(size - 1n), address, size, read, write });
    }
    if ((entry & POINTER_RESERVED) !== 0n) return fault(EVENT_FLAG.PR | EVENT_FLAG.RZ);
    if (next >= level) return fault(EVENT_FLAG.PR);
    // Levels may be skipped if the address bits of the skipped levels are zero.
    const skipped = ((1n << shift) - 1n) & ~((1n << (shiftOf(next) + 9n)) - 1n);
    if ((iova & skipped) !== 0n) return fault(EVENT_FLAG.PR);
    table = entry & PTE.Address;
    level = next;
  }
}

function found(translation: Translation): Walk {
  return { kind: 'translation', translation };
}

/** The size that an address encodes by the ones from bit 12 up to the first zero (also in INVALIDATE_IOMMU_PAGES). */
export function encodedSize(value: bigint): bigint {
  // The lowest zero of bits 62:12; if there is none, bit 63.
  const zeros = BigInt.asUintN(51, ~value >> 12n);
  const low = Number(zeros & 0xffff_ffffn);
  const high = Number(zeros >> 32n);
  const lowest = (word: number): number => 31 - Math.clz32(word & -word);
  const n = zeros === 0n ? 63 : 12 + (low === 0 ? 32 + lowest(high) : lowest(low));
  return 1n << BigInt(n + 1);
}
