/**
 * The program that runs a guest (our choice: a minimal VMM). It is user space: it accesses its memory at CPL 3 through
 * its own mapping, made by the kernel's rules for anonymous pages, and calls the kernel by ioctls.
 */
import { PAGE_SIZE, va } from '../../machine/address.js';
import { _PAGE_DIRTY, _PAGE_RW } from '../../kernel/constants.js';
import { GUEST, GUEST_CODE, GUEST_HVA, GUEST_MESSAGE, MESSAGE_SIZE } from './guest.js';
import { kvmOf, vcpuOf } from '../arch/x86/kvm/mmu.js';
import { VM } from '../mm/mmap.js';
import { bodies, label } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    'vmm:main'(k: Kernel): void;
    /** mmap() of anonymous memory, each page written: mm/memory.c do_anonymous_page(). */
    'vmm:mmap'(k: Kernel): void;
    /** Writes code and message into guest memory. */
    'vmm:load'(k: Kernel): void;
    /** KVM_SET_SREGS and KVM_SET_REGS. */
    'vmm:set_regs'(k: Kernel): void;
  }
}

export const kvmVmm = bodies({
  'vmm:main': label((k: Kernel) => {
    k.fn['vmm:mmap']();
    k.fn['vmm:load']();
    // KVM_CREATE_VM: hardware_enable_all()
    const enabled = k.fn.svm_hardware_enable();
    if (enabled < 0) {
      k.fn.printk(`vmm: KVM_CREATE_VM: ${String(enabled)}`);
      return;
    }
    // KVM_SET_USER_MEMORY_REGION
    kvmOf(k).slot = {
      baseGfn: 0,
      npages: GUEST.end / PAGE_SIZE,
      userspaceAddr: GUEST_HVA,
    };
    // KVM_CREATE_VCPU
    k.fn.svm_create_vcpu();
    k.fn['vmm:set_regs']();
    const result = k.fn.vcpu_run();
    const { exitReason, entries } = vcpuOf(k);
    k.fn.printk(
      `vmm: KVM_RUN: ${result < 0 ? String(result) : exitReason} (${String(entries)} entries)`,
    );
    k.cpu.cpl = 3;
    const answer = va(GUEST_HVA + GUEST.answer);
    const bytes = k.trace.read('guest answer', answer, MESSAGE_SIZE, () =>
      k.readBytes(answer, MESSAGE_SIZE),
    );
    k.cpu.cpl = 0;
    k.trace.recorder.consumed('guest answer', 'vmm', bytes);
    // Closing its file destroys the VM: nested entries, then hardware_disable_all(). Its pages are not freed (our choice).
    k.fn.kvm_mmu_zap_all();
    k.fn.svm_hardware_disable();
  }),

  'vmm:mmap': label((k: Kernel) => {
    // The process shares init's PGD, as /init does (our choice).
    const prot = k.fn.vm_get_page_prot(VM.READ | VM.WRITE) | _PAGE_RW | _PAGE_DIRTY;
    for (let gpa = 0; gpa < GUEST.end; gpa += PAGE_SIZE) {
      k.fn.install_user_pte(va(GUEST_HVA + gpa), k.fn.alloc_zeroed_page(), prot);
    }
  }),

  'vmm:load': label((k: Kernel) => {
    const { recorder } = k.trace;
    recorder.produced('guest code', GUEST_CODE);
    recorder.produced('guest memory', GUEST_MESSAGE);
    k.cpu.cpl = 3;
    k.writeBytes(va(GUEST_HVA + GUEST.code), GUEST_CODE);
    k.writeBytes(va(GUEST_HVA + GUEST.message), GUEST_MESSAGE);
    k.cpu.cpl = 0;
  }),

  // Real mode, flat segments, no IDT.
  'vmm:set_regs': label((k: Kernel) => {
    k.fn.svm_set_segment_base('CS', 0, 0n);
    k.fn.svm_set_idt(0n, 0);
    vcpuOf(k).regs.rip = BigInt(GUEST.code);
  }),
});
