/**
 * Secure virtual machine (APM vol. 2, chapter 15): VMRUN with nested paging, #VMEXIT, VMLOAD and VMSAVE. The addresses
 * from software (rAX, VM_HSAVE_PA, nCR3) are system physical addresses: with memory encryption on, their C-bit selects
 * the key (APM 7.10.1, 15.34; KVM sets it in each of them since 4.14). Not modelled: VMRUN without nested paging, SEV,
 * GIF and interrupts, ports, and VMCB caching: each VMRUN reads the whole VMCB (our choice).
 */
import { paAdd, va, vaOfU64, type KeyId, type Pa, type Va } from '../address.js';
import type { CpuBus } from '../cpu/cpu-core.js';
import type { CpuModel } from '../cpu/cpuid.js';
import { generalProtection } from '../cpu/fault.js';
import { runGuest } from './guest-instructions.js';
import { Guest, type GuestCpu } from './guest.js';
import type { AccessKind } from '../probes.js';
import { cr3Reserved, rootOf, type PagingContext } from '../cpu/mmu.js';
import type { MsrFile, MsrName } from '../cpu/msr.js';
import { NestedPaging, type Vmexit } from './nested-paging.js';
import { allBits, CR4, EFER } from '../cpu/registers.js';
import { invalidState } from './svm-checks.js';
import { MEMTYPE, VECTOR, type Fault } from '../types.js';
import { UnmodelledError } from '../unmodelled.js';
import {
  NP_ENABLE,
  segmentField,
  VMCB_CONTROL,
  VMCB_SAVE,
  VMCB_SIZE,
  VmcbView,
  VMEXIT,
  type VmcbField,
} from './vmcb.js';

/** The outcome of a VMRUN: a fault before any state changed, a #VMEXIT, or a shutdown of the CPU. */
export type VmrunResult =
  Fault | { readonly exit: Vmexit; readonly why: string } | { readonly shutdown: string };

/** The part of a CPU that VMRUN uses. */
export interface SvmCpu extends GuestCpu {
  readonly model: CpuModel;
  readonly msrs: MsrFile;
  rip: Va;
  rsp: Va;
  rflags: number;
  cs: number;
  ss: number;
  cpl: number;
  idtr: { base: Va; limit: number };
  gdtr: { base: Va; limit: number };
  readonly cr0: number;
  readonly cr3: bigint;
  readonly cr4: number;
  readonly longMode: boolean;
  loadControl(cr0: number, cr3: bigint, cr4: number, efer: bigint): void;
}

/** A page of memory at a system physical address, through the cache. */
class SystemPage {
  private readonly at: Pa;
  private readonly key: KeyId;

  constructor(
    private readonly bus: CpuBus,
    private readonly cpu: number,
    context: PagingContext,
    address: bigint,
  ) {
    const { root, rootKey } = rootOf(context.format, address);
    this.at = root;
    this.key = rootKey;
  }

  read(): VmcbView {
    const { cache, origin } = this.bus;
    const bytes = new Uint8Array(VMCB_SIZE);
    // APM 15.5.2: the VMCB is accessed write-back.
    this.notify('read', this.at, VMCB_SIZE);
    cache.read(this.cpu, this.at, this.key, MEMTYPE.WB, bytes, 0, VMCB_SIZE, origin);
    return new VmcbView(bytes);
  }

  /** Some fields; the rest of the view is 0. */
  readFields(fields: readonly VmcbField[]): VmcbView {
    const { cache, origin } = this.bus;
    const bytes = new Uint8Array(VMCB_SIZE);
    for (const [offset, length] of fields) {
      const at = paAdd(this.at, offset);
      this.notify('read', at, length);
      cache.read(this.cpu, at, this.key, MEMTYPE.WB, bytes, offset, length, origin);
    }
    return new VmcbView(bytes);
  }

  /** Writes some fields of a VMCB to memory. */
  write(view: VmcbView, fields: readonly VmcbField[]): void {
    const { cache, origin } = this.bus;
    for (const [offset, length] of fields) {
      const at = paAdd(this.at, offset);
      this.notify('write', at, length);
      cache.write(this.cpu, at, this.key, MEMTYPE.WB, view.bytes, offset, length, origin);
    }
  }

  /** An access of the CPU itself: its address is physical. */
  private notify(kind: AccessKind, at: Pa, length: number): void {
    const { probes, origin } = this.bus;
    if (!probes.accessed.active) return;
    probes.accessed.notify(kind, this.cpu, va(at), at, this.key, MEMTYPE.WB, length, origin);
  }
}

/** The faults of VMRUN, VMLOAD and VMSAVE before any state changes, or null (APM vol. 3, VMRUN). */
function refused(cpu: SvmCpu, context: PagingContext, rax: bigint): Fault | null {
  const svme = (cpu.msrs.get('EFER') & BigInt(EFER.SVME)) !== 0n;
  if (!svme || !cpu.longMode) return { vector: VECTOR.UD, error: 0, why: 'EFER.SVME is clear' };
  if (cpu.cpl !== 0) return generalProtection('CPL is not 0');
  if (rax % BigInt(VMCB_SIZE) !== 0n) return generalProtection('VMCB is not page-aligned', rax);
  if (cr3Reserved(context.format, rax)) return generalProtection('VMCB is beyond memory', rax);
  return null;
}

const EXIT_FIELDS = [
  VMCB_CONTROL.EXITCODE,
  VMCB_CONTROL.EXITINFO1,
  VMCB_CONTROL.EXITINFO2,
] as const satisfies readonly VmcbField[];
/** The fields that a #VMEXIT stores if the guest has run (APM 15.6). */
const GUEST_FIELDS: readonly VmcbField[] = [
  ...EXIT_FIELDS,
  VMCB_CONTROL.EXITINTINFO,
  VMCB_CONTROL.EVENTINJ,
  VMCB_SAVE.CR2,
  VMCB_SAVE.RFLAGS,
  VMCB_SAVE.RIP,
  VMCB_SAVE.RSP,
  VMCB_SAVE.RAX,
];

/** VMRUN (APM 15.5): runs the guest of the VMCB at rAX until a #VMEXIT. */
export function vmrun(cpu: SvmCpu, bus: CpuBus, context: PagingContext, rax: bigint): VmrunResult {
  const fault = refused(cpu, context, rax);
  if (fault !== null) return fault;
  const hsave = new SystemPage(bus, cpu.id, context, cpu.msrs.get('VM_HSAVE_PA'));
  saveHost(cpu, hsave, rax);
  const page = new SystemPage(bus, cpu.id, context, rax);
  const vmcb = page.read();
  const why = invalidState(vmcb, context, cpu.model);
  let exit: Vmexit;
  if (why !== undefined) {
    // APM 15.5.1: no guest state is loaded, so only the exit code is stored.
    exit = { code: VMEXIT.INVALID, info1: 0n, info2: 0n };
    storeExit(vmcb, exit);
    page.write(vmcb, EXIT_FIELDS);
  } else {
    exit = enter(cpu, bus, context, vmcb);
    storeExit(vmcb, exit);
    vmcb.set(VMCB_CONTROL.EXITINTINFO, 0n);
    vmcb.set(VMCB_CONTROL.EVENTINJ, 0n);
    page.write(vmcb, GUEST_FIELDS);
  }
  const shutdown = loadHost(cpu, hsave, context);
  return shutdown === undefined ? { exit, why: why ?? '' } : { shutdown };
}

function enter(cpu: SvmCpu, bus: CpuBus, context: PagingContext, vmcb: VmcbView): Vmexit {
  const enable = vmcb.get(VMCB_CONTROL.NP_ENABLE);
  if (enable !== NP_ENABLE.NP) throw new UnmodelledError(`VMRUN with NP_ENABLE ${String(enable)}`);
  const nested = new NestedPaging(cpu.tables, context, vmcb.get(VMCB_CONTROL.N_CR3));
  const guest = new Guest(cpu, bus, nested, vmcb, context);
  const exit = runGuest(guest);
  guest.save();
  return exit;
}

function storeExit(vmcb: VmcbView, exit: Vmexit): void {
  vmcb.set(VMCB_CONTROL.EXITCODE, exit.code);
  vmcb.set(VMCB_CONTROL.EXITINFO1, exit.info1);
  vmcb.set(VMCB_CONTROL.EXITINFO2, exit.info2);
}

// --- The host's state --------------------------------------------------------------------------------------------

/** The fields of the host save area (APM 15.30.4 leaves its form open); our choice: at the offsets of a VMCB. */
const HOST_FIELDS = {
  efer: VMCB_SAVE.EFER,
  cr0: VMCB_SAVE.CR0,
  cr3: VMCB_SAVE.CR3,
  cr4: VMCB_SAVE.CR4,
  rflags: VMCB_SAVE.RFLAGS,
  rip: VMCB_SAVE.RIP,
  rsp: VMCB_SAVE.RSP,
  rax: VMCB_SAVE.RAX,
  cs: segmentField('CS', 'selector'),
  ss: segmentField('SS', 'selector'),
  idtBase: segmentField('IDTR', 'base'),
  idtLimit: segmentField('IDTR', 'limit'),
  gdtBase: segmentField('GDTR', 'base'),
  gdtLimit: segmentField('GDTR', 'limit'),
} as const;

/** APM 15.5.1: VMRUN saves the host's state to VM_HSAVE_PA. */
function saveHost(cpu: SvmCpu, page: SystemPage, rax: bigint): void {
  const view = new VmcbView(new Uint8Array(VMCB_SIZE));
  const values: Readonly<Record<keyof typeof HOST_FIELDS, bigint>> = {
    efer: cpu.msrs.get('EFER'),
    cr0: BigInt(cpu.cr0),
    cr3: cpu.cr3,
    cr4: BigInt(cpu.cr4),
    rflags: BigInt(cpu.rflags),
    rip: BigInt(cpu.rip),
    rsp: BigInt(cpu.rsp),
    rax,
    cs: BigInt(cpu.cs),
    ss: BigInt(cpu.ss),
    idtBase: BigInt(cpu.idtr.base),
    idtLimit: BigInt(cpu.idtr.limit),
    gdtBase: BigInt(cpu.gdtr.base),
    gdtLimit: BigInt(cpu.gdtr.limit),
  };
  for (const [name, field] of Object.entries(HOST_FIELDS)) {
    view.set(field, values[name as keyof typeof HOST_FIELDS]);
  }
  page.write(view, Object.values(HOST_FIELDS));
}

/** APM 15.6: #VMEXIT loads the host's state from VM_HSAVE_PA; illegal host state shuts the CPU down. */
function loadHost(cpu: SvmCpu, page: SystemPage, context: PagingContext): string | undefined {
  const view = page.readFields(Object.values(HOST_FIELDS));
  const get = (name: keyof typeof HOST_FIELDS): bigint => view.get(HOST_FIELDS[name]);
  const efer = get('efer');
  const cr4 = get('cr4');
  const rip = vaOfU64(get('rip'));
  const rsp = vaOfU64(get('rsp'));
  const idtBase = vaOfU64(get('idtBase'));
  const gdtBase = vaOfU64(get('gdtBase'));
  // Our choice of the checks: reserved bits, and addresses that are not canonical.
  if ((cr4 & ~BigInt(allBits(CR4))) !== 0n) return 'host CR4';
  if ((efer & ~BigInt(allBits(EFER))) !== 0n) return 'host EFER';
  if (cr3Reserved(context.format, get('cr3'))) return 'host CR3';
  if (rip === undefined || rsp === undefined) return 'host RIP or RSP';
  if (idtBase === undefined || gdtBase === undefined) return 'host IDTR or GDTR';
  cpu.loadControl(Number(get('cr0')), get('cr3'), Number(cr4), efer);
  cpu.rflags = Number(get('rflags'));
  cpu.rip = rip;
  cpu.rsp = rsp;
  cpu.cs = Number(get('cs'));
  cpu.ss = Number(get('ss'));
  cpu.idtr = { base: idtBase, limit: Number(get('idtLimit')) };
  cpu.gdtr = { base: gdtBase, limit: Number(get('gdtLimit')) };
  // APM 15.6: the host continues at CPL 0.
  cpu.cpl = 0;
  return undefined;
}

// --- VMLOAD and VMSAVE -------------------------------------------------------------------------------------------

/** MSRs that VMLOAD and VMSAVE transfer (APM vol. 3, VMLOAD), and whether they hold an address. */
const MOVED: readonly (readonly [MsrName, VmcbField, address: boolean])[] = [
  ['FS_BASE', segmentField('FS', 'base'), true],
  ['GS_BASE', segmentField('GS', 'base'), true],
  ['KERNEL_GS_BASE', VMCB_SAVE.KERNEL_GS_BASE, true],
  ['STAR', VMCB_SAVE.STAR, false],
  ['LSTAR', VMCB_SAVE.LSTAR, true],
  ['CSTAR', VMCB_SAVE.CSTAR, true],
  ['SF_MASK', VMCB_SAVE.SFMASK, false],
  ['SYSENTER_CS', VMCB_SAVE.SYSENTER_CS, false],
  ['SYSENTER_ESP', VMCB_SAVE.SYSENTER_ESP, true],
  ['SYSENTER_EIP', VMCB_SAVE.SYSENTER_EIP, true],
];

/** VMLOAD: loads state that VMRUN does not. Addresses become canonical (APM 15.5.2). TR and LDTR are not modelled. */
export function vmload(
  cpu: SvmCpu,
  bus: CpuBus,
  context: PagingContext,
  rax: bigint,
): Fault | null {
  const fault = refused(cpu, context, rax);
  if (fault !== null) return fault;
  const vmcb = new SystemPage(bus, cpu.id, context, rax).readFields(
    MOVED.map(([, field]) => field),
  );
  for (const [name, field, address] of MOVED) {
    const value = vmcb.get(field);
    cpu.msrs.set(name, address ? BigInt.asUintN(64, BigInt.asIntN(48, value)) : value);
  }
  return null;
}

/** VMSAVE: stores the same state to the VMCB. */
export function vmsave(
  cpu: SvmCpu,
  bus: CpuBus,
  context: PagingContext,
  rax: bigint,
): Fault | null {
  const fault = refused(cpu, context, rax);
  if (fault !== null) return fault;
  const page = new SystemPage(bus, cpu.id, context, rax);
  const view = new VmcbView(new Uint8Array(VMCB_SIZE));
  for (const [name, field] of MOVED) view.set(field, cpu.msrs.get(name));
  page.write(
    view,
    MOVED.map(([, field]) => field),
  );
  return null;
}
