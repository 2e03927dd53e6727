/** init/main.c and arch/x86/mm/fault.c: from start_kernel to /init. */
import { hex, tableIndex, va, type Va } from '../machine/address.js';
import type { Fault } from '../machine/types.js';
import { _PAGE_PRESENT, _PAGE_PSE, PTE_PFN_MASK } from './constants.js';
import { get_entry } from './cpu-ops.js';
import { BootEnd } from './ends.js';
import { describe } from './fault-text.js';
import { isInit } from './initramfs.js';
import { entryPhysical } from './pgtable-types.js';
import { fn, inline, kernelFile, label } from './table.js';
import type { Kernel } from './kernel.js';

const LEVELS = [
  ['PGD', 39],
  ['PUD', 30],
  ['PMD', 21],
  ['PTE', 12],
] as const;

declare module './table.js' {
  interface Entries {
    'start_kernel:trap_init'(k: Kernel): void;
    /** mm_init() as far as memory goes: pci_iommu_alloc() and the page allocator (arch/x86/mm/init_64.c: mem_init). */
    'start_kernel:mm_init'(k: Kernel): void;
    /** Right after locking_selftest(). */
    'start_kernel:after-locking_selftest'(k: Kernel): void;
    page_fault(k: Kernel, fault: Fault): void;
    /** Where the tables in use are: `__va(read_cr3() & PHYSICAL_PAGE_MASK)`. */
    'dump_pagetable:base'(k: Kernel): Va;
    dump_pagetable(k: Kernel, address: Va): void;
    'kernel_init:run_init'(k: Kernel): void;
  }
}

export const main = kernelFile('init/main.c', {
  // trap_init(): gates of the real handlers; the model needs the page fault's only.
  'start_kernel:trap_init': label((k: Kernel) => {
    k.fn.set_intr_gate(14, k.sym('page_fault'));
    k.cpu.lidt(k.sym('idt_table'), 256 * 16 - 1);
  }),
  'start_kernel:mm_init': label((k: Kernel) => {
    k.fn.pci_iommu_alloc();
    k.fn.free_all_bootmem();
  }),
  'start_kernel:after-locking_selftest': label(() => undefined),

  'kernel_init:run_init': label((k: Kernel) => {
    const init = k.state.rootfs.find((file) => isInit(file.path));
    const image = init === undefined ? undefined : k.fn['rootfs:read']('/init');
    if (image === undefined) {
      // prepare_namespace() would look for a root device; there is none here (our choice).
      return k.fn.panic('VFS: Unable to mount root fs on unknown-block(0,0)');
    }
    k.say.console('Run /init as init process');
    k.fn['binfmt:check'](image);
    k.fn.map_user_pages();
  }),
});

export const fault = kernelFile('arch/x86/mm/fault.c', {
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
    k.say.console(words.join(' '));
  }),

  page_fault: fn((k: Kernel, cause: Fault) => {
    const address = typeof cause.address === 'number' ? va(cause.address) : undefined;
    const text = `BUG: unable to handle kernel paging request at ${hex(address ?? 0)}`;
    k.say.console(text);
    if (address !== undefined) k.fn.dump_pagetable(address);
    const message = `Fatal exception: ${describe(cause)}`;
    k.say.emit('panic', { message });
    throw new BootEnd('panic', 'page_fault', `${text}; ${message}`);
  }),
});
