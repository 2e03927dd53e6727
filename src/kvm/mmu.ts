/** Patch 17, "x86/kvm: Enable Secure Memory Encryption of nested page tables". */
import type { PatchPart } from '../kernel/hunk.js';

export const kvmMmu: PatchPart = { patch: 17, hunks: [] };
