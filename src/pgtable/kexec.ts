/** Patch 06, the part of kexec: arch/x86/kernel/machine_kexec_64.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const kexecMap: PatchPart = { patch: 6, hunks: [] };
