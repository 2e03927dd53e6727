/** Patch 11, "x86: Decrypt trampoline area if memory encryption is active": arch/x86/realmode/init.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const trampolineDecrypt: PatchPart = { patch: 11, hunks: [] };
