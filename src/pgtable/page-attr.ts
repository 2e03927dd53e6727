/** Patch 06, the page-attribute code's part: arch/x86/mm/pageattr.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const pageAttr: PatchPart = { patch: 6, hunks: [] };
