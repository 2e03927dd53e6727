/** Patch 10, the page-attribute code: arch/x86/mm/pageattr.c, arch/x86/mm/mem_encrypt.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const setMemory: PatchPart = { patch: 10, hunks: [] };
