/** Types of arch/x86/mm/pageattr.c: struct cpa_data, and page-table entries by level. */
import { PAGE_SIZE, PMD_SIZE, PUD_SIZE, type Va } from '../../../../../machine/address.js';
import {
  _PAGE_GLOBAL,
  _PAGE_PAT,
  _PAGE_PAT_LARGE,
  _PAGE_PRESENT,
  _PAGE_PROTNONE,
  _PAGE_PSE,
  PTE_PFN_MASK,
} from '../../../../../kernel/constants.js';
import { get_entry, type Level } from '../../../../../kernel/cpu-ops.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

/** enum pg_level (asm/pgtable_types.h). */
export const PG_LEVEL_4K = 1;
export const PG_LEVEL_2M = 2;
export const PG_LEVEL_1G = 3;
export type PgLevel = typeof PG_LEVEL_4K | typeof PG_LEVEL_2M | typeof PG_LEVEL_1G;

/** Bytes that a leaf of each level maps, and its page frame number's bits (pte_pfn_mask, pmd_pfn_mask, pud_pfn_mask). */
export const LEVELS: Readonly<
  Record<PgLevel, { readonly name: Level; readonly size: number; readonly pfnMask: bigint }>
> = {
  [PG_LEVEL_4K]: { name: 'pte', size: PAGE_SIZE, pfnMask: PTE_PFN_MASK },
  [PG_LEVEL_2M]: { name: 'pmd', size: PMD_SIZE, pfnMask: PTE_PFN_MASK & ~BigInt(PMD_SIZE - 1) },
  [PG_LEVEL_1G]: { name: 'pud', size: PUD_SIZE, pfnMask: PTE_PFN_MASK & ~BigInt(PUD_SIZE - 1) },
};

/** The entry at which a look-up ended: a leaf, or an entry that is not present. */
export interface FoundEntry {
  readonly table: Va;
  readonly index: number;
  readonly level: PgLevel;
}

/** cpa_data.flags: an entry has changed, so that the TLB must be flushed. */
export const CPA_FLUSHTLB = 1;

/** struct cpa_data, without the arrays of addresses and pages that boot code does not use. */
export interface CpaData {
  /** Advanced as pages are processed; shared with the caller, like the kernel's pointer. */
  readonly vaddr: { address: number };
  /** A page-global directory, or 0 for init_mm's. */
  readonly pgd: Va | 0;
  maskSet: bigint;
  maskClr: bigint;
  numpages: number;
  pfn: number;
  flags: number;
  readonly forceSplit: boolean;
}

/** The flags of a leaf: everything but its page frame number. */
export function pgprotOf(entry: bigint, level: PgLevel): bigint {
  return entry & ~LEVELS[level].pfnMask;
}

export function pfnOf(entry: bigint, level: PgLevel): number {
  return Number((entry & LEVELS[level].pfnMask) / BigInt(PAGE_SIZE));
}

const PAT_BITS = _PAGE_PAT | _PAGE_PAT_LARGE;
/** Ratio of the two PAT bits. */
const PAT_RATIO = _PAGE_PAT_LARGE / _PAGE_PAT;

/** pgprot_4k_2_large(): moves the PAT bit to its position in a large entry. */
export function pgprot_4k_2_large(prot: bigint): bigint {
  return (prot & ~PAT_BITS) | ((prot & _PAGE_PAT) * PAT_RATIO);
}
/** pgprot_large_2_4k(): moves the PAT bit to its position in a 4 KiB entry; PSE, which is the same bit, is cleared. */
export function pgprot_large_2_4k(prot: bigint): bigint {
  return (prot & ~PAT_BITS) | ((prot & _PAGE_PAT_LARGE) / PAT_RATIO);
}

/** Sets `bits` if the mapping is present, else clears them, as they would make it count as present (pageattr.c, 5 times). */
export function presentBits(prot: bigint, bits: bigint = _PAGE_GLOBAL): bigint {
  return (prot & _PAGE_PRESENT) === 0n ? prot & ~bits : prot | bits;
}

/** pud_large(). */
export const pudLarge = (entry: bigint): boolean =>
  (entry & (_PAGE_PSE | _PAGE_PRESENT)) === (_PAGE_PSE | _PAGE_PRESENT);
/** pud_present(). */
export const pudPresent = (entry: bigint): boolean => (entry & _PAGE_PRESENT) !== 0n;
/** pmd_large(). */
export const pmdLarge = (entry: bigint): boolean => (entry & _PAGE_PSE) !== 0n;
/** pmd_present(): PSE counts, for huge pages that are being split. */
export const pmdPresent = (entry: bigint): boolean =>
  (entry & (_PAGE_PRESENT | _PAGE_PROTNONE | _PAGE_PSE)) !== 0n;

export function entryOf(k: Kernel, at: FoundEntry): bigint {
  return get_entry(k, at.table, at.index);
}
