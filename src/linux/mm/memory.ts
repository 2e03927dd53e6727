/** mm/memory.c, the part that maps the first three pages of the first process. */
import {
  alignDown,
  PAGE_SIZE,
  PGDIR_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  tableIndex,
  va,
  type Va,
} from '../../machine/address.js';
import { _PAGE_DIRTY, _PAGE_RW } from '../../kernel/constants.js';
import { get_entry, set_entry, write_cr3 } from '../../kernel/cpu-ops.js';
import { headOf, pageOf, TOUCHED } from './filemap.js';
import { GFP } from './page_alloc/page_alloc.js';
import { entryPhysical } from '../arch/x86/include/asm/pgtable_types.js';
import { stateSlice } from '../../kernel/state.js';
import { fn, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';
import { VM } from './mmap.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Physical address of a zeroed page; panics if no memory is free. */
    alloc_zeroed_page(k: Kernel): number;
    /** Maps one page of the current process at a user address. */
    install_user_pte(k: Kernel, address: Va, pa: number, prot: bigint): void;
    /** Maps the pages of the first process, which then writes and reads them; `path` is the program's path. */
    map_user_pages(k: Kernel, path: string): void;
  }
}

declare module '../../kernel/state.js' {
  interface KernelState {
    userPages: { name: string; va: number; pa: number }[];
  }
}
export const memoryState = stateSlice(() => ({ userPages: [] }));

/** User addresses of the pages (our choice: usual ones of a static program). */
const USER_TEXT = va(0x40_0000);
const USER_DATA = va(0x60_0000);
const USER_SHARED = va(0x7f00_0000_0000);

/** Bytes that the process writes to a page: the page's name, repeated. */
function pattern(name: string): Uint8Array {
  return Uint8Array.from({ length: TOUCHED }, (_, i) => name.charCodeAt(i % name.length));
}

export const memory = bodies({
  alloc_zeroed_page: fn((k: Kernel) => {
    const page = k.fn.get_zeroed_page(GFP.KERNEL);
    if (page === 0) return k.fn.panic('Out of memory and no killable processes...');
    return k.__pa(va(page));
  }, true),

  install_user_pte: fn((k: Kernel, address: Va, pa: number, prot: bigint) => {
    let table = k.sym('init_level4_pgt');
    for (const [level, shift, size] of [
      ['pgd', 39, PGDIR_SIZE],
      ['pud', 30, PUD_SIZE],
      ['pmd', 21, PMD_SIZE],
    ] as const) {
      const index = tableIndex(address, shift);
      let entry = get_entry(k, table, index);
      if (entry === 0n) {
        const page = k.fn.alloc_zeroed_page();
        entry = k.fn.pud_populate(k.__va(page));
        set_entry(k, level, table, index, entry, va(alignDown(address, size)));
      }
      table = k.__va(entryPhysical(entry));
    }
    const value = k.fn.pfn_pte(pa / PAGE_SIZE, prot);
    set_entry(k, 'pte', table, tableIndex(address, 12), value, address);
  }),

  map_user_pages: fn((k: Kernel, path: string) => {
    const { READ, WRITE, EXEC, SHARED: SHARE } = VM;
    // In the kernel a process has its own PGD; here it shares init_level4_pgt (our choice).
    write_cr3(k, k.fn['load_cr3:value']('init_level4_pgt'), 'init_level4_pgt');
    const { executable, inodes } = k.state.rootfs;
    const file = inodes.get(executable);
    const text = file === undefined ? undefined : pageOf(file, 0);
    k.trace.recorder.producedAs('user file page', headOf(executable));
    const pages = [
      { name: 'user file page', address: USER_TEXT, flags: READ | EXEC, pa: text ?? 0 },
      { name: 'user private page', address: USER_DATA, flags: READ | WRITE, pa: 0 },
      { name: 'user shared page', address: USER_SHARED, flags: READ | WRITE | SHARE, pa: 0 },
    ];
    for (const page of pages) {
      const pa = page.pa === 0 ? k.fn.alloc_zeroed_page() : page.pa;
      let prot = k.fn.vm_get_page_prot(page.flags);
      // A write fault on a private page makes the copy writable and dirty (mm/memory.c: maybe_mkwrite, pte_mkdirty).
      if ((page.flags & WRITE) !== 0) prot |= _PAGE_RW | _PAGE_DIRTY;
      k.fn.install_user_pte(page.address, pa, prot);
      k.state.userPages.push({ name: page.name, va: page.address, pa });
    }
    k.cpu.cpl = 3;
    for (const page of pages) {
      if ((page.flags & WRITE) !== 0) {
        k.trace.recorder.produced(page.name, pattern(page.name));
        k.writeBytes(page.address, pattern(page.name));
      }
      const seen = k.trace.read(page.name, page.address, TOUCHED, () =>
        k.readBytes(page.address, TOUCHED),
      );
      k.trace.recorder.consumed(page.name, path, seen);
    }
    k.cpu.cpl = 0;
  }),
});
