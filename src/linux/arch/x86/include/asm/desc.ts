/** arch/x86/include/asm/desc.h: gates of the interrupt descriptor table. */
import { va, type Va } from '../../../../../machine/address.js';
import { __KERNEL_CS } from '../../../../../kernel/constants.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    set_intr_gate(k: Kernel, vector: number, handler: Va): void;
  }
}

export const asmDesc = bodies({
  // A 64-bit interrupt gate, present, DPL 0 (APM 4.8.4).
  set_intr_gate: inline((k: Kernel, vector: number, handler: Va) => {
    const offset = BigInt.asUintN(64, BigInt(handler));
    const low =
      (offset & 0xffffn) |
      (BigInt(__KERNEL_CS) << 16n) |
      (0x8en << 40n) |
      (((offset >> 16n) & 0xffffn) << 48n);
    const gate = va(k.sym('idt_table') + vector * 16);
    k.writeU64(gate, low);
    k.writeU64(va(gate + 8), offset >> 32n);
  }),
});
