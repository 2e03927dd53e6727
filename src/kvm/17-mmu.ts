/**
 * Patch 17, "x86/kvm: Enable Secure Memory Encryption of nested page tables": leaves of nested tables carry the mask.
 * No other address that the hardware reads does: not the pointers between the tables, their root, nor the addresses of
 * the VMCB, the host save area and the permission maps.
 */
import type { PatchedKernel } from '../kernel/table.js';
import {
  PT64_NX_MASK,
  PT_ACCESSED_MASK,
  PT_DIRTY_MASK,
  PT_USER_MASK,
} from '../linux/arch/x86/kvm/mmu.js';
import type { PatchPart } from '../kernel/hunk.js';
import { kvmAlternatives } from './17-alternatives.js';

const MMU_C = 'arch/x86/kvm/mmu.c';

const shadowMeMask = (k: PatchedKernel): bigint => k.readU64(k.sym('shadow_me_mask'));

export const kvmMmu: PatchPart = {
  patch: 17,
  alternatives: kvmAlternatives,
  hunks: [
    {
      id: '17/mmu',
      file: MMU_C,
      what: 'kvm_mmu_set_mask_ptes() stores the mask, set_spte() sets it in leaves, PT64_PERM_MASK includes it',
      variables: [
        { name: 'shadow_me_mask', size: 8, align: 8, section: '.data', file: MMU_C, mask: true },
      ],
      replaces: {
        kvm_mmu_set_mask_ptes: (previous) => (k, user, accessed, dirty, nx, x, me) => {
          previous(k, user, accessed, dirty, nx, x);
          k.writeU64(k.sym('shadow_me_mask'), me ?? 0n);
        },
        'set_spte:pfn': (previous) => (k, spte, pfn) => previous(k, spte, pfn) | shadowMeMask(k),
        PT64_PERM_MASK: (previous) => (k) => previous(k) | shadowMeMask(k),
      },
    },
    {
      id: '17/x86',
      file: 'arch/x86/kvm/x86.c',
      what: 'kvm_arch_init() passes sme_me_mask to kvm_mmu_set_mask_ptes()',
      needs: ['sme_me_mask', 'shadow_me_mask'],
      replaces: {
        'kvm_arch_init:mask_ptes': () => (k) => {
          k.fn.kvm_mmu_set_mask_ptes(
            PT_USER_MASK,
            PT_ACCESSED_MASK,
            PT_DIRTY_MASK,
            PT64_NX_MASK,
            0n,
            k.fn.sme_me_mask(),
          );
        },
      },
    },
  ],
};
