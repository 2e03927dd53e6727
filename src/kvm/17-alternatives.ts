/** Alternatives to patch 17: the mask in addresses passed to VMRUN, and removed from what KVM uses as an address. */
import type { PatchedKernel } from '../kernel/table.js';
import type { Alternative } from '../kernel/hunk.js';

const SVM_C = 'arch/x86/kvm/svm.c';
const set = (k: PatchedKernel, address: bigint): bigint => address | k.fn.sme_me_mask();
const clear = (k: PatchedKernel, bits: bigint): bigint => bits & ~k.fn.sme_me_mask();

export const kvmAlternatives: readonly Alternative[] = [
  {
    id: '17/svm',
    file: SVM_C,
    what: 'VMCB, permission maps, nested root and the pointers between nested tables have the mask; PT64_BASE_ADDR_MASK and rsvd_bits() do not',
    source:
      'the series as merged in v4.14: [PATCH v10 30/38] "kvm: x86: svm: Support Secure Memory Encryption within KVM"',
    needs: ['sme_me_mask'],
    replaces: {
      'svm_create_vcpu:vmcb_pa': (previous) => (k, page) => set(k, previous(k, page)),
      'init_vmcb:permission-map': (previous) => (k, page) => set(k, previous(k, page)),
      'set_tdp_cr3:root': (previous) => (k, root) => set(k, previous(k, root)),
      'link_shadow_page:pointer': (previous) => (k, spt) => set(k, previous(k, spt)),
      PT64_BASE_ADDR_MASK: (previous) => (k) => clear(k, previous(k)),
      'handle_mmio_page_fault:rsvd_bits': (previous) => (k, from) => clear(k, previous(k, from)),
    },
  },
  {
    id: '17/host-save-area',
    file: SVM_C,
    what: 'VM_HSAVE_PA is written with the mask',
    source:
      '[PATCH v4 29/34] "KVM: SVM: Set the encryption mask for the SVM host save area", 2020-11-17',
    needs: ['sme_me_mask'],
    replaces: {
      'svm_hardware_enable:hsave': (previous) => (k, area) => set(k, previous(k, area)),
    },
  },
];
