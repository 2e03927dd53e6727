/** arch/x86/kernel/setup.c: the brk area, memory right after the kernel's bss. */
import { alignUp, va, type Va } from '../../../../../machine/address.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Allocates `size` zeroed bytes at a multiple of `align`. BUG where the area is exhausted. */
    extend_brk(k: Kernel, size: number, align: number): Va;
    reserve_brk(k: Kernel): void;
  }
}

export const setupBrk = bodies({
  extend_brk: inline((k: Kernel, size: number, align: number) => {
    if (k.state.brkEnd === 0) k.state.brkEnd = k.program.link('__brk_base');
    const at = va(alignUp(k.state.brkEnd, align));
    if (at + size > k.program.link('__brk_limit')) k.fn.BUG('extend_brk: _brk_end > __brk_limit');
    k.state.brkEnd = at + size;
    k.memset(at, 0, size);
    return at;
  }),

  reserve_brk: inline((k: Kernel) => {
    const start = k.program.link('__brk_base');
    if (k.state.brkEnd > start) {
      k.fn.memblock_reserve(k.__pa(va(start)), k.state.brkEnd - start);
    }
    k.state.brkLocked = true;
  }),
});
