/**
 * arch/x86/kernel/espfix_64.c: small stacks for IRET to 16-bit stack segments. The code writes the page tables itself
 * and maps a page of stacks read-only at many addresses.
 */
import { PAGE_SIZE, PGDIR_SIZE, tableIndex, va, type Va } from '../../../../machine/address.js';
import {
  __PAGE_KERNEL,
  _PAGE_NX,
  _PAGE_PRESENT,
  _PAGE_RW,
  PTRS_PER_TABLE,
} from '../../../../kernel/constants.js';
import { get_entry, set_entry } from '../../../../kernel/cpu-ops.js';
import { GFP } from '../../../mm/page_alloc/page_alloc.js';
import { entryPhysical } from '../include/asm/pgtable_types.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import type { Variable } from '../../../../kernel/variables.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    init_espfix_bsp(k: Kernel): void;
    init_espfix_ap(k: Kernel, cpu: number): void;
    /** Flags of a page of stacks, before __supported_pte_mask is applied. */
    'init_espfix_ap:stack-flags'(k: Kernel): bigint;
    espfix_base_addr(k: Kernel, cpu: number): Va;
  }
}

const ESPFIX_STACK_SIZE = 64;
export const ESPFIX_STACKS_PER_PAGE = PAGE_SIZE / ESPFIX_STACK_SIZE;
/** ESPFIX_PGD_ENTRY is −2. */
export const ESPFIX_BASE_ADDR = va(-2 * PGDIR_SIZE);
const TWO_16 = 2 ** 16;
const PTE_STRIDE = TWO_16 / PAGE_SIZE;
const ESPFIX_PTE_CLONES = PTRS_PER_TABLE / PTE_STRIDE;
const ESPFIX_PMD_CLONES = PTRS_PER_TABLE;
const ESPFIX_PUD_CLONES = TWO_16 / (ESPFIX_PTE_CLONES * ESPFIX_PMD_CLONES);
const __PAGE_KERNEL_RO = __PAGE_KERNEL & ~_PAGE_RW;
const POINTER = 8;

/** PGTABLE_PROT: flags of pointers to tables, read-only and no-execute. */
const tableFlags = (k: Kernel): bigint => (k.fn._KERNPG_TABLE() & ~_PAGE_RW) | _PAGE_NX;

function zeroedPage(k: Kernel): Va {
  const page = k.fn.get_zeroed_page(GFP.KERNEL);
  // The kernel does not check the pointer.
  return page === 0 ? k.fn.BUG('init_espfix_ap: no memory') : page;
}

/** The table that an entry points to. Where it is not present, allocates one and writes the entry `clones` times. */
function cloned(
  k: Kernel,
  level: 'pud' | 'pmd',
  table: Va,
  index: number,
  address: Va,
  clones: number,
): Va {
  const entry = get_entry(k, table, index);
  if ((entry & _PAGE_PRESENT) !== 0n) return k.__va(entryPhysical(entry));
  const below = zeroedPage(k);
  const mask = k.readU64(k.sym('__supported_pte_mask'));
  const pointer = BigInt(k.__pa(below)) | (tableFlags(k) & mask);
  set_entry(k, level, table, index, pointer, address);
  // The clones have the same value: only the first entry is traced.
  for (let n = 1; n < clones; n++) k.writeU64(va(table + (index + n) * 8), pointer);
  return below;
}

export const espfix_64 = bodies({
  // page_random and slot_random are 0 (our choice: everything is deterministic).
  espfix_base_addr: inline((_k: Kernel, cpu: number) => {
    const page = Math.floor(cpu / ESPFIX_STACKS_PER_PAGE);
    const address = page * PAGE_SIZE + (cpu % ESPFIX_STACKS_PER_PAGE) * ESPFIX_STACK_SIZE;
    // Bits from 16 up are shifted left by 16: bits 31:16, which a 16-bit IRET does not restore, select a clone.
    const low = address % TWO_16;
    return va(ESPFIX_BASE_ADDR + low + (address - low) * TWO_16);
  }),

  init_espfix_bsp: fn((k: Kernel) => {
    const pud = k.sym('espfix_pud_page');
    const pgd = k.sym('init_level4_pgt');
    const index = tableIndex(ESPFIX_BASE_ADDR, 39);
    set_entry(k, 'pgd', pgd, index, k.fn.pud_populate(pud), ESPFIX_BASE_ADDR);
    k.fn.init_espfix_ap(0);
    k.fn.native_irq_return_ldt(0);
  }),

  init_espfix_ap: fn((k: Kernel, cpu: number) => {
    const stackSlot = va(k.sym('espfix_stack') + cpu * POINTER);
    if (k.readU64(stackSlot) !== 0n) return;
    const address = k.fn.espfix_base_addr(cpu);
    const pageSlot = va(k.sym('espfix_pages') + Math.floor(cpu / ESPFIX_STACKS_PER_PAGE) * POINTER);
    if (k.readU64(pageSlot) === 0n) {
      const base = va(address - ((address - ESPFIX_BASE_ADDR) % PAGE_SIZE));
      const pud = k.sym('espfix_pud_page');
      const pmd = cloned(k, 'pud', pud, tableIndex(base, 30), base, ESPFIX_PUD_CLONES);
      const pte = cloned(k, 'pmd', pmd, tableIndex(base, 21), base, ESPFIX_PMD_CLONES);
      const page = k.fn.__get_free_pages(GFP.KERNEL, 0);
      if (page === 0) k.fn.BUG('init_espfix_ap: no memory');
      const mask = k.readU64(k.sym('__supported_pte_mask'));
      const entry = BigInt(k.__pa(va(page))) | (k.fn['init_espfix_ap:stack-flags']() & mask);
      const first = tableIndex(base, 12);
      set_entry(k, 'pte', pte, first, entry, base);
      for (let n = 1; n < ESPFIX_PTE_CLONES; n++) {
        k.writeU64(va(pte + (first + n * PTE_STRIDE) * 8), entry);
      }
      k.writeU64(pageSlot, BigInt(page));
    }
    k.writeU64(stackSlot, BigInt(address));
    const offset = (address - ESPFIX_BASE_ADDR) % PAGE_SIZE;
    const waddr = BigInt.asIntN(64, k.readU64(pageSlot)) + BigInt(offset);
    k.writeU64(va(k.sym('espfix_waddr') + cpu * POINTER), waddr);
  }),
  'init_espfix_ap:stack-flags': inline(() => __PAGE_KERNEL_RO),
});

const FILE = 'arch/x86/kernel/espfix_64.c';
/** Greatest number of CPUs in the model's kernel. */
const NR_CPUS = 64;

export const espfixVariables: readonly Variable[] = [
  { name: 'espfix_pud_page', size: PAGE_SIZE, align: PAGE_SIZE, section: '.bss', file: FILE },
  { name: 'espfix_pages', size: POINTER, align: POINTER, section: '.bss', file: FILE },
  // Per-CPU variables in the kernel; arrays by CPU here (our choice).
  { name: 'espfix_stack', size: NR_CPUS * POINTER, align: POINTER, section: '.bss', file: FILE },
  { name: 'espfix_waddr', size: NR_CPUS * POINTER, align: POINTER, section: '.bss', file: FILE },
];
