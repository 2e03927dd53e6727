/**
 * A CPU in guest mode: the registers that VMRUN loads from the VMCB, the guest's memory accesses, and its exceptions
 * (APM 15.5–15.14). The general registers other than rAX and rSP are the CPU's own (APM 15.5.1).
 */
import { KEY_PLAIN, PAGE_SIZE, translated, va, type Va } from '../address.js';
import type { CpuBus } from '../cpu/cpu-core.js';
import { generalProtection, isFault } from '../cpu/fault.js';
import { effectiveType, patTypes, type MtrrType } from '../cpu/memory-types.js';
import { entryFormat, rootOf, walk, type PagingContext, type WalkAccess } from '../cpu/mmu.js';
import { GuestTables, isVmexit, type NestedPaging, type Vmexit } from './nested-paging.js';
import {
  CR0,
  CR4,
  EFER,
  GENERAL_REGISTERS,
  has,
  RSP,
  type GeneralRegister,
} from '../cpu/registers.js';
import type { AccessKind } from '../probes.js';
import { MSR } from '../cpu/msr.js';
import { PermissionMaps } from './permission-maps.js';
import { MEMTYPE, VECTOR, type Fault, type MemType, type TableReader } from '../types.js';
import { UnmodelledError } from '../unmodelled.js';
import {
  EVENT,
  INTERCEPT,
  segmentField,
  SEGMENT_ATTRIBUTES,
  VMCB_CONTROL,
  VMCB_SAVE,
  VMEXIT,
  type VmcbSegment,
  type VmcbView,
} from './vmcb.js';

/** What stops an instruction of a guest: a #VMEXIT or an exception. */
export type GuestStop = Vmexit | Fault;

/** The part of the CPU that its guest uses. */
export interface GuestCpu extends Readonly<Record<GeneralRegister, Va>> {
  readonly id: number;
  readonly model: { readonly physAddrBits: number; readonly gbPages: boolean };
  /** Reads memory for walks of nested tables and of the guest's. */
  readonly tables: TableReader;
  setGeneral(name: GeneralRegister, value: Va): void;
  rdmsr(number: number): bigint | Fault;
  wrmsr(number: number, value: bigint): Fault | null;
}

/** The fields of a segment register (APM 4.5) that the guest's instructions use. */
interface Segment {
  readonly attributes: number;
  readonly limit: number;
  readonly base: number;
}

/** The segments that the guest's instructions address memory through. */
const LOADED = ['ES', 'CS', 'SS', 'DS'] as const satisfies readonly VmcbSegment[];
type LoadedSegment = (typeof LOADED)[number];

/** Fields that VMRUN loads and #VMEXIT stores (APM 15.5.1, 15.6). */
const REGISTERS = ['EFER', 'CR0', 'CR2', 'CR3', 'CR4', 'RFLAGS', 'RIP', 'RSP', 'RAX'] as const;
type RegisterName = (typeof REGISTERS)[number];

/** Bytes of an entry in the IVT of real mode, and in the IDT of legacy and long mode (APM 4.8.4, 8.6). */
const GATE_BYTES = { real: 4, legacy: 8, long: 16 } as const;
const RAX = 0;

export class Guest {
  private readonly registers = new Map<RegisterName, bigint>();
  private readonly segments = new Map<LoadedSegment, Segment>();
  private readonly idtLimit: number;
  readonly cpl: number;
  /** The maps that intercept its accesses to MSRs and ports. */
  readonly maps: PermissionMaps;
  private readonly intercepts: bigint;
  private readonly exceptions: number;
  private readonly paging: PagingContext;

  constructor(
    private readonly cpu: GuestCpu,
    private readonly bus: CpuBus,
    private readonly nested: NestedPaging,
    private readonly vmcb: VmcbView,
    host: PagingContext,
  ) {
    this.maps = new PermissionMaps(cpu, bus, host, vmcb);
    for (const name of REGISTERS) this.registers.set(name, vmcb.get(VMCB_SAVE[name]));
    for (const name of LOADED) {
      this.segments.set(name, {
        attributes: Number(vmcb.get(segmentField(name, 'attributes'))),
        limit: Number(vmcb.get(segmentField(name, 'limit'))),
        base: Number(BigInt.asIntN(48, vmcb.get(segmentField(name, 'base')))),
      });
    }
    this.idtLimit = Number(vmcb.get(segmentField('IDTR', 'limit')));
    this.cpl = Number(vmcb.get(VMCB_SAVE.CPL));
    this.intercepts = vmcb.get(VMCB_CONTROL.INTERCEPT_MISC);
    this.exceptions = Number(vmcb.get(VMCB_CONTROL.INTERCEPT_EXCEPTION));
    this.paging = this.pagingContext();
  }

  // --- Registers -------------------------------------------------------------------------------------------------

  get(name: RegisterName): bigint {
    return this.registers.get(name) ?? 0n;
  }
  set(name: RegisterName, value: bigint): void {
    this.registers.set(name, BigInt.asUintN(64, value));
  }

  /** EFER.LMA and a 64-bit code segment. */
  get long(): boolean {
    return this.longMode && has(this.segment('CS').attributes, SEGMENT_ATTRIBUTES.L);
  }

  /** Address size in bytes; the operand size is half of it in 64-bit mode (APM vol. 3, 1.2.2 and 1.2.3). */
  get addressBytes(): 2 | 4 | 8 {
    if (this.long) return 8;
    return has(this.segment('CS').attributes, SEGMENT_ATTRIBUTES.DB) ? 4 : 2;
  }
  get operandBytes(): 2 | 4 {
    return this.addressBytes === 2 ? 2 : 4;
  }

  /** A general register's low bytes as an unsigned number. */
  general(index: number, bytes: 2 | 4 | 8): bigint {
    const whole =
      index === RAX
        ? this.get('RAX')
        : index === RSP
          ? this.get('RSP')
          : BigInt(this.cpu[GENERAL_REGISTERS[index] ?? 'rax']);
    return BigInt.asUintN(bytes * 8, whole);
  }

  /** Writes a general register: 16 bits preserve the upper bits, 32 bits clear them (APM vol. 1, 3.1.2). */
  setGeneral(index: number, bytes: 2 | 4 | 8, value: bigint): void {
    const upper = bytes === 2 ? (this.general(index, 8) >> 16n) << 16n : 0n;
    const whole = upper | BigInt.asUintN(bytes * 8, value);
    if (index === RAX) this.set('RAX', whole);
    else if (index === RSP) this.set('RSP', whole);
    // Our choice: registers of the CPU hold 48 bits, sign-extended, as everywhere in the machine.
    else {
      const name = GENERAL_REGISTERS[index] ?? 'rax';
      this.cpu.setGeneral(name, va(Number(BigInt.asUintN(48, whole))));
    }
  }

  intercepted(which: bigint): boolean {
    return (this.intercepts & which) !== 0n;
  }

  /** An MSR as the guest reads it without an intercept: EFER and the PAT are its own (APM 15.5.1, 15.25.4). */
  readMsr(number: number): bigint | Fault {
    if (number === MSR.EFER) return this.get('EFER');
    if (number === MSR.PAT) return this.vmcb.get(VMCB_SAVE.G_PAT);
    return this.cpu.rdmsr(number);
  }

  /** Writes an MSR of the CPU, which the guest's own are in as well (VMLOAD), except EFER and the PAT. */
  writeMsr(number: number, value: bigint): Fault | null {
    return this.cpu.wrmsr(number, value);
  }

  /** Stores the state of the guest, as a #VMEXIT does (APM 15.6). */
  save(): void {
    for (const name of REGISTERS) this.vmcb.set(VMCB_SAVE[name], this.get(name));
  }

  // --- Memory ----------------------------------------------------------------------------------------------------

  /** The linear address for an offset in a segment; a #GP beyond its limit (APM 4.12). In 64-bit mode bases are 0. */
  linear(name: LoadedSegment, offset: bigint): number | Fault {
    if (this.long) return Number(BigInt.asIntN(48, offset));
    const { base, limit } = this.segment(name);
    if (offset > BigInt(limit)) return generalProtection(`limit of ${name}`, offset);
    return base + Number(offset);
  }

  /** Bytes from a linear address to the end of its page. */
  static toPageEnd(linear: number): number {
    return PAGE_SIZE - (((linear % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE);
  }

  /** Does one access within a page. Returns what stopped it, or null. */
  access(what: AccessKind, linear: number, data: Uint8Array): GuestStop | null {
    const walkAccess: WalkAccess = {
      write: what === 'write',
      user: this.cpl === 3,
      fetch: what === 'fetch',
    };
    const guest = this.guestPhysical(linear, walkAccess);
    if (isFault(guest) || isVmexit(guest)) return guest;
    const at = this.nested.translate(guest.gpa, walkAccess, 'final');
    if (isVmexit(at)) return at;
    const address = translated(at, va(guest.gpa));
    // APM 15.25.8: guest and nested types combine; our choice: as PAT and MTRR types do.
    const type = effectiveType(guest.type, at.type as MtrrType);
    const { cache, origin, probes } = this.bus;
    const { id } = this.cpu;
    if (probes.accessed.active) {
      probes.accessed.notify(what, id, va(linear), address, at.key, type, data.length, origin);
    }
    const transfer = what === 'write' ? cache.write.bind(cache) : cache.read.bind(cache);
    transfer(id, address, at.key, type, data, 0, data.length, origin);
    if (probes.guestAccessed.active) probes.guestAccessed.notify(what, id, guest.gpa, data);
    return null;
  }

  private guestPhysical(
    linear: number,
    access: WalkAccess,
  ): { gpa: number; type: MemType } | GuestStop {
    // Without paging a linear address is the guest-physical one (APM 15.25.4).
    if (!this.on('CR0', CR0.PG)) return { gpa: linear, type: MEMTYPE.WB };
    if (!this.longMode) throw new UnmodelledError('legacy paging of a guest');
    const reader = new GuestTables(this.cpu.tables, this.nested);
    const entry = walk(reader, this.paging, va(linear), access);
    if (reader.exit !== null) return reader.exit;
    if (isFault(entry)) return entry;
    return { gpa: translated(entry, va(linear)), type: entry.type };
  }

  // --- Exceptions ------------------------------------------------------------------------------------------------

  /** The #VMEXIT after an exception of the guest: by its intercept (APM 15.12), or by delivery in the guest. */
  raise(fault: Fault): Vmexit {
    const address =
      typeof fault.address === 'number' ? BigInt.asUintN(64, BigInt(fault.address)) : 0n;
    if (((this.exceptions >>> fault.vector) & 1) !== 0) {
      // APM 15.12.15: EXITINFO1 and 2 of a #PF are its error code and address.
      return {
        code: VMEXIT.EXCP0 + BigInt(fault.vector),
        info1: BigInt(fault.error),
        info2: fault.vector === VECTOR.PF ? address : 0n,
      };
    }
    if (fault.vector === VECTOR.PF) this.set('CR2', address);
    return this.deliver(fault.vector);
  }

  /**
   * Delivers an exception in the guest. A vector beyond the IDT's limit is a #GP, then a #DF, then a shutdown (APM
   * 8.2.9, 15.14.3).
   */
  deliver(vector: number): Vmexit {
    const mode = this.longMode ? 'long' : this.on('CR0', CR0.PE) ? 'legacy' : 'real';
    if ((vector + 1) * GATE_BYTES[mode] - 1 <= this.idtLimit) {
      throw new UnmodelledError('an exception handler of a guest');
    }
    if (!this.intercepted(INTERCEPT.SHUTDOWN)) {
      throw new UnmodelledError('the shutdown of a guest without an intercept');
    }
    return { code: VMEXIT.SHUTDOWN, info1: 0n, info2: 0n };
  }

  /** The vector of the event to inject, from the VMCB (APM 15.20); undefined if there is none. */
  get injected(): number | undefined {
    const event = this.vmcb.get(VMCB_CONTROL.EVENTINJ);
    return (event & EVENT.V) === 0n ? undefined : Number(event & EVENT.VECTOR);
  }

  // --- Internal --------------------------------------------------------------------------------------------------

  private get longMode(): boolean {
    return (this.get('EFER') & BigInt(EFER.LMA)) !== 0n;
  }

  private on(register: 'CR0' | 'CR4', bit: number): boolean {
    return (this.get(register) & BigInt(bit)) !== 0n;
  }

  private segment(name: LoadedSegment): Segment {
    return this.segments.get(name) ?? { attributes: 0, limit: 0, base: 0 };
  }

  private pagingContext(): PagingContext {
    const { physAddrBits, gbPages } = this.cpu.model;
    // A guest without SEV has no C-bit: it is an ordinary address bit (our choice: its address size is not reduced).
    const format = entryFormat(physAddrBits, null);
    return {
      ...rootOf(format, this.get('CR3')),
      rootKey: KEY_PLAIN,
      format,
      wp: this.on('CR0', CR0.WP),
      nxe: (this.get('EFER') & BigInt(EFER.NXE)) !== 0n,
      pge: this.on('CR4', CR4.PGE),
      gbPages,
      bit8Mbz: true,
      pat: patTypes(this.vmcb.get(VMCB_SAVE.G_PAT)) ?? [],
      // A guest has no MTRRs of its own; the machine's apply at the nested level (APM 15.25.8).
      mtrr: () => MEMTYPE.WB,
    };
  }
}
