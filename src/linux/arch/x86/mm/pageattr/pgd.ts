/** arch/x86/mm/pageattr.c: filling and clearing the tables of another page-global directory, as EFI needs. */
import {
  alignDown,
  PAGE_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../machine/address.js';
import { _PAGE_NX, _PAGE_PRESENT, _PAGE_PSE, _PAGE_RW } from '../../../../../kernel/constants.js';
import {
  __flush_tlb_all,
  get_entry,
  set_entry,
  type Level,
} from '../../../../../kernel/cpu-ops.js';
import { EINVAL } from '../../../../include/uapi/asm-generic/errno-base.js';
import { GFP } from '../../../../mm/page_alloc/page_alloc.js';
import { cpaData } from './pageattr.js';
import { pgprot_4k_2_large, presentBits, type CpaData } from './types.js';
import { entryPhysical } from '../../include/asm/pgtable_types.js';
import { fn, inline, bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Maps page frames from cpa.pfn on at `address`; sets cpa.numpages to the pages mapped. 0 or a negative number. */
    populate_pgd(k: Kernel, cpa: CpaData, address: number): number;
    /** Maps pages in a page-global directory that is not the kernel's own; 0 or a negative errno. */
    kernel_map_pages_in_pgd(
      k: Kernel,
      pgd: Va,
      pfn: number,
      address: number,
      numpages: number,
      pageFlags: bigint,
    ): number;
    /** The request's mask_clr: `maskClr` (NX or RW), and flags that a patch adds. */
    'kernel_map_pages_in_pgd:mask_clr'(k: Kernel, maskClr: bigint, pageFlags: bigint): bigint;
    kernel_unmap_pages_in_pgd(k: Kernel, root: Va, address: number, numpages: number): void;
  }
}

/** One page-table entry, with the first address that it maps. */
interface Slot {
  readonly level: Level;
  readonly table: Va;
  readonly index: number;
  readonly mapped: Va;
}

const SHIFTS = { pgd: 39, pud: 30, pmd: 21, pte: 12 } as const;

function slotOf(level: Level, table: Va, address: number): Slot {
  const shift = SHIFTS[level];
  return {
    level,
    table,
    index: tableIndex(address, shift),
    mapped: va(alignDown(address, 2 ** shift)),
  };
}
const read = (k: Kernel, slot: Slot): bigint => get_entry(k, slot.table, slot.index);
function write(k: Kernel, slot: Slot, value: bigint): void {
  set_entry(k, slot.level, slot.table, slot.index, value, slot.mapped);
}
/** The table that an entry points to. */
const tableOf = (k: Kernel, slot: Slot): Va => k.__va(entryPhysical(read(k, slot)));

/** Allocates a table for an empty entry (alloc_pte_page, alloc_pmd_page, populate_pgd); false without memory. */
function needTable(k: Kernel, slot: Slot): boolean {
  if (read(k, slot) !== 0n) return true;
  const table = k.fn.get_zeroed_page(GFP.KERNEL);
  if (table === 0) return false;
  write(k, slot, BigInt(k.__pa(table)) | k.fn._KERNPG_TABLE());
  return true;
}

function populatePte(
  k: Kernel,
  cpa: CpaData,
  from: number,
  to: number,
  pmd: Slot,
  prot: bigint,
): void {
  const flags = k.fn.massage_pgprot(presentBits(prot));
  const table = tableOf(k, pmd);
  for (let at = from; at < to; at += PAGE_SIZE) {
    write(k, slotOf('pte', table, at), k.fn.pfn_pte(cpa.pfn, flags));
    cpa.pfn++;
  }
}

/** Writes a large leaf and advances cpa.pfn. GLOBAL is not set here (populate_pmd, populate_pud). */
function writeLarge(k: Kernel, cpa: CpaData, slot: Slot, prot: bigint, size: number): void {
  const flags = k.fn.massage_pgprot(pgprot_4k_2_large(prot));
  write(k, slot, (BigInt(cpa.pfn) * BigInt(PAGE_SIZE)) | _PAGE_PSE | flags);
  cpa.pfn += size / PAGE_SIZE;
}

/** populate_pmd(): maps [from, to), which is within one PUD entry; false without memory. */
function populatePmd(
  k: Kernel,
  cpa: CpaData,
  from: number,
  to: number,
  pud: Slot,
  prot: bigint,
): boolean {
  const table = tableOf(k, pud);
  let at = from;
  const small = (end: number): boolean => {
    const pmd = slotOf('pmd', table, at);
    if (!needTable(k, pmd)) return false;
    populatePte(k, cpa, at, end, pmd, prot);
    at = end;
    return true;
  };
  if (at % PMD_SIZE !== 0 && !small(Math.min(to, alignDown(at, PMD_SIZE) + PMD_SIZE))) return false;
  for (; to - at >= PMD_SIZE; at += PMD_SIZE) {
    writeLarge(k, cpa, slotOf('pmd', table, at), prot, PMD_SIZE);
  }
  return at >= to || small(to);
}

/** populate_pud(). Returns the number of pages mapped; negative without memory. */
function populatePud(k: Kernel, cpa: CpaData, start: number, pgd: Slot, prot: bigint): number {
  const table = tableOf(k, pgd);
  const end = start + cpa.numpages * PAGE_SIZE;
  let at = start;
  if (at % PUD_SIZE !== 0) {
    const to = Math.min(end, alignDown(at, PUD_SIZE) + PUD_SIZE);
    const pud = slotOf('pud', table, at);
    if (!needTable(k, pud) || !populatePmd(k, cpa, at, to, pud, prot)) return -1;
    at = to;
  }
  if (k.fn.cpu_has('X86_FEATURE_GBPAGES')) {
    for (; end - at >= PUD_SIZE; at += PUD_SIZE) {
      writeLarge(k, cpa, slotOf('pud', table, at), prot, PUD_SIZE);
    }
  }
  if (at < end) {
    const pud = slotOf('pud', table, at);
    if (!needTable(k, pud)) return -1;
    // If the tail cannot be mapped, only the pages before it count.
    if (populatePmd(k, cpa, at, end, pud, prot)) at = end;
  }
  return (at - start) / PAGE_SIZE;
}

/** Frees a table if it is empty (try_to_free_pte_page, try_to_free_pmd_page, try_to_free_pud_page). */
function freeIfEmpty(k: Kernel, table: Va): boolean {
  for (let i = 0; i < 512; i++) if (get_entry(k, table, i) !== 0n) return false;
  k.fn.free_pages(table, 0);
  return true;
}

/** Level of the table that an entry of each level points to. */
const NEXT = { pgd: 'pud', pud: 'pmd', pmd: 'pte' } as const;

/** unmap_pud_range(), unmap_pmd_range(), unmap_pte_range(): clears leaves and frees the tables that become empty. */
function unmapBelow(k: Kernel, slot: Slot, from: number, to: number): void {
  if (slot.level === 'pte') return;
  const level = NEXT[slot.level];
  const span = 2 ** SHIFTS[level];
  const table = tableOf(k, slot);
  for (let at = from; at < to; at = alignDown(at, span) + span) {
    const entry = slotOf(level, table, at);
    const value = read(k, entry);
    const leaf = level === 'pte' || (value & _PAGE_PSE) !== 0n;
    if (leaf) write(k, entry, 0n);
    else unmapBelow(k, entry, at, Math.min(to, alignDown(at, span) + span));
  }
  // A PUD table is freed by unmap_pgd_range, the others here.
  if (freeIfEmpty(k, table)) write(k, slot, 0n);
}

export const pageattrPgd = bodies({
  populate_pgd: inline((k: Kernel, cpa: CpaData, address: number) => {
    const root = cpa.pgd === 0 ? k.sym('init_level4_pgt') : cpa.pgd;
    const slot = slotOf('pgd', root, address);
    if (!needTable(k, slot)) return -1;
    const prot = (k.fn._KERNPG_TABLE() & ~cpa.maskClr) | cpa.maskSet;
    const pages = populatePud(k, cpa, address, slot, prot);
    if (pages < 0) {
      unmapBelow(k, slot, address, address + cpa.numpages * PAGE_SIZE);
      return pages;
    }
    cpa.numpages = pages;
    return 0;
  }),

  kernel_map_pages_in_pgd: fn(
    (
      k: Kernel,
      pgd: Va,
      pfn: number,
      address: number,
      numpages: number,
      pageFlags: bigint,
    ): number => {
      if ((k.readU64(k.sym('__supported_pte_mask')) & _PAGE_NX) === 0n) return -EINVAL;
      let maskClr = 0n;
      if ((pageFlags & _PAGE_NX) === 0n) maskClr = _PAGE_NX;
      // As in the kernel: the second assignment overwrites the first.
      if ((pageFlags & _PAGE_RW) === 0n) maskClr = _PAGE_RW;
      maskClr = k.fn['kernel_map_pages_in_pgd:mask_clr'](maskClr, pageFlags);
      const maskSet = _PAGE_PRESENT | pageFlags;
      const cpa = cpaData({ address, numpages, maskSet, maskClr, pgd, pfn });
      const error = k.fn.__change_page_attr_set_clr(cpa, false);
      __flush_tlb_all(k);
      return error;
    },
  ),
  'kernel_map_pages_in_pgd:mask_clr': label((_k: Kernel, maskClr: bigint) => maskClr),

  kernel_unmap_pages_in_pgd: fn((k: Kernel, root: Va, address: number, numpages: number) => {
    const slot = slotOf('pgd', root, address);
    unmapBelow(k, slot, address, address + numpages * PAGE_SIZE);
  }),
});
