/** arch/x86/kernel/apic/apic.c and asm/apic.h: the local APIC through its fixmap; mm/pgtable.c: late fixmaps. */
import {
  alignDown,
  PAGE_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../../../../../machine/address.js';
import { APIC_REGISTER } from '../../../../../../machine/devices/local-apic.js';
import { FIX_APIC_BASE } from '../../../../../../kernel/constants.js';
import { get_entry, invlpg, set_entry } from '../../../../../../kernel/cpu-ops.js';
import { GFP } from '../../../../../mm/page_alloc/page_alloc.js';
import { entryPhysical } from '../../../include/asm/pgtable_types.js';
import { fn, inline, bodies } from '../../../../../../kernel/table.js';
import type { Kernel } from '../../../../../../kernel/kernel.js';

declare module '../../../../../../kernel/table.js' {
  interface Entries {
    apic_read(k: Kernel, reg: number): number;
    apic_write(k: Kernel, reg: number, value: number): void;
    apic_icr_write(k: Kernel, low: number, id: number): void;
    read_apic_id(k: Kernel): number;
    register_lapic_address(k: Kernel, address: number): void;
    /** Switches the APIC of the CPU that runs on. */
    setup_local_APIC(k: Kernel): void;
    set_fixmap_nocache(k: Kernel, index: number, phys: number): void;
    native_set_fixmap(k: Kernel, index: number, phys: number, prot: bigint): void;
    set_pte_vaddr(k: Kernel, address: Va, pte: bigint): void;
    /** A zeroed page for a table. */
    spp_getpage(k: Kernel): Va;
  }
}

const APIC_ID_SHIFT = 24;
/** APIC_SPIV (asm/apicdef.h) and the vector of spurious interrupts (asm/irq_vectors.h). */
const APIC_SPIV_APIC_ENABLED = 1 << 8;
const SPURIOUS_APIC_VECTOR = 0xff;

const register = (k: Kernel, reg: number): Va => va(k.fn.fix_to_virt(FIX_APIC_BASE) + reg);

export const apic = bodies({
  apic_read: inline((k: Kernel, reg: number) => k.readU32(register(k, reg))),
  apic_write: inline((k: Kernel, reg: number, value: number) => {
    k.writeU32(register(k, reg), value);
  }),
  apic_icr_write: inline((k: Kernel, low: number, id: number) => {
    k.fn.apic_write(APIC_REGISTER.ICR_HIGH, (id << APIC_ID_SHIFT) >>> 0);
    k.fn.apic_write(APIC_REGISTER.ICR_LOW, low);
  }),
  read_apic_id: inline((k: Kernel) => k.fn.apic_read(APIC_REGISTER.ID) >>> APIC_ID_SHIFT),
  register_lapic_address: fn((k: Kernel, address: number) => {
    k.fn.set_fixmap_nocache(FIX_APIC_BASE, address);
  }),
  // Only what lets it send: priorities and the local vector table are of interrupts, which are not modelled.
  setup_local_APIC: inline((k: Kernel) => {
    const value = k.fn.apic_read(APIC_REGISTER.SPURIOUS) & ~SPURIOUS_APIC_VECTOR;
    k.fn.apic_write(APIC_REGISTER.SPURIOUS, value | APIC_SPIV_APIC_ENABLED | SPURIOUS_APIC_VECTOR);
  }),
});

export const pgtable = bodies({
  // include/asm-generic/fixmap.h
  set_fixmap_nocache: inline((k: Kernel, index: number, phys: number) => {
    k.fn.native_set_fixmap(index, phys, k.fn.FIXMAP_PAGE_NOCACHE());
  }),
  native_set_fixmap: fn((k: Kernel, index: number, phys: number, prot: bigint) => {
    k.fn.set_pte_vaddr(k.fn.fix_to_virt(index), k.fn.pfn_pte(Math.floor(phys / PAGE_SIZE), prot));
  }, true),

  // arch/x86/mm/init_64.c: set_pte_vaddr(), fill_pmd() and fill_pte().
  set_pte_vaddr: inline((k: Kernel, address: Va, pte: bigint) => {
    const pgd = get_entry(k, k.sym('init_level4_pgt'), tableIndex(address, 39));
    if (pgd === 0n) {
      k.trace.console('PGD FIXMAP MISSING, it should be setup in head.S!');
      return;
    }
    let table = k.__va(entryPhysical(pgd));
    for (const { level, shift, span } of [
      { level: 'pud', shift: 30, span: PUD_SIZE },
      { level: 'pmd', shift: 21, span: PMD_SIZE },
    ] as const) {
      const index = tableIndex(address, shift);
      let entry = get_entry(k, table, index);
      if (entry === 0n) {
        entry = k.fn.pud_populate(k.fn.spp_getpage());
        set_entry(k, level, table, index, entry, va(alignDown(address, span)));
      }
      table = k.__va(entryPhysical(entry));
    }
    set_entry(k, 'pte', table, tableIndex(address, 12), pte, address);
    invlpg(k, address);
  }),
  spp_getpage: inline((k: Kernel) => {
    const page = k.fn.get_zeroed_page(GFP.KERNEL);
    if (page === 0) k.fn.panic('set_pte_phys: cannot allocate page data after bootmem');
    return va(page);
  }),
});
