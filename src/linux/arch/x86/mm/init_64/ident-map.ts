/** arch/x86/mm/init_64.c (in 4.7: arch/x86/mm/ident_map.c): an identity map in page tables that the caller provides. */
import {
  alignDown,
  PGDIR_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../machine/address.js';
import { _PAGE_PRESENT } from '../../../../../kernel/constants.js';
import { get_entry, set_entry } from '../../../../../kernel/cpu-ops.js';
import { ENOMEM } from '../../../../include/uapi/asm-generic/errno-base.js';
import { pmdPresent } from '../pageattr/types.js';
import { entryPhysical } from '../../include/asm/pgtable_types.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

/** struct x86_mapping_info (asm/init.h), without kernel_mapping. */
export interface X86MappingInfo {
  /** Allocates a zeroed page for a page table; 0 without memory. */
  alloc_pgt_page(): Va | 0;
  /** Flags of each 2 MiB leaf. */
  readonly pmd_flag: bigint;
}

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Maps [start, end) with virtual addresses equal to physical ones; 0 or a negative errno. */
    kernel_ident_mapping_init(
      k: Kernel,
      info: X86MappingInfo,
      pgd: Va,
      start: number,
      end: number,
    ): number;
    /** Flags of a pointer to a table. */
    'kernel_ident_mapping_init:kernpg_flag'(k: Kernel): bigint;
  }
}

/** Fills an entry's table; a missing one is allocated, and its pointer written after `fill`. False without memory. */
function fillTable(
  k: Kernel,
  info: X86MappingInfo,
  at: { level: 'pgd' | 'pud'; table: Va; index: number; mapped: number },
  fill: (table: Va) => boolean,
): boolean {
  const entry = get_entry(k, at.table, at.index);
  if ((entry & _PAGE_PRESENT) !== 0n) return fill(k.__va(entryPhysical(entry)));
  const table = info.alloc_pgt_page();
  if (table === 0 || !fill(table)) return false;
  const pointer = BigInt(k.__pa(table)) | k.fn['kernel_ident_mapping_init:kernpg_flag']();
  set_entry(k, at.level, at.table, at.index, pointer, va(at.mapped));
  return true;
}

/** Calls `each` for every part of [start, end) that one entry of `size` bytes maps; false at the first failure. */
function forEachEntry(
  start: number,
  end: number,
  size: number,
  each: (from: number, to: number) => boolean,
): boolean {
  for (let at = start; at < end; at = alignDown(at, size) + size) {
    if (!each(at, Math.min(end, alignDown(at, size) + size))) return false;
  }
  return true;
}

function pmdInit(k: Kernel, info: X86MappingInfo, pmd: Va, start: number, end: number): boolean {
  for (let at = alignDown(start, PMD_SIZE); at < end; at += PMD_SIZE) {
    const index = tableIndex(at, 21);
    if (pmdPresent(get_entry(k, pmd, index))) continue;
    set_entry(k, 'pmd', pmd, index, BigInt(at) | info.pmd_flag, va(at));
  }
  return true;
}

export const identMap = bodies({
  'kernel_ident_mapping_init:kernpg_flag': inline((k: Kernel) => k.fn._KERNPG_TABLE()),
  kernel_ident_mapping_init: fn(
    (k: Kernel, info: X86MappingInfo, pgd: Va, start: number, end: number) => {
      const mappedAll = forEachEntry(start, end, PGDIR_SIZE, (from, to) => {
        const slot = { level: 'pgd', table: pgd, index: tableIndex(from, 39) } as const;
        return fillTable(k, info, { ...slot, mapped: alignDown(from, PGDIR_SIZE) }, (pud) =>
          forEachEntry(from, to, PUD_SIZE, (low, high) => {
            const next = { level: 'pud', table: pud, index: tableIndex(low, 30) } as const;
            return fillTable(k, info, { ...next, mapped: alignDown(low, PUD_SIZE) }, (pmd) =>
              pmdInit(k, info, pmd, low, high),
            );
          }),
        );
      });
      return mappedAll ? 0 : -ENOMEM;
    },
  ),
});
