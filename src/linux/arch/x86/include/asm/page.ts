/** arch/x86/include/asm/page.h: physical addresses of kernel virtual addresses. */
import { type Va } from '../../../../../machine/address.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** `__pa_nodebug(x)`, as written to CR3. */
    __pa_nodebug(k: Kernel, address: Va): bigint;
  }
}

export const asmPage = bodies({
  __pa_nodebug: inline((k: Kernel, address: Va) => BigInt(k.__pa(address))),
});
