/** A CPU's registers: their values, the effects of writes, and the paging that they select. */
import { KEY_HOST, va, type Pa, type Va } from '../address.js';
import type { Cache } from '../cache/cache.js';
import { CODE_SEGMENT, codeAddress, INIT_STATE, modeOf, type CpuMode } from './cpu-modes.js';
import { cpuid, followsAmd, type CpuidResult, type CpuModel } from './cpuid.js';
import { generalProtection } from './fault.js';
import { PAT_SLOTS, patTypes } from './memory-types.js';
import { cr3Reserved, entryFormat, rootOf, type PagingContext } from './mmu.js';
import { APIC_BASE, MSR, MsrFile, msrName, SYSCFG, type MsrContext, type MsrName } from './msr.js';
import type { MtrrMap } from './mtrr.js';
import {
  allBits,
  CR0,
  CR4,
  EFER,
  GENERAL_REGISTERS,
  has,
  RFLAGS,
  type GeneralRegister,
} from './registers.js';
import { Tlb, type TlbEntry } from './tlb.js';
import type { Probes } from '../probes.js';
import type { Fault, Origin, TableReader } from '../types.js';

/** What executes on the CPUs: it acts where hardware would fetch the next instruction. */
export interface CpuDriver {
  /** CR0, CR3, CR4, EFER or SYSCFG was written: the next fetch may use another mapping. */
  controlWritten(): void;
}

/** The part of a machine that a CPU uses. */
export interface CpuBus {
  readonly cache: Cache;
  readonly mtrrs: MtrrMap;
  readonly probes: Probes;
  /** Reads page tables for reports: changes nothing. */
  readonly quietTables: TableReader;
  /** What executes on the CPUs; null: the caller alone. */
  readonly driver: CpuDriver | null;
  /** The origin of the CPUs' accesses from now on: the code that runs; set by the caller (the kernel model). */
  origin: Origin;
  /** Whether memory or a device answers at an address. */
  answers(address: Pa): boolean;
  /** The last write to the line of an address; undefined if there was none. */
  lastWrite(address: Pa): { readonly origin: Origin } | undefined;
}

/** The state of a CPU. */
export interface CpuSnapshot {
  readonly registers: Readonly<Record<string, number>>;
  readonly cr2: bigint;
  readonly cr3: bigint;
  readonly msrs: readonly (readonly [string, bigint])[];
  readonly tlb: readonly TlbEntry[];
}

/** Names of the numeric registers, in their order in a snapshot. */
const NUMERIC = [
  ...['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'],
  ...['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'],
  ...['rip', 'rflags', 'cr0', 'cr4', 'cs', 'ss', 'cpl', 'rsp0'],
  ...['csBase', 'csLong', 'activity', 'generalSet'],
] as const;

/** The activity of a CPU (APM 14.1.3, 8.2.9): it executes, waits for a STARTUP IPI, or has shut down. */
export const ACTIVITY = { running: 0, waitForSipi: 1, shutdown: 2 } as const;
export type Activity = (typeof ACTIVITY)[keyof typeof ACTIVITY];

/** The state that determines the paging context: CR0, CR3, CR4, SYSCFG[23], EFER, PAT and MTRRdefType. */
type PagingState = readonly [
  cr0: number,
  cr3: bigint,
  cr4: number,
  encryption: boolean,
  efer: bigint,
  pat: bigint,
  defType: bigint,
];

function sameState(a: PagingState, b: PagingState): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Number of cached contexts: a TLB flush by toggling CR4 switches to another context and back. */
const CACHED_CONTEXTS = 4;

export class CpuCore {
  /** The general registers whose value is known: bit n is register n of {@link GENERAL_REGISTERS}. */
  private generalSet = 0;
  readonly rax: Va = va(0);
  readonly rcx: Va = va(0);
  readonly rdx: Va = va(0);
  readonly rbx: Va = va(0);
  rsp = va(0);
  readonly rbp: Va = va(0);
  readonly rsi: Va = va(0);
  readonly rdi: Va = va(0);
  readonly r8: Va = va(0);
  readonly r9: Va = va(0);
  readonly r10: Va = va(0);
  readonly r11: Va = va(0);
  readonly r12: Va = va(0);
  readonly r13: Va = va(0);
  readonly r14: Va = va(0);
  readonly r15: Va = va(0);
  rip = va(0xfff0);
  rflags: number = RFLAGS.ONE;
  cs = 0xf000;
  ss = 0;
  /** The hidden part of CS, from its descriptor: the base, and CS.L as 0 or 1 (APM 4.5.3). */
  csBase: number = CODE_SEGMENT.RESET_BASE;
  csLong = 0;
  cpl = 0;
  rsp0 = va(0);
  cr2 = 0n;
  idtr = { base: va(0), limit: 0 };
  gdtr = { base: va(0), limit: 0 };
  /** The task register with the TSS of its descriptor; limit 0: none was loaded (LTR). */
  tr = { selector: 0, base: va(0), limit: 0 };
  readonly tlb = new Tlb();
  readonly msrs: MsrFile;
  // After a reset: caches disabled in CR0 on real parts; our choice: ET only (APM 14.1.3).
  private cr0Value: number = CR0.ET;
  private cr3Value = 0n;
  private cr4Value = 0;
  private paging: PagingContext | null = null;
  /** Cached contexts, the newest first. */
  private readonly contexts: { readonly from: PagingState; readonly context: PagingContext }[] = [];
  /** Our choice: firmware has left the application processors waiting for a STARTUP IPI. */
  activity: Activity;

  constructor(
    readonly id: number,
    readonly model: CpuModel,
    protected readonly bus: CpuBus,
  ) {
    const paging = (): boolean => has(this.cr0Value, CR0.PG);
    const context: MsrContext = {
      model,
      cpu: id,
      get paging() {
        return paging();
      },
    };
    this.msrs = new MsrFile(context);
    this.activity = id === 0 ? ACTIVITY.running : ACTIVITY.waitForSipi;
  }

  // --- Registers -------------------------------------------------------------------------------------------------

  /**
   * Writes a general register. The kernel model executes no instructions, so it sets few of them.
   *
   * @param known false: the modelled code would have another, unknown value in the register.
   */
  setGeneral(name: GeneralRegister, value: Va, known = true): void {
    const bit = 1 << GENERAL_REGISTERS.indexOf(name);
    Reflect.set(this, name, value);
    this.generalSet = known ? this.generalSet | bit : this.generalSet & ~bit;
  }
  /** Whether the value of a general register is known. Always true of RSP: the stack is in memory. */
  knows(name: GeneralRegister): boolean {
    return name === 'rsp' || (this.generalSet & (1 << GENERAL_REGISTERS.indexOf(name))) !== 0;
  }

  get cr0(): number {
    return this.cr0Value;
  }
  get cr3(): bigint {
    return this.cr3Value;
  }
  get cr4(): number {
    return this.cr4Value;
  }
  /** EFER.LMA: long mode is active. */
  get longMode(): boolean {
    return (Number(this.msrs.get('EFER')) & EFER.LMA) !== 0;
  }
  /** The operating mode (APM 1.3, table 1-1). */
  get mode(): CpuMode {
    return modeOf(has(this.cr0Value, CR0.PE), this.longMode, this.csLong !== 0);
  }
  /** The linear address of the next instruction: RIP in the mode in force. */
  get codeAddress(): Va {
    return codeAddress(this.mode, this.csBase, this.rip);
  }
  /** Whether SYSCFG[23] is set: C-bits are in force. */
  get encryption(): boolean {
    return (
      this.model.sme !== undefined && (this.msrs.get('SYSCFG') & SYSCFG.MemEncryptionModEn) !== 0n
    );
  }

  writeCr0(value: number): Fault | null {
    const cr0 = value >>> 0;
    // APM 3.1.1: PG without PE, and NW without CD, are a #GP.
    if (has(cr0, CR0.PG) && !has(cr0, CR0.PE)) return generalProtection('CR0.PG without PE');
    if (has(cr0, CR0.NW) && !has(cr0, CR0.CD)) return generalProtection('CR0.NW without CD');
    const changed = (cr0 ^ this.cr0Value) >>> 0;
    const why = has(changed, CR0.PG) ? this.pagingRefused(has(cr0, CR0.PG)) : undefined;
    if (why !== undefined) return generalProtection(why);
    // APM 3.1.1: ET reads as one.
    this.cr0Value = (cr0 | CR0.ET) >>> 0;
    if (has(changed, CR0.PG)) {
      const efer = this.msrs.get('EFER');
      const lma = BigInt(EFER.LMA);
      const active = has(cr0, CR0.PG) && (efer & BigInt(EFER.LME)) !== 0n;
      this.msrs.set('EFER', active ? efer | lma : efer & ~lma);
      this.flushTlb('tlb-global');
    }
    this.controlWritten('CR0');
    return null;
  }

  writeCr3(value: bigint): Fault | null {
    // APM vol. 3, MOV CRn: outside 64-bit mode the operand has 32 bits, so that CR3 cannot get a C-bit above them.
    const operand = BigInt.asUintN(this.mode === '64-bit' ? 64 : 32, value);
    if (cr3Reserved(this.context().format, operand)) {
      return generalProtection('reserved bit of CR3');
    }
    this.cr3Value = operand;
    // APM 5.5.2: a write to CR3 flushes the entries that are not global.
    this.flushTlb('tlb');
    this.controlWritten('CR3');
    return null;
  }

  writeCr4(value: number): Fault | null {
    if ((value & ~allBits(CR4)) >>> 0 !== 0) return generalProtection('reserved bit of CR4');
    // APM 3.1.3: PAE may not be cleared in long mode.
    if (this.longMode && !has(value, CR4.PAE)) return generalProtection('CR4.PAE cleared');
    const changed = value ^ this.cr4Value;
    this.cr4Value = value;
    // APM 5.5.2: changing PSE, PAE or PGE flushes all entries.
    if (has(changed, CR4.PSE | CR4.PAE | CR4.PGE)) this.flushTlb('tlb-global');
    this.controlWritten('CR4');
    return null;
  }

  rdmsr(number: number): bigint | Fault {
    this.recordPatUse(number);
    return this.msrs.read(number) ?? generalProtection(`RDMSR ${number.toString(16)}`);
  }

  wrmsr(number: number, value: bigint): Fault | null {
    this.recordPatUse(number);
    if (!this.msrs.write(number, value)) return generalProtection(`WRMSR ${number.toString(16)}`);
    this.paging = null;
    const { msrWritten } = this.bus.probes;
    if (msrWritten.active) msrWritten.notify(this.id, number, value);
    // Entries in the TLB keep their memory type and key until software flushes them, as on real parts.
    if (number === MSR.EFER || number === MSR.SYSCFG) this.controlWritten(msrName(number) ?? '');
    return null;
  }

  /** RDMSR and WRMSR of the PAT use all of its slots. */
  private recordPatUse(msr: number): void {
    if (msr !== MSR.PAT) return;
    const { patSlotUsed } = this.bus.probes;
    if (!patSlotUsed.active) return;
    for (let slot = 0; slot < PAT_SLOTS; slot++) patSlotUsed.notify(slot);
  }

  /** CPUID; no modelled leaf has subleaves. */
  cpuid(leaf: number, _sub = 0): CpuidResult {
    return cpuid(this.model, this.id, leaf);
  }

  lidt(base: Va, limit: number): void {
    this.idtr = { base, limit };
  }
  lgdt(base: Va, limit: number): void {
    this.gdtr = { base, limit };
  }

  /** Puts the CPU in long mode with a root table, as a loader leaves it: no IDT, CPL 0. */
  enterLongMode(cr3: bigint): void {
    this.cr4Value = CR4.PAE;
    this.cr3Value = cr3;
    this.cr0Value = CR0.PE + CR0.MP + CR0.ET + CR0.NE + CR0.WP + CR0.PG;
    this.msrs.set('EFER', BigInt(EFER.LME + EFER.LMA));
    this.cs = 0x10;
    this.ss = 0x18;
    this.csBase = 0;
    this.csLong = 1;
    this.cpl = 0;
    this.paging = null;
    this.tlb.flushAll();
  }

  /** Puts the CPU in 32-bit protected mode with flat segments and without paging, as a loader leaves it: no IDT, CPL 0. */
  enterProtectedMode(): void {
    this.cr4Value = 0;
    this.cr3Value = 0n;
    this.cr0Value = CR0.PE + CR0.ET;
    this.msrs.set('EFER', 0n);
    this.cs = 0x10;
    this.ss = 0x18;
    this.csBase = 0;
    this.csLong = 0;
    this.cpl = 0;
    this.paging = null;
    this.tlb.flushAll();
  }

  /** Loads CR0, CR3, CR4 and EFER at once, without the checks of a MOV, as a #VMEXIT does (APM 15.6). */
  loadControl(cr0: number, cr3: bigint, cr4: number, efer: bigint): void {
    this.cr0Value = cr0;
    this.cr3Value = cr3;
    this.cr4Value = cr4;
    this.msrs.set('EFER', efer);
    this.paging = null;
  }

  /**
   * INIT (APM 14.1.3, table 14-1): registers as after a reset, but CR0.CD and NW, all MSRs except EFER and the caches
   * do not change. The processor then waits for a STARTUP IPI; the boot processor starts at the reset vector.
   */
  init(): void {
    for (const name of NUMERIC) if (name in INIT_STATE) Reflect.set(this, name, INIT_STATE[name]);
    this.generalSet = 0;
    this.setGeneral('rdx', va(cpuid(this.model, this.id, 1).eax));
    this.cr0Value = (CR0.ET | (this.cr0Value & (CR0.CD | CR0.NW))) >>> 0;
    this.cr2 = 0n;
    this.cr3Value = 0n;
    this.cr4Value = 0;
    this.idtr = { ...CODE_SEGMENT.TABLE_REGISTER };
    this.gdtr = { ...CODE_SEGMENT.TABLE_REGISTER };
    this.tr = { selector: 0, base: va(0), limit: 0 };
    this.msrs.set('EFER', 0n);
    this.flushTlb('tlb-global');
    const boot = (this.msrs.get('APIC_BASE') & APIC_BASE.BSC) !== 0n;
    this.activity = boot ? ACTIVITY.running : ACTIVITY.waitForSipi;
  }

  /** STARTUP IPI (APM 16.5): execution at vector·4096 in real mode. Ignored unless the processor waits for it. */
  startup(vector: number): void {
    if (this.activity !== ACTIVITY.waitForSipi) return;
    this.cs = vector * CODE_SEGMENT.SIPI_SELECTOR;
    this.csBase = this.cs * CODE_SEGMENT.PARAGRAPH;
    this.rip = va(0);
    this.activity = ACTIVITY.running;
  }

  /** Shutdown, after a fault while a #DF is delivered: only INIT or a reset ends it (APM 8.2.9). */
  shutdown(): void {
    this.activity = ACTIVITY.shutdown;
  }

  // --- Snapshots -------------------------------------------------------------------------------------------------

  snapshot(): CpuSnapshot {
    const registers: Record<string, number> = {
      idtBase: this.idtr.base,
      idtLimit: this.idtr.limit,
      gdtBase: this.gdtr.base,
      gdtLimit: this.gdtr.limit,
      trSelector: this.tr.selector,
      trBase: this.tr.base,
      trLimit: this.tr.limit,
    };
    for (const name of NUMERIC) registers[name] = Number(Reflect.get(this, name));
    return {
      registers,
      cr2: this.cr2,
      cr3: this.cr3Value,
      msrs: this.msrs.entries(),
      tlb: this.tlb.entries(),
    };
  }

  restore(snapshot: CpuSnapshot): void {
    const { registers } = snapshot;
    for (const name of NUMERIC) {
      if (name !== 'cr0' && name !== 'cr4') Reflect.set(this, name, registers[name] ?? 0);
    }
    this.cr0Value = registers.cr0 ?? 0;
    this.cr4Value = registers.cr4 ?? 0;
    this.cr2 = snapshot.cr2;
    this.cr3Value = snapshot.cr3;
    this.idtr = { base: va(registers.idtBase ?? 0), limit: registers.idtLimit ?? 0 };
    this.gdtr = { base: va(registers.gdtBase ?? 0), limit: registers.gdtLimit ?? 0 };
    this.tr = {
      selector: registers.trSelector ?? 0,
      base: va(registers.trBase ?? 0),
      limit: registers.trLimit ?? 0,
    };
    for (const [name, value] of snapshot.msrs) this.msrs.set(name as MsrName, value);
    this.tlb.restore(snapshot.tlb);
    this.paging = null;
  }

  // --- Internal ----------------------------------------------------------------------------------------------

  protected context(): PagingContext {
    if (this.paging !== null) return this.paging;
    const { cr0Value: cr0, cr3Value: cr3, cr4Value: cr4, encryption } = this;
    const [efer, pat, defType] = [
      this.msrs.get('EFER'),
      this.msrs.get('PAT'),
      this.msrs.get('MTRRdefType'),
    ];
    const from = [cr0, cr3, cr4, encryption, efer, pat, defType] as const;
    let made = this.contexts.find((each) => sameState(each.from, from));
    if (made === undefined) {
      made = { from, context: this.contextOf(...from) };
      this.contexts.unshift(made);
      this.contexts.length = Math.min(this.contexts.length, CACHED_CONTEXTS);
    }
    this.paging = made.context;
    return this.paging;
  }

  private contextOf(...[cr0, cr3, cr4, encrypts, efer, pat, defType]: PagingState): PagingContext {
    const { sme } = this.model;
    const encryption =
      encrypts && sme !== undefined
        ? { cBit: sme.cBit, reduction: sme.reduction, key: KEY_HOST }
        : null;
    const format = entryFormat(this.model.physAddrBits, encryption);
    return {
      ...rootOf(format, cr3),
      format,
      wp: has(cr0, CR0.WP),
      nxe: (Number(efer) & EFER.NXE) !== 0,
      pge: has(cr4, CR4.PGE),
      gbPages: this.model.gbPages,
      bit8Mbz: followsAmd(this.model),
      pat: patTypes(pat) ?? [],
      patSlotUsed: this.bus.probes.patSlotUsed,
      mtrr: (address, size) => this.bus.mtrrs.typeOf(defType, address, size),
    };
  }

  /** Why CR0.PG may not be set to `on` now, or undefined. */
  private pagingRefused(on: boolean): string | undefined {
    // APM 14.8: paging may be disabled in compatibility mode only.
    if (!on) return this.mode === '64-bit' ? 'CR0.PG cleared in 64-bit mode' : undefined;
    if ((Number(this.msrs.get('EFER')) & EFER.LME) === 0) return undefined;
    // APM 14.6.1: long mode needs PAE, and a code segment whose L bit is clear.
    if (!has(this.cr4Value, CR4.PAE)) return 'CR0.PG with EFER.LME without CR4.PAE';
    return this.csLong !== 0 ? 'CR0.PG with EFER.LME and CS.L' : undefined;
  }

  private controlWritten(what: string): void {
    this.paging = null;
    const { controlWritten } = this.bus.probes;
    if (controlWritten.active) controlWritten.notify(this.id, what);
    this.bus.driver?.controlWritten();
  }

  private flushTlb(what: 'tlb' | 'tlb-global'): void {
    if (what === 'tlb') this.tlb.flushNonGlobal();
    else this.tlb.flushAll();
    this.paging = null;
    this.reportFlush(what, undefined);
  }

  protected reportFlush(
    what: 'tlb' | 'tlb-global' | 'invlpg' | 'wbinvd',
    at: number | undefined,
  ): void {
    const { probes, origin } = this.bus;
    if (probes.flushed.active) probes.flushed.notify(this.id, what, at, origin);
  }
}
