/** KVM's structures as plain state: the members of struct kvm, kvm_vcpu, vcpu_svm and kvm_mmu_page that the model uses. */
import { stateSlice } from '../../../kernel/state.js';

/** struct kvm_mmu_page: a page of shadow (here: nested) table entries. */
export interface ShadowPage {
  readonly gfn: number;
  /** role.level: 4 is the root. */
  readonly level: number;
  /** sp->spt, a direct-map address. */
  readonly spt: number;
}

/** vcpu->arch.regs: all general registers and RIP by name. */
export type VcpuRegs = Record<string, bigint>;

export interface VcpuState {
  /** svm->vmcb, a direct-map address, and svm->vmcb_pa as VMRUN takes it. */
  vmcb: number;
  vmcbPa: bigint;
  /** svm->msrpm, physical. */
  msrpm: number;
  asidGeneration: number;
  regs: VcpuRegs;
  cr2: bigint;
  /** vcpu->arch.exception: the pending vector; null if none is. */
  exception: number | null;
  /** vcpu->arch.mmu.root_hpa; null for INVALID_PAGE. */
  rootHpa: number | null;
  shadowPages: ShadowPage[];
  /** vcpu->arch.mmu_page_cache: direct-map addresses. */
  pageCache: number[];
  /** kvm_run->exit_reason by name. */
  exitReason: string;
  /** Number of guest entries since KVM_RUN. */
  entries: number;
}

export interface KvmState {
  /** struct svm_cpu_data: save_area (physical), and the ASIDs. */
  saveArea: number;
  asidGeneration: number;
  maxAsid: number;
  nextAsid: number;
  iopmBase: number;
  /** The one memory slot: guest frames from base_gfn on, at a user address of the VMM. */
  slot: { baseGfn: number; npages: number; userspaceAddr: number } | null;
  vcpu: VcpuState | null;
  /** svm->host_user_msrs. */
  hostMsrs: [number, bigint][];
  /** WARN_ONCE has warned of an unexpected exit. */
  warned: boolean;
  /** struct page: frames that KVM marked dirty when their nested entries were removed (SetPageDirty). */
  dirtyPfns: number[];
  /** Bytes that the guest wrote to its answer, in order (used only by the integrity record). */
  answered: number[];
}

declare module '../../../kernel/state.js' {
  interface KernelState {
    /** Virtual machines; null before KVM starts. */
    kvm: KvmState | null;
  }
}
export const kvmState = stateSlice(() => ({ kvm: null }));
