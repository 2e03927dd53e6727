/**
 * The page walker of long mode: four levels, read through a {@link TableReader}, each entry under the key that the
 * C-bit of the pointer above selects (APM 5.3, 7.10.3). Five-level and legacy paging are not modelled.
 */
import {
  pa as toPa,
  PAGE_SIZE,
  paAdd,
  PMD_SIZE,
  PUD_SIZE,
  tableIndex,
  va as toVa,
  KEY_PLAIN,
  type KeyId,
  type Pa,
  type Pte,
  type Va,
} from '../address.js';
import type { ProbePoint } from '../probes.js';
import { effectiveType, MEMTYPE_NAMES, type MtrrType } from './memory-types.js';
import type { TlbEntry } from './tlb.js';
import {
  MEMTYPE,
  PF,
  VECTOR,
  type EntryRead,
  type Fault,
  type MemType,
  type TableReader,
} from '../types.js';

/** Bits of the low half of a table entry (APM 5.4.1). */
export const ENTRY = {
  P: 2 ** 0,
  RW: 2 ** 1,
  US: 2 ** 2,
  PWT: 2 ** 3,
  PCD: 2 ** 4,
  A: 2 ** 5,
  D: 2 ** 6,
  /** Page size in a PDPE or PDE, the PAT bit in a 4 KiB PTE. */
  PS: 2 ** 7,
  G: 2 ** 8,
  /** The PAT bit of a 2 MiB or 1 GiB leaf. */
  PAT_LARGE: 2 ** 12,
} as const;

/** NX, bit 63, in the high half of an entry. */
const NX_HIGH = 2 ** 31;
/** Address bits 51:32 in the high half. */
const ADDRESS_HIGH = 2 ** 20 - 1;
const ENTRY_BYTES = 8;
const TWO_32 = 2 ** 32;
const HALF_BITS = 32;
/** The highest physical address bit that an entry has room for, plus one (APM 5.3.1). */
const ENTRY_ADDRESS_BITS = 52;

interface Level {
  readonly name: 'PGD' | 'PUD' | 'PMD' | 'PTE';
  readonly shift: 12 | 21 | 30 | 39;
  /** Bytes that a leaf of this level maps; 0 where there is no leaf. */
  readonly pageSize: number;
  /** Address bits of a leaf in the low half. */
  readonly leafLow: number;
  /** Bits of the low half of a leaf that must be zero. */
  readonly leafMbz: number;
}

/** Bits high:low as a mask of the low half. */
const bits = (high: number, low: number): number => 2 ** (high + 1) - 2 ** low;

/** The levels from the root down (APM 5.3.3–5.3.5: 2 MiB leaf bits 20:13 and 1 GiB leaf bits 29:13 must be zero). */
const LEVELS: readonly Level[] = [
  { name: 'PGD', shift: 39, pageSize: 0, leafLow: 0, leafMbz: 0 },
  { name: 'PUD', shift: 30, pageSize: PUD_SIZE, leafLow: bits(31, 30), leafMbz: bits(29, 13) },
  { name: 'PMD', shift: 21, pageSize: PMD_SIZE, leafLow: bits(31, 21), leafMbz: bits(20, 13) },
  { name: 'PTE', shift: 12, pageSize: PAGE_SIZE, leafLow: bits(31, 12), leafMbz: 0 },
];
const TABLE_LOW = bits(31, 12);

/** The walker's parameters, from a CPU's registers. */
export interface PagingContext {
  /** The root table and the key under which it is read: CR3 and its C-bit. */
  readonly root: Pa;
  readonly rootKey: KeyId;
  readonly format: EntryFormat;
  /** CR0.WP. */
  readonly wp: boolean;
  /** EFER.NXE. */
  readonly nxe: boolean;
  /** CR4.PGE. */
  readonly pge: boolean;
  readonly gbPages: boolean;
  /** Bit 8 of a PML4E and of a PDPE that points to a table must be zero (APM 5.3.3; AMD only). */
  readonly bit8Mbz: boolean;
  readonly pat: readonly MemType[];
  /** The probe point for the PAT slots that entries select. */
  readonly patSlotUsed?: ProbePoint<[slot: number]>;
  /** The MTRRs' type of a range; undefined if the range has several types. */
  readonly mtrr: (pa: number, size: number) => MtrrType | undefined;
}

/** The address bits, C-bit and reserved bits in the halves of an entry. */
export interface EntryFormat {
  readonly addressHigh: number;
  readonly reservedHigh: number;
  /** The C-bit in its half; 0 in the other half, and in both if there is no C-bit. */
  readonly cHigh: number;
  readonly cLow: number;
  /** The key that the C-bit selects. */
  readonly key: KeyId;
}

/**
 * The format of entries. With memory encryption on, the physical size shrinks by the reduction and the bits above it
 * are reserved, except the C-bit at any position (APM 7.10.1). With it off the position of the C-bit decides: an
 * ordinary address bit below MAXPHYADDR, reserved at or above it (our choice; APM 7.10.1 leaves it open).
 *
 * No part has a C-bit within the remaining address bits. Our choice for such a part: the bit is not an address bit of
 * any entry, nor has it its meaning without encryption (the PAT bit of a large leaf, bits 29:13 that must be zero); no
 * mapping reaches memory whose address has it set.
 */
export function entryFormat(
  physAddrBits: number,
  encryption: { cBit: number; reduction: number; key: KeyId } | null,
): EntryFormat {
  const size = physAddrBits - (encryption?.reduction ?? 0);
  const cBit = encryption?.cBit ?? -1;
  const cHigh = cBit >= HALF_BITS ? 2 ** (cBit - HALF_BITS) : 0;
  const cLow = cBit >= 0 && cBit < HALF_BITS ? 2 ** cBit : 0;
  const reserved = bits(ENTRY_ADDRESS_BITS - 1, size) / TWO_32;
  const reservedHigh = Math.floor(reserved) & ~cHigh;
  return {
    reservedHigh,
    cHigh,
    cLow,
    addressHigh: ADDRESS_HIGH & ~reservedHigh & ~cHigh,
    key: encryption?.key ?? KEY_PLAIN,
  };
}

/** The properties of an access that the walker checks. */
export interface WalkAccess {
  readonly write: boolean;
  readonly user: boolean;
  readonly fetch: boolean;
}

type EntryKind = 'table' | 'leaf' | 'not-present' | 'reserved';

function classify(context: PagingContext, level: Level, low: number, high: number): EntryKind {
  if ((low & ENTRY.P) === 0) return 'not-present';
  if ((high & context.format.reservedHigh) !== 0) return 'reserved';
  // NX is reserved while EFER.NXE is clear (APM 5.4.1).
  if (!context.nxe && (high & NX_HIGH) !== 0) return 'reserved';
  const ps = (low & ENTRY.PS) !== 0;
  switch (level.name) {
    case 'PTE':
      return 'leaf';
    case 'PMD':
      if (!ps) return 'table';
      break;
    case 'PUD':
      // Bit 8 of a PDPE that points to a table must be zero (APM 5.3.3).
      if (!ps) return context.bit8Mbz && (low & ENTRY.G) !== 0 ? 'reserved' : 'table';
      // PS is reserved in a PDPE where CPUID does not report 1 GiB pages (APM 5.3.5).
      if (!context.gbPages) return 'reserved';
      break;
    case 'PGD':
      // Bits 7 and 8 of a PML4E must be zero (APM 5.3.3).
      return ps || (context.bit8Mbz && (low & ENTRY.G) !== 0) ? 'reserved' : 'table';
  }
  return (low & level.leafMbz & ~context.format.cLow) !== 0 ? 'reserved' : 'leaf';
}

/** The bits of an entry that are set and must be zero; nonzero exactly if {@link classify} returns `reserved`. */
function reservedBits(context: PagingContext, level: Level, low: number, high: number): bigint {
  if ((low & ENTRY.P) === 0) return 0n;
  const highMask = context.format.reservedHigh | (context.nxe ? 0 : NX_HIGH);
  const bit8 = context.bit8Mbz ? ENTRY.G : 0;
  const ps = (low & ENTRY.PS) !== 0;
  let lowMask: number = ps ? level.leafMbz : 0;
  if (level.name === 'PGD') lowMask = ENTRY.PS | bit8;
  else if (level.name === 'PTE') lowMask = 0;
  else if (level.name === 'PUD' && !ps) lowMask = bit8;
  else if (level.name === 'PUD' && !context.gbPages) lowMask = ENTRY.PS;
  return entryOf(low & lowMask & ~context.format.cLow, high & highMask);
}

/** The entry of two halves. */
function entryOf(low: number, high: number): Pte {
  return (BigInt(high >>> 0) << BigInt(HALF_BITS)) | BigInt(low >>> 0);
}

/** An entry as read by a walk, with its reserved bits. */
function entryRead(
  reader: TableReader,
  context: PagingContext,
  level: Level,
  at: Pa,
  key: KeyId,
  low: number,
  high: number,
): EntryRead {
  const reserved = reservedBits(context, level, low, high);
  const absent = reader.answers?.(at) === false;
  return { level: level.name, at, key, value: entryOf(low, high), reserved, absent };
}

function physical(format: EntryFormat, low: number, high: number, lowMask: number): Pa {
  return toPa((high & format.addressHigh) * TWO_32 + ((low & lowMask & ~format.cLow) >>> 0));
}

function keyOf(format: EntryFormat, low: number, high: number): KeyId {
  return ((high & format.cHigh) | (low & format.cLow)) !== 0 ? format.key : KEY_PLAIN;
}

/** The PAT slot that a leaf selects (APM 7.8.3): PAT·4 + PCD·2 + PWT. */
function patSlot(format: EntryFormat, low: number, large: boolean): number {
  const pat = large ? ENTRY.PAT_LARGE & ~format.cLow : ENTRY.PS;
  return (
    ((low & pat) !== 0 ? 4 : 0) +
    ((low & ENTRY.PCD) !== 0 ? 2 : 0) +
    ((low & ENTRY.PWT) !== 0 ? 1 : 0)
  );
}

function patType(context: PagingContext, low: number, large: boolean): MemType {
  const slot = patSlot(context.format, low, large);
  if (context.patSlotUsed?.active === true) context.patSlotUsed.notify(slot);
  return context.pat[slot] ?? MEMTYPE.UC;
}

/** A #PF (APM 8.4.2); the fetch bit is reported only with EFER.NXE. */
export function pageFault(
  context: PagingContext,
  va: Va,
  access: WalkAccess,
  cause: number,
  why: string,
  read?: EntryRead,
): Fault {
  const error =
    cause |
    (access.write ? PF.W : 0) |
    (access.user ? PF.U : 0) |
    (access.fetch && context.nxe ? PF.I : 0);
  return { vector: VECTOR.PF, error, address: va, why, ...(read !== undefined && { read }) };
}

/** Why a page's permissions refuse an access, or undefined (APM 5.6.1, 5.6.2, 5.6.4). */
export function refusal(
  context: PagingContext,
  page: { readonly rw: boolean; readonly us: boolean; readonly nx: boolean },
  access: WalkAccess,
): string | undefined {
  if (access.user && !page.us) return 'user';
  if (access.write && !page.rw && (access.user || context.wp)) return 'write';
  if (access.fetch && page.nx) return 'fetch';
  return undefined;
}

/** The largest aligned part of a leaf, around an address, that has one memory type. */
function uniform(
  context: PagingContext,
  pageVa: number,
  pagePa: number,
  pageSize: number,
  va: number,
): { va: number; pa: number; size: number; type: MtrrType } {
  for (const size of [PUD_SIZE, PMD_SIZE, PAGE_SIZE]) {
    if (size > pageSize) continue;
    const start = Math.floor(va / size) * size;
    const pa = pagePa + (start - pageVa);
    const type = context.mtrr(pa, size);
    if (type !== undefined) return { va: start, pa, size, type };
  }
  // MTRRs have a granularity of 4 KiB, but memory may end within a page: uncached (our choice).
  const start = Math.floor(va / PAGE_SIZE) * PAGE_SIZE;
  return { va: start, pa: pagePa + (start - pageVa), size: PAGE_SIZE, type: MEMTYPE.UC };
}

/**
 * Walks the tables for an address and returns the translation, or the #PF.
 *
 * @param commit whether to set accessed and dirty bits in the tables (APM 5.4.2), as a CPU's access does. Our choice:
 *   they are set after the whole walk has succeeded.
 */
export function walk(
  reader: TableReader,
  context: PagingContext,
  va: Va,
  access: WalkAccess,
  commit = true,
): TlbEntry | Fault {
  const { format } = context;
  let table = context.root;
  let key = context.rootKey;
  let rw = true;
  let us = true;
  let nx = false;
  const unaccessed: { pa: Pa; key: KeyId; bits: number }[] = [];
  for (const level of LEVELS) {
    const at = paAdd(table, tableIndex(va, level.shift) * ENTRY_BYTES);
    const low = reader.readEntry(at, key);
    const high = reader.high;
    const kind = classify(context, level, low, high);
    if (kind === 'not-present' || kind === 'reserved') {
      const cause = kind === 'reserved' ? PF.P | PF.RSVD : 0;
      const read = entryRead(reader, context, level, at, key, low, high);
      return pageFault(context, va, access, cause, kind, read);
    }
    rw &&= (low & ENTRY.RW) !== 0;
    us &&= (low & ENTRY.US) !== 0;
    nx ||= (high & NX_HIGH) !== 0;
    const dirties = kind === 'leaf' && access.write;
    const required = dirties ? ENTRY.A | ENTRY.D : ENTRY.A;
    if ((low & required) !== required) unaccessed.push({ pa: at, key, bits: required });
    if (kind === 'table') {
      table = physical(format, low, high, TABLE_LOW);
      key = keyOf(format, low, high);
      continue;
    }
    const why = refusal(context, { rw, us, nx }, access);
    if (why !== undefined) {
      const read = entryRead(reader, context, level, at, key, low, high);
      return pageFault(context, va, access, PF.P, why, read);
    }
    if (commit) for (const entry of unaccessed) reader.setBits(entry.pa, entry.key, entry.bits);
    const { pageSize } = level;
    const pageVa = Math.floor(va / pageSize) * pageSize;
    const pagePa = physical(format, low, high, level.leafLow);
    const part = uniform(context, pageVa, pagePa, pageSize, va);
    return {
      va: toVa(part.va),
      size: part.size,
      pageSize,
      pa: toPa(part.pa),
      key: keyOf(format, low, high),
      rw,
      us,
      nx,
      global: context.pge && (low & ENTRY.G) !== 0,
      dirty: dirties || (low & ENTRY.D) !== 0,
      type: effectiveType(patType(context, low, pageSize !== PAGE_SIZE), part.type),
    };
  }
  return pageFault(context, va, access, 0, 'not-present');
}

/** One level of a walk, for display. */
export interface WalkStep extends EntryRead {
  /** Physical address of the table. */
  readonly table: Pa;
  readonly index: number;
  readonly entry: Pte;
  /** The entry's own C-bit; 0 if C-bits are not in force. */
  readonly c: 0 | 1;
  readonly kind: EntryKind;
  /** Physical address of the next table or the page; absent if the entry is not valid. */
  readonly target?: Pa;
}

/** The entries that a walk for an address reads, down to the leaf or the entry that stops it. Changes nothing. */
export function traceWalk(reader: TableReader, context: PagingContext, va: Va): WalkStep[] {
  const steps: WalkStep[] = [];
  let table = context.root;
  let key = context.rootKey;
  for (const level of LEVELS) {
    const index = tableIndex(va, level.shift);
    const at = paAdd(table, index * ENTRY_BYTES);
    const low = reader.readEntry(at, key) >>> 0;
    const high = reader.high >>> 0;
    const kind = classify(context, level, low, high);
    const valid = kind === 'table' || kind === 'leaf';
    const mask = kind === 'leaf' ? level.leafLow : TABLE_LOW;
    const target = physical(context.format, low, high, mask);
    const own = keyOf(context.format, low, high);
    steps.push({
      ...entryRead(reader, context, level, at, key, low, high),
      table,
      index,
      entry: entryOf(low, high),
      c: own === KEY_PLAIN ? 0 : 1,
      kind,
      ...(valid && { target }),
    });
    if (kind !== 'table') break;
    table = target;
    key = own;
  }
  return steps;
}

/** The fields of a table entry, as the trace prints them. */
export interface DecodedEntry {
  /** Physical address in the entry: all its address bits, without the C-bit. */
  readonly pa: Pa;
  readonly c: 0 | 1;
  /** Whether it maps a page; otherwise it points to a table. */
  readonly leaf: boolean;
  /** Its flags except P and those that select the memory type, for example `RW|A|D|G|NX`. */
  readonly flags: string;
  /** The effective memory type of a leaf under PAT and MTRRs. */
  readonly type: string;
  /** The bits of the entry that are set and must be zero. */
  readonly reserved: bigint;
}

const FLAG_NAMES = ['RW', 'US', 'A', 'D', 'G'] as const;

/** The fields of an entry. @param span bytes of address space that one entry of its table covers. */
export function decodeEntry(context: PagingContext, value: Pte, span: number): DecodedEntry {
  const low = Number(value & 0xffff_ffffn);
  const high = Number((value >> BigInt(HALF_BITS)) & 0xffff_ffffn);
  const level = LEVELS.find((l) => 2 ** l.shift === span);
  const leaf = span === PAGE_SIZE || (level?.pageSize === span && (low & ENTRY.PS) !== 0);
  // Address bits above the physical size are reported, not masked: the walker faults on them.
  const format = { ...context.format, addressHigh: ADDRESS_HIGH & ~context.format.cHigh };
  const pa = physical(format, low, high, leaf ? (level?.leafLow ?? TABLE_LOW) : TABLE_LOW);
  const names: string[] = FLAG_NAMES.filter((name) => (low & ENTRY[name]) !== 0);
  if ((high & NX_HIGH) !== 0) names.push('NX');
  const mtrr = context.mtrr(pa, Math.min(span, PUD_SIZE)) ?? context.mtrr(pa, PAGE_SIZE);
  const type = effectiveType(patType(context, low, span !== PAGE_SIZE), mtrr ?? MEMTYPE.UC);
  return {
    pa,
    c: keyOf(context.format, low, high) === KEY_PLAIN ? 0 : 1,
    leaf,
    flags: names.join('|'),
    type: MEMTYPE_NAMES[type],
    reserved: level === undefined ? 0n : reservedBits(context, level, low, high),
  };
}

/** The numbers of the bits that are set, highest first, runs abbreviated: `51..48, 43`. */
export function bitNumbers(mask: bigint): string {
  const runs: string[] = [];
  for (let high = 63; high >= 0; high--) {
    if (((mask >> BigInt(high)) & 1n) === 0n) continue;
    let low = high;
    while (low > 0 && ((mask >> BigInt(low - 1)) & 1n) === 1n) low--;
    runs.push(low === high ? String(high) : `${String(high)}..${String(low)}`);
    high = low;
  }
  return runs.join(', ');
}

/** The root table and key of a CR3 value (APM 3.1.2, 7.10.3). */
export function rootOf(format: EntryFormat, cr3: bigint): { root: Pa; rootKey: KeyId } {
  const low = Number(cr3 & 0xffff_ffffn);
  const high = Number((cr3 >> BigInt(HALF_BITS)) & 0xffff_ffffn);
  return { root: physical(format, low, high, TABLE_LOW), rootKey: keyOf(format, low, high) };
}

/** Whether a CR3 value has reserved bits set (APM 3.1.2: a #GP). */
export function cr3Reserved(format: EntryFormat, cr3: bigint): boolean {
  const high = Number((cr3 >> BigInt(HALF_BITS)) & 0xffff_ffffn);
  return (high & ~(format.addressHigh | format.cHigh)) >>> 0 !== 0;
}
