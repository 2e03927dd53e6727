/**
 * The architectural state of one CPU as instructions see it: the general registers as Int32 halves, flags, segment bases,
 * the media registers. Control registers, MSRs, TLB and memory are the machine's.
 */
import { Arena } from '../base/arena.js';
import { va, vaAdd, vaOfU64, type Va } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import { FRAME, hasErrorCode, type Delivery } from '../machine/cpu/idt.js';
import type { CodeWidth } from './decode/instruction.js';
import { GENERAL_REGISTERS } from '../machine/cpu/registers.js';
import type { Platform } from '../machine/platform.js';
import type { Fault } from '../machine/types.js';
import { FaultSignal, NotModelledSignal } from './faults.js';
import { Flags, RECORD_WORDS } from './flags.js';
import { LinearMemory, linearOf, MEMORY_BYTES, type CodeWatch } from './linear-memory.js';

const TWO_32 = 2 ** 32;
/** Halves of the 16 general registers, and of one that is always zero (a missing base or index). */
const HALVES = 2 * 17;
/** The number of the register that is always zero. */
export const ZERO = 16;
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R11 = 11;

/** I/O ports, as the machine's bus has them. */
export interface Ports {
  portIn(port: number, size: number): number;
  portOut(port: number, value: number, size: number): void;
}

/** 16 media registers of 128 bits. */
const XMM_WORDS = 16 * 4;
/** 8 x87 registers of 80 bits, in 128. */
const X87_WORDS = 8 * 4;
/** MXCSR after a reset (APM vol. 1, 4.2.2), and the x87 control word after FNINIT (6.2.3). */
const MXCSR_RESET = 0x1f80;
const FCW_RESET = 0x37f;
const DEBUG_REGISTERS = 8;
/** The limit of segments after INIT (APM vol. 2, table 14-1). */
const REAL_LIMIT = 0xffff;
/** DR6 and DR7 after a reset (APM vol. 2, table 14-1). */
const DR6_RESET = 0xffff_0ff0 | 0;
const DR7_RESET = 0x400;

const SEGMENTS = 6;

/** Bytes of an arena that a core needs. */
export const CORE_BYTES =
  MEMORY_BYTES + Arena.sizeOf(4 * HALVES, 4 * RECORD_WORDS, 4 * SEGMENTS, 4 * SEGMENTS);

export class Core {
  /** Low half of register n at 2n, high half at 2n + 1. */
  readonly r: Int32Array;
  readonly words: Uint16Array;
  readonly bytes: Uint8Array;
  readonly flags: Flags;
  readonly memory: LinearMemory;
  rip: Va = va(0);
  /** The high half of the last 64-bit value that an operand or address gave. */
  high = 0;
  /** Set where the rest of a block must not run: its code may have changed, or the run ends. */
  stop = false;
  halted = false;
  /** Instructions retired before the block that runs. */
  retired = 0;
  /** Instructions of the block that have retired, while one of them accesses a port; else 0. */
  private within = 0;
  /** Virtual time that HLT has skipped, in instructions. */
  skipped = 0;
  /** The count of retired instructions at which the executor looks for events and interrupts again. */
  bound = 0;
  /** Bases of FS and GS as halves; the MSRs hold the same. Outside 64-bit mode also those of DS, ES and SS. */
  readonly segmentLow: Int32Array;
  readonly segmentHigh: Int32Array;
  /** Outside 64-bit mode: limits of the segments; −1: a null selector. */
  readonly segmentLimit = new Float64Array(SEGMENTS).fill(REAL_LIMIT);
  /** The width of code, and what CS.D says of it outside 64-bit mode (APM vol. 2, 4.7.2). */
  width: CodeWidth = 64;
  codeDefault: 16 | 32 = 16;
  /** Bytes of the stack pointer outside 64-bit mode, by SS.B (APM vol. 2, 4.7.3). */
  stackSize: 2 | 4 = 2;
  /** DS, ES, FS and GS; CS and SS are the machine's. */
  readonly selectors = new Uint16Array(SEGMENTS);
  ldtr = 0;
  cr8 = 0;
  readonly dr = new Int32Array(2 * DEBUG_REGISTERS);
  readonly xmm = new Int32Array(XMM_WORDS);
  mxcsr = MXCSR_RESET;
  fcw = FCW_RESET;
  fsw = 0;
  /** The x87 registers by their physical number, 80 bits in 4 words each. */
  readonly x87 = new Int32Array(X87_WORDS);
  /** Bit n: x87 register n is in use (APM vol. 2, 11.4.4, abridged tag word). */
  x87InUse = 0;
  /** The instruction before was STI or a load of SS: no interrupt is taken before the next one has run (APM vol. 3, STI). */
  shadow = false;
  /** An NMI is being handled: the next one waits for IRET (APM vol. 2, 8.2.3). */
  nmiBlocked = false;
  /** There are other processors: PAUSE ends the turn of this one. */
  shared = false;
  yields = false;
  /** The instruction that is executed is the only one of its block. */
  alone = false;
  /** What WRMSR of the TSC has added to it. */
  tscOffset = 0n;
  /** The end of the run by a fault during the delivery of a #DF. */
  tripleFault: Delivery | null = null;

  constructor(
    readonly cpu: Cpu,
    private readonly ports: Ports,
    private readonly code: CodeWatch,
    direct = true,
    private readonly platform: Platform | null = null,
    arena = Arena.of(CORE_BYTES),
  ) {
    this.r = arena.int32(HALVES);
    this.words = new Uint16Array(arena.buffer, this.r.byteOffset, 2 * HALVES);
    this.bytes = new Uint8Array(arena.buffer, this.r.byteOffset, 4 * HALVES);
    this.flags = new Flags(arena.int32(RECORD_WORDS));
    this.segmentLow = arena.int32(SEGMENTS);
    this.segmentHigh = arena.int32(SEGMENTS);
    this.memory = new LinearMemory(cpu, code, direct, arena);
    this.dr[2 * 6] = DR6_RESET;
    this.dr[2 * 7] = DR7_RESET;
  }

  /** Virtual time in units of an instruction, 10 ns (our choice). */
  get now(): number {
    return this.retired + this.within + this.skipped;
  }

  /** An interrupt may have become deliverable, or a device's next event another: the block ends, and both are looked for. */
  checkInterrupts(): void {
    this.bound = 0;
    this.stop = true;
  }

  /** PAUSE: where others may have something to execute, they go on (our choice). */
  pause(): void {
    if (!this.shared) return;
    this.yields = true;
    this.checkInterrupts();
  }

  /** CR8: bits 7:4 of the local APIC's TPR, if there is one (APM vol. 2, 16.6.4). */
  get taskPriority(): number {
    return this.platform?.taskPriority(this.cpu.id) ?? this.cr8;
  }
  set taskPriority(value: number) {
    if (this.platform?.setTaskPriority(this.cpu.id, value) !== true) this.cr8 = value;
    this.checkInterrupts();
  }

  /** IN at the port, as 32 bits. @param index instructions of the block before this one. */
  portIn(port: number, size: number, index: number): number {
    this.within = index;
    try {
      return this.ports.portIn(port, size) | 0;
    } finally {
      this.within = 0;
      this.checkInterrupts();
    }
  }
  portOut(port: number, value: number, size: number, index: number): void {
    this.within = index;
    try {
      this.ports.portOut(port, value, size);
    } finally {
      this.within = 0;
      this.checkInterrupts();
    }
  }

  /** A linear address of two halves; non-canonical: #GP, for the stack #SS. */
  linear(low: number, high: number, stack = false): Va {
    return linearOf(low, high, stack);
  }

  /** Sets a register to an address, or to another number of at most 53 bits. */
  setNumber(register: number, value: number): void {
    this.r[2 * register] = value | 0;
    this.r[2 * register + 1] = Math.floor(value / TWO_32) | 0;
  }
  /** A register as an unsigned number; exact below 2^53. */
  unsigned(register: number): number {
    return ((this.r[2 * register + 1] ?? 0) >>> 0) * TWO_32 + ((this.r[2 * register] ?? 0) >>> 0);
  }
  /** A register as 64 unsigned bits. */
  get64(register: number): bigint {
    const high = BigInt(this.r[2 * register + 1] ?? 0);
    return BigInt.asUintN(64, (high << 32n) | BigInt((this.r[2 * register] ?? 0) >>> 0));
  }
  set64(register: number, value: bigint): void {
    this.r[2 * register] = Number(BigInt.asIntN(32, value));
    this.r[2 * register + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  /** RSP as a linear address. */
  stack(): Va {
    return this.linear(this.r[2 * RSP] ?? 0, this.r[2 * RSP + 1] ?? 0, true);
  }

  push64(low: number, high: number): void {
    const { r } = this;
    const old = r[2 * RSP] ?? 0;
    const at = (old - 8) | 0;
    const atHigh = ((r[2 * RSP + 1] ?? 0) - (old >>> 0 < 8 ? 1 : 0)) | 0;
    this.memory.set64(at, atHigh, low, high, true);
    r[2 * RSP] = at;
    r[2 * RSP + 1] = atHigh;
  }
  /** POP of 64 bits: the low half, `memory.high` is the high one. RSP changes at last. */
  pop64(): number {
    const { r } = this;
    const at = r[2 * RSP] ?? 0;
    const low = this.memory.get64(at, r[2 * RSP + 1] ?? 0, true);
    const next = (at + 8) | 0;
    r[2 * RSP] = next;
    if (next >>> 0 < 8) r[2 * RSP + 1] = ((r[2 * RSP + 1] ?? 0) + 1) | 0;
    return low;
  }

  /** Sets a segment's base, in the MSR as well. */
  setBase(segment: number, low: number, high: number): void {
    this.segmentLow[segment] = low;
    this.segmentHigh[segment] = high;
  }

  /** Throws the fault of an access that the machine did. */
  check(fault: ReturnType<Cpu['write']>): void {
    if (fault !== null) throw new FaultSignal(fault);
  }

  get cpl(): number {
    return this.cpu.cpl;
  }

  /** Translations, keys or memory types may have changed. */
  translationsChanged(): void {
    this.memory.forget();
    this.code.forget();
    this.stop = true;
  }

  /** The width of code follows CR0.PE, EFER.LMA and CS (APM vol. 2, 1.3). */
  modeChanged(): void {
    const width = this.cpu.mode === '64-bit' ? 64 : this.codeDefault;
    if (width === this.width) return;
    this.width = width;
    this.translationsChanged();
  }

  /** Delivers an exception; RIP is that of the instruction, for a trap of the next one. */
  deliver(fault: Fault): void {
    const { cpl, mode } = this.cpu;
    if (mode !== '64-bit' && mode !== 'real') {
      const what = `an exception or interrupt in ${mode} mode`;
      throw new NotModelledSignal(`${what}: vector ${String(fault.vector)}, ${fault.why}`);
    }
    const rsp = this.get64(RSP);
    this.toCpu();
    const delivery = this.cpu.deliver(fault);
    this.fromCpu();
    if (mode === '64-bit' && !('tripleFault' in delivery)) this.pushed(delivery.fault, rsp);
    if ('tripleFault' in delivery) {
      this.tripleFault = delivery;
      this.checkInterrupts();
    }
    this.privilegeChanged(cpl);
    this.stop = true;
  }

  /** What a page allows depends on CPL. @param before CPL before the instruction. */
  privilegeChanged(before: number): void {
    if (before !== this.cpu.cpl) this.translationsChanged();
  }

  /** Loads an area of any size. */
  loadArea(at: Va, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    this.check(this.cpu.read(at, bytes));
    return bytes;
  }
  /** Stores an area of at most a page; nothing is changed if a page of it faults. */
  storeArea(at: Va, bytes: Uint8Array): void {
    this.check(this.cpu.checkWrite(at) ?? this.cpu.checkWrite(vaAdd(at, bytes.length - 1)));
    this.check(this.cpu.write(at, bytes));
    this.memory.wroteRange(at, bytes.length);
  }

  /** Writes RIP, RSP and RFLAGS to the machine's CPU, which delivers exceptions with them; its RIP is without the base of CS. */
  toCpu(): void {
    this.cpu.rip = this.width === 64 ? this.rip : vaAdd(this.rip, -this.cpu.csBase);
    this.cpu.rsp = this.stackOrZero();
    this.cpu.rflags = this.flags.value >>> 0;
  }
  fromCpu(): void {
    this.rip = this.cpu.codeAddress;
    this.setNumber(RSP, this.cpu.rsp);
    this.flags.value = this.cpu.rflags | 0;
  }

  /** A frame is on the stack of 64-bit mode: code may have been there. @param rsp before the event, which the frame has. */
  private pushed(fault: Fault, rsp: bigint): void {
    const { cpu, memory } = this;
    memory.wroteRange(cpu.rsp, FRAME.BYTES);
    // The machine's CPU has canonical stack pointers only.
    if (vaOfU64(rsp) !== undefined) return;
    const slot = FRAME.RSP + (hasErrorCode(fault) ? FRAME.ERROR_CODE : 0);
    this.check(cpu.storeU64(vaAdd(cpu.rsp, slot), rsp));
  }

  private stackOrZero(): Va {
    // A non-canonical RSP: the pushes of the delivery fault (APM vol. 2, 8.9.3), here at the address cut to 48 bits.
    return va(Number(BigInt.asUintN(48, this.get64(RSP))));
  }

  /** Takes the general registers and RIP of the machine's CPU. */
  load(): void {
    for (const [index, name] of GENERAL_REGISTERS.entries()) {
      this.setNumber(index, this.cpu[name]);
    }
    this.modeChanged();
    this.fromCpu();
    this.reloadBases();
  }

  /** Begins after a STARTUP, with the CPU's state (APM vol. 2, 14.1.3, 16.5). Media registers and time stay. */
  start(): void {
    this.selectors.fill(0);
    this.segmentLow.fill(0);
    this.segmentHigh.fill(0);
    this.segmentLimit.fill(REAL_LIMIT);
    Object.assign(this, { codeDefault: 16, stackSize: 2 });
    this.cpu.msrs.set('FS_BASE', 0n);
    this.cpu.msrs.set('GS_BASE', 0n);
    this.dr.fill(0);
    this.dr[2 * 6] = DR6_RESET;
    this.dr[2 * 7] = DR7_RESET;
    Object.assign(this, {
      ldtr: 0,
      halted: false,
      shadow: false,
      nmiBlocked: false,
      yields: false,
    });
    this.load();
    this.translationsChanged();
  }

  /** Takes the bases of FS and GS from their MSRs. */
  reloadBases(): void {
    for (const [segment, name] of [
      [4, 'FS_BASE'],
      [5, 'GS_BASE'],
    ] as const) {
      const base = this.cpu.msrs.get(name);
      this.setBase(
        segment,
        Number(BigInt.asIntN(32, base)),
        Number(BigInt.asIntN(32, base >> 32n)),
      );
    }
  }
}
