/** arch/x86/mm/init.c: the buffer for the first page tables, in the brk area. */
import { fn, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    early_alloc_pgt_buf(k: Kernel): void;
  }
}

/** INIT_PGT_BUF_SIZE: three tables for the first 2 MiB, three for the ISA range. */
const INIT_PGT_BUF_PAGES = 6;

export const pgtBuf = bodies({
  early_alloc_pgt_buf: fn((k: Kernel) => {
    const base = k.__pa(k.fn.extend_brk(INIT_PGT_BUF_PAGES * 4096, 4096)) / 4096;
    k.state.pgtBuf = { end: base, top: base + INIT_PGT_BUF_PAGES };
  }),
});
