/** arch/x86/include/asm/vga.h: the address of video memory. */
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Virtual address of video memory at the physical `address`. */
    VGA_MAP_MEM(k: Kernel, address: number, size: number): number;
  }
}

export const vgaHeader = bodies({
  VGA_MAP_MEM: inline((k: Kernel, address: number, _size: number) => k.__va(address)),
});
