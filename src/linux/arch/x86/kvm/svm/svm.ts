/**
 * arch/x86/kvm/svm.c: a virtual CPU on AMD hardware. Physical addresses are given to the hardware as 4.6 computes them:
 * page_to_pfn() << PAGE_SHIFT and __pa(), without the encryption mask. Left out: GIF, interrupts, FPU, debug registers.
 */
import { PAGE_SIZE, va } from '../../../../../machine/address.js';
import type { Vmexit } from '../../../../../machine/svm/nested-paging.js';
import { isFault } from '../../../../../machine/cpu/fault.js';
import { RFLAGS } from '../../../../../machine/cpu/registers.js';
import { UnmodelledError } from '../../../../../machine/unmodelled.js';
import {
  segmentField,
  VMCB_CONTROL,
  VMCB_SAVE,
  VMCB_SEGMENTS,
  type VmcbSegment,
} from '../../../../../machine/svm/vmcb.js';
import {
  EFER_SVME,
  MSR_CSTAR,
  MSR_EFER,
  MSR_FS_BASE,
  MSR_GS_BASE,
  MSR_IA32_SYSENTER_CS,
  MSR_IA32_SYSENTER_EIP,
  MSR_IA32_SYSENTER_ESP,
  MSR_KERNEL_GS_BASE,
  MSR_LSTAR,
  MSR_STAR,
  MSR_SYSCALL_MASK,
  MSR_TSC_AUX,
  MSR_VM_CR,
  MSR_VM_HSAVE_PA,
  X86_CR0_ET,
} from '../../../../../kernel/constants.js';
import { rdmsr, wrmsr } from '../../../../../kernel/cpu-ops.js';
import { BootEnd } from '../../../../../kernel/ends.js';
import { IOPM_SIZE, MSRPM_SIZE } from '../../../../../machine/svm/permission-maps.js';
import { noteGuestAccess } from '../../../../user/guest.js';
import { exitName } from './exit.js';
import { kvmOf, vcpuOf } from '../mmu.js';
import { setVmcbField, vmcbField } from './vmcb.js';
import { GFP } from '../../../../mm/page_alloc/page_alloc.js';
import { fn, inline, bodies, label } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    has_svm(k: Kernel): boolean;
    is_disabled(k: Kernel): boolean;
    svm_hardware_setup(k: Kernel): void;
    /** Returns 0 or a negative errno. */
    svm_hardware_enable(k: Kernel): number;
    /** Value for VM_HSAVE_PA: the physical address of the host save area. */
    'svm_hardware_enable:hsave'(k: Kernel, area: number): bigint;
    svm_hardware_disable(k: Kernel): void;
    svm_create_vcpu(k: Kernel): void;
    /** Operand of VMRUN: the physical address of the VMCB. */
    'svm_create_vcpu:vmcb_pa'(k: Kernel, page: number): bigint;
    init_vmcb(k: Kernel): void;
    /** Value of a VMCB field for the physical address of a permission map. */
    'init_vmcb:permission-map'(k: Kernel, physical: number): bigint;
    set_tdp_cr3(k: Kernel, root: bigint): void;
    /** Value of the VMCB's N_CR3 for the physical address of the nested root. */
    'set_tdp_cr3:root'(k: Kernel, root: bigint): bigint;
    svm_get_segment_base(k: Kernel, segment: VmcbSegment): bigint;
    svm_set_segment_base(k: Kernel, segment: VmcbSegment, selector: number, base: bigint): void;
    svm_set_idt(k: Kernel, base: bigint, limit: number): void;
    svm_vcpu_load(k: Kernel): void;
    svm_vcpu_put(k: Kernel): void;
    svm_queue_exception(k: Kernel, vector: number): void;
    pre_svm_run(k: Kernel): void;
    svm_vcpu_run(k: Kernel): void;
  }
}

/** arch/x86/include/asm/svm.h: bits of intercept_cr; reads of CR0 and CR4, writes of CR0, CR4 and CR8. */
const INTERCEPT_CR = { READ: [0, 4], WRITE: [16, 20, 24] } as const;
/** init_vmcb() with nested paging: #UD, #MC, #AC, #DB; CR3 and #PF are not intercepted. */
const INTERCEPT_EXCEPTION = [6, 18, 17, 1] as const;
/** Bit numbers of `intercept` that init_vmcb() sets (the enum of asm/svm.h). */
const INTERCEPTS = {
  INTR: 0,
  NMI: 1,
  SMI: 2,
  SELECTIVE_CR0: 5,
  RDPMC: 15,
  CPUID: 18,
  INVD: 22,
  HLT: 24,
  INVLPGA: 26,
  IOIO_PROT: 27,
  MSR_PROT: 28,
  TASK_SWITCH: 29,
  SHUTDOWN: 31,
  VMRUN: 32,
  VMMCALL: 33,
  VMLOAD: 34,
  VMSAVE: 35,
  STGI: 36,
  CLGI: 37,
  SKINIT: 38,
  WBINVD: 41,
  MONITOR: 42,
  MWAIT: 43,
  XSETBV: 45,
} as const;
const V_INTR_MASKING_MASK = 1n << 24n;
/** All 16 debug registers, read and written (set_dr_intercepts). */
const INTERCEPT_DR_ALL = 0xff_00ffn;
const SVM_EVTINJ_VALID = 1n << 31n;
const SVM_EVTINJ_TYPE_EXEPT = 3n << 8n;
const TLB_CONTROL_FLUSH_ALL_ASID = 1n;
/** init_seg(), init_sys_seg(): attributes of data, code, an LDT and a busy 16-bit TSS. */
const ATTRIBUTES = { data: 0x92n, code: 0x9an, ldt: 0x82n, tss: 0x83n } as const;
const DR6_INIT = 0xffff_0ff0n;
/** asm/msr-index.h, and kvm_host.h: MSR_IA32_CR_PAT_DEFAULT. */
const PAT_DEFAULT = 0x0007_0406_0007_0406n;
const SVM_VM_CR_SVM_DISABLE = 4n;
const SVM_CPUID_FUNC = 0x8000_000a;
/** Orders of the permission maps: 12 KiB of I/O, 8 KiB of MSRs. */
const IOPM_ALLOC_ORDER = 2;
const MSRPM_ALLOC_ORDER = 1;
/** The maps in "what the boot read". */
const MAPS = { IOPM: 'I/O permission map', MSRPM: 'MSR permission map' } as const;
const EBUSY = 16;
const EINVAL = 22;

/** host_save_user_msrs[]. */
const HOST_SAVE_USER_MSRS: readonly number[] = [
  ...[MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE, MSR_FS_BASE],
  ...[MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP, MSR_TSC_AUX],
];

/** Registers that svm_vcpu_run() moves between vcpu->arch.regs and the CPU. */
const MOVED_REGS = [
  ...(['rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp'] as const),
  ...(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const),
] as const;

const bits = (numbers: readonly number[]): bigint =>
  numbers.reduce((sum, one) => sum | (1n << BigInt(one)), 0n);

const cpuid = (k: Kernel, leaf: number): ReturnType<Kernel['cpu']['cpuid']> => k.cpu.cpuid(leaf);

export const kvmSvm = bodies({
  // cpu_has_svm(), asm/virtext.h
  has_svm: inline((k: Kernel) => {
    const amd = k.state.bootCpuData.vendor === 'AuthenticAMD';
    if (!amd || cpuid(k, 0x8000_0000).eax < SVM_CPUID_FUNC) return false;
    return (cpuid(k, 0x8000_0001).ecx & 4) !== 0;
  }),
  is_disabled: inline((k: Kernel) => ((rdmsr(k, MSR_VM_CR) >> SVM_VM_CR_SVM_DISABLE) & 1n) !== 0n),

  svm_hardware_setup: fn((k: Kernel) => {
    const kvm = kvmOf(k);
    kvm.iopmBase = k.fn.alloc_pages(GFP.KERNEL, IOPM_ALLOC_ORDER);
    k.memset(k.__va(kvm.iopmBase), 0xff, PAGE_SIZE * 2 ** IOPM_ALLOC_ORDER);
    k.trace.recorder.produced(MAPS.IOPM, new Uint8Array(IOPM_SIZE).fill(0xff));
    // svm_cpu_init(): the save area is not cleared.
    kvm.saveArea = k.fn.alloc_pages(GFP.KERNEL, 0);
    // boot_cpu_has(X86_FEATURE_NPT), a bit that scattered.c reads.
    if ((cpuid(k, SVM_CPUID_FUNC).edx & 1) === 0) throw new UnmodelledError('KVM without NPT');
    k.fn.printk('kvm: Nested Paging enabled');
  }),

  svm_hardware_enable: fn((k: Kernel) => {
    const kvm = kvmOf(k);
    const efer = rdmsr(k, MSR_EFER);
    if ((efer & EFER_SVME) !== 0n) return -EBUSY;
    if (!k.fn.has_svm()) return -EINVAL;
    kvm.asidGeneration = 1;
    kvm.maxAsid = cpuid(k, SVM_CPUID_FUNC).ebx - 1;
    kvm.nextAsid = kvm.maxAsid + 1;
    wrmsr(k, MSR_EFER, efer | EFER_SVME);
    wrmsr(k, MSR_VM_HSAVE_PA, k.fn['svm_hardware_enable:hsave'](kvm.saveArea));
    return 0;
  }),
  'svm_hardware_enable:hsave': label((_k: Kernel, area: number) => BigInt(area)),

  // cpu_svm_disable(), asm/virtext.h
  svm_hardware_disable: fn((k: Kernel) => {
    wrmsr(k, MSR_VM_HSAVE_PA, 0n);
    wrmsr(k, MSR_EFER, rdmsr(k, MSR_EFER) & ~EFER_SVME);
  }),

  svm_create_vcpu: fn((k: Kernel) => {
    const page = k.fn.alloc_pages(GFP.KERNEL, 0);
    const msrpm = k.fn.alloc_pages(GFP.KERNEL, MSRPM_ALLOC_ORDER);
    const regs: Record<string, bigint> = { rax: 0n, rsp: 0n, rip: 0n };
    for (const name of MOVED_REGS) regs[name] = 0n;
    kvmOf(k).vcpu = {
      vmcb: k.__va(page),
      vmcbPa: k.fn['svm_create_vcpu:vmcb_pa'](page),
      msrpm,
      asidGeneration: 0,
      regs,
      cr2: 0n,
      exception: null,
      rootHpa: null,
      shadowPages: [],
      pageCache: [],
      exitReason: 'KVM_EXIT_UNKNOWN',
      entries: 0,
    };
    // svm_vcpu_init_msrpm(): every MSR is intercepted; this guest uses none of those that the kernel allows.
    k.memset(k.__va(msrpm), 0xff, PAGE_SIZE * 2 ** MSRPM_ALLOC_ORDER);
    k.trace.recorder.produced(MAPS.MSRPM, new Uint8Array(MSRPM_SIZE).fill(0xff));
    k.memset(k.__va(page), 0, PAGE_SIZE);
    k.fn.init_vmcb();
  }),
  'svm_create_vcpu:vmcb_pa': label((_k: Kernel, page: number) => BigInt(page)),

  'init_vmcb:permission-map': label((_k: Kernel, physical: number) => BigInt(physical)),
  init_vmcb: fn((k: Kernel) => {
    const vcpu = vcpuOf(k);
    const permissionMap = k.fn['init_vmcb:permission-map'];
    setVmcbField(k, VMCB_CONTROL.INTERCEPT_CR, bits([...INTERCEPT_CR.READ, ...INTERCEPT_CR.WRITE]));
    setVmcbField(k, VMCB_CONTROL.INTERCEPT_DR, INTERCEPT_DR_ALL);
    setVmcbField(k, VMCB_CONTROL.INTERCEPT_EXCEPTION, bits(INTERCEPT_EXCEPTION));
    setVmcbField(k, VMCB_CONTROL.INTERCEPT_MISC, bits(Object.values(INTERCEPTS)));
    setVmcbField(k, VMCB_CONTROL.IOPM_BASE_PA, permissionMap(kvmOf(k).iopmBase));
    setVmcbField(k, VMCB_CONTROL.MSRPM_BASE_PA, permissionMap(vcpu.msrpm));
    setVmcbField(k, VMCB_CONTROL.V_INTR, V_INTR_MASKING_MASK);
    for (const name of Object.keys(VMCB_SEGMENTS) as VmcbSegment[]) {
      setVmcbField(k, segmentField(name, 'limit'), 0xffffn);
      if (name === 'GDTR' || name === 'IDTR') continue;
      const kind =
        name === 'CS' ? 'code' : name === 'LDTR' ? 'ldt' : name === 'TR' ? 'tss' : 'data';
      setVmcbField(k, segmentField(name, 'attributes'), ATTRIBUTES[kind]);
    }
    k.fn.svm_set_segment_base('CS', 0xf000, 0xffff_0000n);
    // svm_set_efer(0): the guest's EFER has SVME, as VMRUN requires.
    setVmcbField(k, VMCB_SAVE.EFER, EFER_SVME);
    setVmcbField(k, VMCB_SAVE.DR6, DR6_INIT);
    setVmcbField(k, VMCB_SAVE.RFLAGS, BigInt(RFLAGS.ONE));
    setVmcbField(k, VMCB_SAVE.RIP, 0xfff0n);
    vcpu.regs.rip = 0xfff0n;
    // svm_set_cr0() clears CD and NW.
    setVmcbField(k, VMCB_SAVE.CR0, BigInt(X86_CR0_ET));
    vcpu.rootHpa = null;
    setVmcbField(k, VMCB_CONTROL.NP_ENABLE, 1n);
    setVmcbField(k, VMCB_SAVE.G_PAT, PAT_DEFAULT);
    setVmcbField(k, VMCB_SAVE.CR3, 0n);
    setVmcbField(k, VMCB_SAVE.CR4, 0n);
    vcpu.asidGeneration = 0;
  }),

  set_tdp_cr3: fn((k: Kernel, root: bigint) => {
    setVmcbField(k, VMCB_CONTROL.N_CR3, k.fn['set_tdp_cr3:root'](root));
  }),
  'set_tdp_cr3:root': label((_k: Kernel, root: bigint) => root),

  svm_get_segment_base: inline((k: Kernel, segment: VmcbSegment) =>
    vmcbField(k, segmentField(segment, 'base')),
  ),
  svm_set_segment_base: inline(
    (k: Kernel, segment: VmcbSegment, selector: number, base: bigint) => {
      setVmcbField(k, segmentField(segment, 'selector'), BigInt(selector));
      setVmcbField(k, segmentField(segment, 'base'), base);
    },
  ),
  svm_set_idt: inline((k: Kernel, base: bigint, limit: number) => {
    setVmcbField(k, segmentField('IDTR', 'limit'), BigInt(limit));
    setVmcbField(k, segmentField('IDTR', 'base'), base);
  }),

  svm_vcpu_load: inline((k: Kernel) => {
    kvmOf(k).hostMsrs = [MSR_GS_BASE, ...HOST_SAVE_USER_MSRS].map((msr) => {
      const value = k.cpu.rdmsr(msr);
      return [msr, isFault(value) ? 0n : value];
    });
  }),
  svm_vcpu_put: inline((k: Kernel) => {
    for (const [msr, value] of kvmOf(k).hostMsrs)
      k.retryUntilDelivered(() => k.cpu.wrmsr(msr, value));
  }),

  svm_queue_exception: inline((k: Kernel, vector: number) => {
    const event = BigInt(vector) | SVM_EVTINJ_VALID | SVM_EVTINJ_TYPE_EXEPT;
    setVmcbField(k, VMCB_CONTROL.EVENTINJ, event);
  }),

  pre_svm_run: inline((k: Kernel) => {
    const kvm = kvmOf(k);
    const vcpu = vcpuOf(k);
    if (vcpu.asidGeneration === kvm.asidGeneration) return;
    // new_asid()
    if (kvm.nextAsid > kvm.maxAsid) {
      kvm.asidGeneration += 1;
      kvm.nextAsid = 1;
      setVmcbField(k, VMCB_CONTROL.TLB_CONTROL, TLB_CONTROL_FLUSH_ALL_ASID);
    }
    vcpu.asidGeneration = kvm.asidGeneration;
    setVmcbField(k, VMCB_CONTROL.GUEST_ASID, BigInt(kvm.nextAsid));
    kvm.nextAsid += 1;
  }),

  svm_vcpu_run: fn((k: Kernel) => {
    const vcpu = vcpuOf(k);
    const { regs, vmcbPa } = vcpu;
    setVmcbField(k, VMCB_SAVE.RAX, regs.rax ?? 0n);
    setVmcbField(k, VMCB_SAVE.RSP, regs.rsp ?? 0n);
    setVmcbField(k, VMCB_SAVE.RIP, regs.rip ?? 0n);
    k.fn.pre_svm_run();
    setVmcbField(k, VMCB_SAVE.CR2, vcpu.cr2);
    const host = MOVED_REGS.map((name) => ({ value: k.cpu[name], known: k.cpu.knows(name) }));
    for (const name of MOVED_REGS) {
      k.cpu.setGeneral(name, va(Number(BigInt.asIntN(48, regs[name] ?? 0n))));
    }
    const ended = k.machine.probes.guestAccessed.listen((what, _cpu, gpa, bytes) => {
      noteGuestAccess(k, 'guest', what, gpa, bytes);
    });
    const mapsEnded = k.machine.probes.permissionMapRead.listen((_cpu, { map, offset, bytes }) => {
      k.trace.recorder.consumedPart(MAPS[map], 'VMRUN', offset, bytes);
    });
    try {
      run(k, vmcbPa);
    } finally {
      ended();
      mapsEnded();
    }
    MOVED_REGS.forEach((name, i) => {
      regs[name] = BigInt.asUintN(64, BigInt(k.cpu[name]));
      const { value, known } = host[i] ?? { value: va(0), known: false };
      k.cpu.setGeneral(name, value, known);
    });
    const gsBase = kvmOf(k).hostMsrs.find(([msr]) => msr === MSR_GS_BASE)?.[1] ?? 0n;
    k.retryUntilDelivered(() => k.cpu.wrmsr(MSR_GS_BASE, gsBase));
    vcpu.cr2 = vmcbField(k, VMCB_SAVE.CR2);
    regs.rax = vmcbField(k, VMCB_SAVE.RAX);
    regs.rsp = vmcbField(k, VMCB_SAVE.RSP);
    regs.rip = vmcbField(k, VMCB_SAVE.RIP);
    setVmcbField(k, VMCB_CONTROL.TLB_CONTROL, 0n);
    setVmcbField(k, VMCB_CONTROL.VMCB_CLEAN, 0xffff_ffffn);
  }),
});

/** VMLOAD, VMRUN and VMSAVE, between CLGI and STGI. A fault in one is a BUG (kvm_spurious_fault). */
function run(k: Kernel, vmcbPa: bigint): void {
  const loaded = k.cpu.vmload(vmcbPa);
  if (loaded !== null) k.fn.BUG(`kvm_spurious_fault: VMLOAD: ${loaded.why}`);
  const result = k.cpu.vmrun(vmcbPa);
  if (isFault(result)) return k.fn.BUG(`kvm_spurious_fault: VMRUN: ${result.why}`);
  if ('shutdown' in result) {
    throw new BootEnd('triple-fault', 'svm_vcpu_run', `#VMEXIT: invalid ${result.shutdown}`);
  }
  if (k.trace.on) traceRun(k, vmcbPa, result);
  const saved = k.cpu.vmsave(vmcbPa);
  if (saved !== null) k.fn.BUG(`kvm_spurious_fault: VMSAVE: ${saved.why}`);
}

/** Records a VMRUN and its exit in the trace. */
function traceRun(
  k: Kernel,
  vmcbPa: bigint,
  { exit, why }: { readonly exit: Vmexit; readonly why: string },
): void {
  const { pa: start, c: C } = k.cpu.decodeEntry(vmcbPa, PAGE_SIZE);
  k.trace.emit('vmrun', {
    vmcb: { space: 'pa', start, length: PAGE_SIZE },
    C,
    exit: exitName(BigInt.asUintN(32, exit.code)),
    ...(why === '' ? {} : { why }),
  });
}
