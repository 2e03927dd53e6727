/** Patch 12, "x86: Access device tree in the clear": arch/x86/kernel/devicetree.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const deviceTree: PatchPart = { patch: 12, hunks: [] };
