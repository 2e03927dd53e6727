/** arch/x86/mm/fault.c: page faults in kernel mode, and the page-table dump that is printed for them. */
import { hex, tableIndex, va, type Va } from '../../../../machine/address.js';
import type { Fault } from '../../../../machine/types.js';
import { _PAGE_PRESENT, _PAGE_PSE, PTE_PFN_MASK } from '../../../../kernel/constants.js';
import { get_entry } from '../../../../kernel/cpu-ops.js';
import { BootEnd } from '../../../../kernel/ends.js';
import { describe } from '../../../../kernel/fault-text.js';
import { entryPhysical } from '../include/asm/pgtable_types.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Virtual address of the page-global directory in use: `__va(read_cr3() & PHYSICAL_PAGE_MASK)`. */
    'dump_pagetable:base'(k: Kernel): Va;
    dump_pagetable(k: Kernel, address: Va): void;
    page_fault(k: Kernel, fault: Fault): void;
  }
}

const LEVELS = [
  ['PGD', 39],
  ['PUD', 30],
  ['PMD', 21],
  ['PTE', 12],
] as const;

export const fault = bodies({
  'dump_pagetable:base': inline((k: Kernel) => k.__va(Number(k.cpu.cr3 & PTE_PFN_MASK))),

  dump_pagetable: inline((k: Kernel, address: Va) => {
    let table = k.fn['dump_pagetable:base']();
    const words: string[] = [];
    for (const [name, shift] of LEVELS) {
      const entry = get_entry(k, table, tableIndex(address, shift));
      words.push(`${name} ${entry.toString(16)}`);
      if ((entry & _PAGE_PRESENT) === 0n || (shift < 39 && (entry & _PAGE_PSE) !== 0n)) break;
      table = k.__va(entryPhysical(entry));
    }
    k.fn.printk(words.join(' '));
  }),

  page_fault: fn((k: Kernel, cause: Fault) => {
    const address = typeof cause.address === 'number' ? va(cause.address) : undefined;
    const text = `BUG: unable to handle kernel paging request at ${hex(address ?? 0)}`;
    k.fn.printk(text);
    if (address !== undefined) k.fn.dump_pagetable(address);
    const message = `Fatal exception: ${describe(cause)}`;
    k.trace.emit('panic', { message });
    throw new BootEnd('panic', 'page_fault', `${text}; ${message}`);
  }),
});
