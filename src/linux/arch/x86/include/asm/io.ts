/** arch/x86/include/asm/io.h: memory of the ISA bus. */
import type { Va } from '../../../../../machine/address.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** phys_to_virt(). */
    isa_bus_to_virt(k: Kernel, address: number): Va;
  }
}

export const asmIo = bodies({
  isa_bus_to_virt: inline((k: Kernel, address: number) => k.__va(address)),
});
