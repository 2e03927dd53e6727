/** arch/x86/kvm/svm.c: handle_exit(), which reads the exit code from the VMCB and calls its handler. */
import { PAGE_SIZE, va } from '../../../../../machine/address.js';
import { UnmodelledError } from '../../../../../machine/unmodelled.js';
import { VMCB_CONTROL, VMEXIT } from '../../../../../machine/svm/vmcb.js';
import type { EmulationResult } from '../x86/emulate.js';
import { kvmOf, vcpuOf } from '../mmu.js';
import { vmcbField } from './vmcb.js';
import { inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Returns 1 to enter the guest again, 0 to return to the VMM, or a negative value for an error. */
    handle_exit(k: Kernel): number;
  }
}

const UD_VECTOR = 6;

/** −1, as the 32 bits of the exit code that the kernel compares. */
const SVM_EXIT_ERR = 0xffff_ffff;
/** SVM_EXIT_XSETBV, the highest exit code with a handler below SVM_EXIT_NPF. */
const LAST_HANDLER = 0x8d;

const EXIT_NAMES: ReadonlyMap<bigint, string> = new Map<bigint, string>([
  [0n, 'read_cr0'],
  [VMEXIT.EXCP0 + BigInt(UD_VECTOR), 'UD excp'],
  [VMEXIT.HLT, 'hlt'],
  [VMEXIT.IOIO, 'io'],
  [VMEXIT.MSR, 'msr'],
  [VMEXIT.SHUTDOWN, 'shutdown'],
  [VMEXIT.VMMCALL, 'vmmcall'],
  [VMEXIT.NPF, 'npf'],
  [BigInt(SVM_EXIT_ERR), 'invalid'],
]);
/** Name of an exit code in SVM_EXIT_REASONS (uapi/asm/svm.h); the hexadecimal code where the model lists no name. */
export function exitName(code: bigint): string {
  return EXIT_NAMES.get(code) ?? `0x${code.toString(16)}`;
}

/** emulate_on_interception() */
function emulated(k: Kernel): number {
  const result: EmulationResult = k.fn.x86_emulate_instruction(false);
  return result === 'EMULATE_DONE' ? 1 : 0;
}

/** svm_exit_handlers[], without the exits that this guest cannot cause. */
const HANDLERS: Readonly<Record<number, (k: Kernel) => number>> = {
  // cr_interception() without DECODEASSISTS, which the CPU does not report.
  [0x00]: emulated,
  // ud_interception()
  [Number(VMEXIT.EXCP0) + UD_VECTOR]: (k) => {
    if (k.fn.x86_emulate_instruction(true) === 'EMULATE_FAIL') vcpuOf(k).exception = UD_VECTOR;
    return 1;
  },
  [Number(VMEXIT.HLT)]: (k) => {
    skip(k, 1n);
    return k.fn.kvm_vcpu_halt();
  },
  [Number(VMEXIT.SHUTDOWN)]: (k) => {
    k.memset(va(vcpuOf(k).vmcb), 0, PAGE_SIZE);
    k.fn.init_vmcb();
    vcpuOf(k).exitReason = 'KVM_EXIT_SHUTDOWN';
    return 0;
  },
  [Number(VMEXIT.VMMCALL)]: (k) => {
    skip(k, 3n);
    return k.fn.kvm_emulate_hypercall();
  },
  // pf_interception()
  [Number(VMEXIT.NPF)]: (k) => {
    const error = Number(vmcbField(k, VMCB_CONTROL.EXITINFO1) & 0xffff_ffffn);
    return k.fn.kvm_mmu_page_fault(Number(vmcbField(k, VMCB_CONTROL.EXITINFO2)), error);
  },
};

/** svm->next_rip, then skip_emulated_instruction(). */
function skip(k: Kernel, length: bigint): void {
  const { regs } = vcpuOf(k);
  regs.rip = (regs.rip ?? 0n) + length;
}

export const kvmExit = bodies({
  handle_exit: inline((k: Kernel) => {
    const code = Number(vmcbField(k, [VMCB_CONTROL.EXITCODE[0], 4]));
    k.trace.emit('vmexit', {
      code: exitName(BigInt(code)),
      info1: vmcbField(k, VMCB_CONTROL.EXITINFO1),
      info2: vmcbField(k, VMCB_CONTROL.EXITINFO2),
    });
    // svm_complete_interrupts(): drops the exception that was queued for this entry.
    vcpuOf(k).exception = null;
    if (code === SVM_EXIT_ERR) {
      k.fn.printk('KVM: FAILED VMRUN WITH VMCB:');
      vcpuOf(k).exitReason = 'KVM_EXIT_FAIL_ENTRY';
      return 0;
    }
    const handler = HANDLERS[code];
    if (handler !== undefined) return handler(k);
    if (code <= LAST_HANDLER || code === Number(VMEXIT.NPF)) {
      throw new UnmodelledError(`svm_exit_handlers[0x${code.toString(16)}]`);
    }
    // WARN_ONCE; #UD is injected at the next entry.
    if (!kvmOf(k).warned) k.fn.printk(`svm: unexpected exit reason 0x${code.toString(16)}`);
    kvmOf(k).warned = true;
    vcpuOf(k).exception = UD_VECTOR;
    return 1;
  }),
});
