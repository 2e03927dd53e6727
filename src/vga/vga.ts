/** Patch 16, "x86: Do not specify encrypted memory for VGA mapping": arch/x86/include/asm/vga.h. */
import type { PatchPart } from '../kernel/hunk.js';

export const vga: PatchPart = { patch: 16, hunks: [] };
