/** Patch 13, "x86: DMA support for memory encryption". */
import type { PatchPart } from '../kernel/hunk.js';

export const dma: PatchPart = { patch: 13, hunks: [] };
