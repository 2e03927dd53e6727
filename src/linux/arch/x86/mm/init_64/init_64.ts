/** arch/x86/mm/init_64.c: the page tables of the direct map. */
import {
  alignDown,
  PAGE_SIZE,
  PGDIR_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../machine/address.js';
import {
  __START_KERNEL_map,
  _PAGE_PSE,
  KERNEL_IMAGE_SIZE,
  PAGE_OFFSET,
  PTRS_PER_TABLE,
} from '../../../../../kernel/constants.js';
import { __flush_tlb_all, get_entry, set_entry } from '../../../../../kernel/cpu-ops.js';
import { E820 } from '../../include/asm/e820.js';
import { PG_LEVEL_1G, PG_LEVEL_2M } from '../init/init.js';
import { entryPhysical } from '../../include/asm/pgtable_types.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    cleanup_highmap(k: Kernel): void;
    /** Maps [start, end); returns the physical address after the last byte mapped. */
    kernel_physical_mapping_init(k: Kernel, start: number, end: number, mask: number): number;
    phys_pud_init(k: Kernel, pud: Va, start: number, end: number, mask: number): number;
    phys_pmd_init(
      k: Kernel,
      pmd: Va,
      start: number,
      end: number,
      mask: number,
      prot: bigint,
    ): number;
    phys_pte_init(k: Kernel, pte: Va, start: number, end: number, prot: bigint): number;
  }
}

const direct = (physical: number): Va => va(PAGE_OFFSET + physical);
/** Whether an entry after the mapped range stays: it maps RAM, or memblock is no longer in use (after_bootmem). */
const hasRam = (k: Kernel, start: number, end: number): boolean =>
  k.state.pages.ready ||
  k.fn.e820_any_mapped(start, end, E820.RAM) ||
  k.fn.e820_any_mapped(start, end, E820.RESERVED_KERN);

/** pte_clrhuge() and pte_pgprot(): a large entry's flags for smaller pages. */
const smallFlags = (entry: bigint): bigint => entry & ~BigInt(entryPhysical(entry)) & ~_PAGE_PSE;

export const init_64 = bodies({
  cleanup_highmap: fn((k: Kernel) => {
    const table = k.sym('level2_kernel_pgt');
    const text = k.program.link('_text');
    const end =
      Math.ceil((k.state.brkEnd === 0 ? k.program.link('__brk_base') : k.state.brkEnd) / PMD_SIZE) *
        PMD_SIZE -
      1;
    for (let i = 0; i < KERNEL_IMAGE_SIZE / PMD_SIZE; i++) {
      const mapped = va(__START_KERNEL_map + i * PMD_SIZE);
      if (get_entry(k, table, i) === 0n) continue;
      if (mapped < text || mapped > end) set_entry(k, 'pmd', table, i, 0n, mapped);
    }
  }),

  kernel_physical_mapping_init: fn((k: Kernel, start: number, end: number, mask: number) => {
    let last = end;
    for (let at = start; at < end; at = alignDown(at, PGDIR_SIZE) + PGDIR_SIZE) {
      const pgd = k.sym('init_level4_pgt');
      const index = tableIndex(direct(at), 39);
      const entry = get_entry(k, pgd, index);
      const stop = Math.min(end, alignDown(at, PGDIR_SIZE) + PGDIR_SIZE);
      if (entry !== 0n) {
        last = k.fn.phys_pud_init(k.__va(entryPhysical(entry)), at, stop, mask);
        continue;
      }
      const pud = k.fn.alloc_low_page();
      last = k.fn.phys_pud_init(pud, at, stop, mask);
      set_entry(k, 'pgd', pgd, index, k.fn.pud_populate(pud), direct(alignDown(at, PGDIR_SIZE)));
    }
    __flush_tlb_all(k);
    return last;
  }),

  phys_pud_init: inline((k: Kernel, pud: Va, start: number, end: number, mask: number) => {
    let last = end;
    let at = start;
    for (let i = tableIndex(start, 30); i < PTRS_PER_TABLE; i++) {
      const base = alignDown(at, PUD_SIZE);
      const next = base + PUD_SIZE;
      if (at >= end) {
        if (!hasRam(k, base, next) && get_entry(k, pud, i) !== 0n) {
          set_entry(k, 'pud', pud, i, 0n, direct(base));
        }
        at = next;
        continue;
      }
      const entry = get_entry(k, pud, i);
      let prot = k.fn.PAGE_KERNEL();
      if (entry !== 0n) {
        if ((entry & _PAGE_PSE) === 0n) {
          const pmd = k.__va(entryPhysical(entry));
          last = k.fn.phys_pmd_init(pmd, at, Math.min(end, next), mask, prot);
          __flush_tlb_all(k);
          at = next;
          continue;
        }
        if ((mask & (1 << PG_LEVEL_1G)) !== 0) {
          last = next;
          at = next;
          continue;
        }
        prot = smallFlags(entry);
      }
      if ((mask & (1 << PG_LEVEL_1G)) !== 0) {
        const value = k.fn.pfn_pte(base / PAGE_SIZE, k.fn.PAGE_KERNEL_LARGE());
        set_entry(k, 'pud', pud, i, value, direct(base));
        last = next;
        at = next;
        continue;
      }
      const pmd = k.fn.alloc_low_page();
      last = k.fn.phys_pmd_init(pmd, at, Math.min(end, next), mask, prot);
      set_entry(k, 'pud', pud, i, k.fn.pud_populate(pmd), direct(base));
      at = next;
    }
    __flush_tlb_all(k);
    return last;
  }),

  phys_pmd_init: inline(
    (k: Kernel, pmd: Va, start: number, end: number, mask: number, prot: bigint) => {
      let last = end;
      let at = start;
      for (let i = tableIndex(start, 21); i < PTRS_PER_TABLE; i++) {
        const base = alignDown(at, PMD_SIZE);
        const next = base + PMD_SIZE;
        if (at >= end) {
          if (!hasRam(k, base, next) && get_entry(k, pmd, i) !== 0n) {
            set_entry(k, 'pmd', pmd, i, 0n, direct(base));
          }
          at = next;
          continue;
        }
        const entry = get_entry(k, pmd, i);
        let small = prot;
        if (entry !== 0n) {
          if ((entry & _PAGE_PSE) === 0n) {
            last = k.fn.phys_pte_init(k.__va(entryPhysical(entry)), at, Math.min(end, next), prot);
            at = next;
            continue;
          }
          if ((mask & (1 << PG_LEVEL_2M)) !== 0) {
            last = next;
            at = next;
            continue;
          }
          small = smallFlags(entry);
        }
        if ((mask & (1 << PG_LEVEL_2M)) !== 0) {
          const value = k.fn.pfn_pte(base / PAGE_SIZE, prot | _PAGE_PSE);
          set_entry(k, 'pmd', pmd, i, value, direct(base));
          last = next;
          at = next;
          continue;
        }
        const pte = k.fn.alloc_low_page();
        last = k.fn.phys_pte_init(pte, at, Math.min(end, next), small);
        set_entry(k, 'pmd', pmd, i, k.fn.pud_populate(pte), direct(base));
        at = next;
      }
      return last;
    },
  ),

  phys_pte_init: inline((k: Kernel, pte: Va, start: number, end: number, prot: bigint) => {
    let last = end;
    let at = start;
    for (let i = tableIndex(start, 12); i < PTRS_PER_TABLE; i++) {
      const base = alignDown(at, PAGE_SIZE);
      const next = base + PAGE_SIZE;
      if (at < end) {
        if (get_entry(k, pte, i) === 0n) {
          set_entry(k, 'pte', pte, i, k.fn.pfn_pte(base / PAGE_SIZE, prot), direct(base));
          last = next;
        }
      } else if (!hasRam(k, base, next) && get_entry(k, pte, i) !== 0n) {
        set_entry(k, 'pte', pte, i, 0n, direct(base));
      }
      at = next;
    }
    return last;
  }),
});
