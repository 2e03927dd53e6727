/** Patch 15, "x86: Enable memory encryption on the APs": the trampoline's part. */
import type { PatchPart } from '../kernel/hunk.js';

export const trampolineFlags: PatchPart = { patch: 15, hunks: [] };
