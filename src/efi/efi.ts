/** Patch 10, "x86/efi: Access EFI related tables in the clear": arch/x86/platform/efi, drivers/firmware/efi. */
import type { PatchPart } from '../kernel/hunk.js';

export const efiTables: PatchPart = { patch: 10, hunks: [] };
