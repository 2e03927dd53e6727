/** arch/x86/kvm/x86.c: initialization of KVM, and KVM_RUN, which runs a virtual CPU until it must return to the VMM. */
import { va } from '../../../../../machine/address.js';
import { CPUINFO } from '../../kernel/cpu/common/common.js';
import { rsvd_bits, PT64_NX_MASK, PT_ACCESSED_MASK, PT_DIRTY_MASK, PT_USER_MASK } from '../mmu.js';
import { vcpuOf } from '../mmu.js';
import { stateSlice } from '../../../../../kernel/state.js';
import { fn, inline, bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Returns 0 or a negative errno. */
    kvm_arch_init(k: Kernel): number;
    /** Sets the masks from which nested page-table entries are built. */
    'kvm_arch_init:mask_ptes'(k: Kernel): void;
    kvm_set_mmio_spte_mask(k: Kernel): void;
    kvm_vcpu_halt(k: Kernel): number;
    kvm_emulate_hypercall(k: Kernel): number;
    vcpu_enter_guest(k: Kernel): number;
    /** Result of ioctl KVM_RUN: 0 with an exit reason, or a negative errno. */
    vcpu_run(k: Kernel): number;
  }
}

declare module '../../../../../kernel/state.js' {
  interface KernelState {
    /** Whether user space runs a guest before /init. */
    guest: boolean;
  }
}
export const guestState = stateSlice(() => ({ guest: false }));

const EOPNOTSUPP = 95;
const EINTR = 4;
const KVM_ENOSYS = 1000n;
/** Guest entries after which the VMM's alarm signal is pending, which ends KVM_RUN (our choice). */
const ALARM_ENTRIES = 64;
const MAX_PHYS_BITS = 52;

export const kvm = bodies({
  kvm_arch_init: fn((k: Kernel) => {
    if (!k.fn.has_svm()) {
      k.fn.printk('kvm: no hardware support');
      return -EOPNOTSUPP;
    }
    if (k.fn.is_disabled()) {
      k.fn.printk('kvm: disabled by bios');
      return -EOPNOTSUPP;
    }
    k.fn.kvm_set_mmio_spte_mask();
    k.fn['kvm_arch_init:mask_ptes']();
    return 0;
  }),
  'kvm_arch_init:mask_ptes': label((k: Kernel) => {
    k.fn.kvm_mmu_set_mask_ptes(PT_USER_MASK, PT_ACCESSED_MASK, PT_DIRTY_MASK, PT64_NX_MASK, 0n);
  }),

  kvm_set_mmio_spte_mask: inline((k: Kernel) => {
    const phys = k.readU8(va(k.sym('boot_cpu_data') + CPUINFO.x86_phys_bits));
    const present = phys === MAX_PHYS_BITS ? 0n : 1n;
    k.fn.kvm_mmu_set_mmio_spte_mask(rsvd_bits(phys, 51) | (3n << 62n) | present);
  }),

  // No in-kernel interrupt controller: HLT exits to the VMM.
  kvm_vcpu_halt: inline((k: Kernel) => {
    vcpuOf(k).exitReason = 'KVM_EXIT_HLT';
    return 0;
  }),
  // No hypercall number is modelled: each returns -KVM_ENOSYS in RAX.
  kvm_emulate_hypercall: inline((k: Kernel) => {
    vcpuOf(k).regs.rax = BigInt.asUintN(64, -KVM_ENOSYS);
    return 1;
  }),

  vcpu_enter_guest: inline((k: Kernel) => {
    const vcpu = vcpuOf(k);
    // inject_pending_event()
    if (vcpu.exception !== null) k.fn.svm_queue_exception(vcpu.exception);
    // kvm_mmu_reload()
    if (vcpu.rootHpa === null) k.fn.kvm_mmu_load();
    vcpu.entries += 1;
    k.fn.svm_vcpu_run();
    return k.fn.handle_exit();
  }),

  vcpu_run: fn((k: Kernel) => {
    const vcpu = vcpuOf(k);
    vcpu.entries = 0;
    k.fn.svm_vcpu_load();
    let result = 1;
    while (result > 0) {
      result = k.fn.vcpu_enter_guest();
      // signal_pending()
      if (result > 0 && vcpu.entries >= ALARM_ENTRIES) {
        vcpu.exitReason = 'KVM_EXIT_INTR';
        result = -EINTR;
      }
    }
    k.fn.svm_vcpu_put();
    return result;
  }),
});
