/** arch/x86/include/asm/processor.h: loading CR3. */
import { write_cr3 } from '../../../../../kernel/cpu-ops.js';
import { inline, bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    load_cr3(k: Kernel, table: string): void;
    /** Value of CR3 for a table: its physical address. */
    'load_cr3:value'(k: Kernel, table: string): bigint;
  }
}

export const processor = bodies({
  load_cr3: inline((k: Kernel, table: string) => {
    write_cr3(k, k.fn['load_cr3:value'](table), table);
  }),

  'load_cr3:value': label((k: Kernel, table: string) => BigInt(k.__pa(k.sym(table)))),
});
