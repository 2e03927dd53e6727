/** Patch 10, the setup_data chain: arch/x86/kernel/setup.c. */
import type { PatchPart } from '../kernel/hunk.js';

export const efiSetupData: PatchPart = { patch: 10, hunks: [] };
